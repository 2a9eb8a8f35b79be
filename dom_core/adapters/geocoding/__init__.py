"""Where addresses are: offline tables first, then a service."""

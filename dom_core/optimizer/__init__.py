"""From a request to a plan. Start reading at `pipeline.py`."""

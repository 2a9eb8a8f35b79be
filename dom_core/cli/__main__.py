"""`python -m dom_core.cli` does what `dom` does."""

import sys

from dom_core.cli import main

sys.exit(main())

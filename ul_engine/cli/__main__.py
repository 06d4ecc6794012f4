"""``python -m ul_engine.cli``."""

import sys

from ul_engine.cli import main

sys.exit(main())

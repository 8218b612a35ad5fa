"""Start the command line from a checkout: `python -m cli`."""

import sys

from cli.main import start

sys.exit(start())

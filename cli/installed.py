"""Tackboard, installed: all of it is in the folder of this package, and this module starts it.

In a checkout the packages of Tackboard are at the top; in a wheel they are in one folder, so that none of them lies
loose in site-packages, where `app` or `server` may be somebody else's. A program that imports this package, as the
command `tackboard` and `tackboard_server.wsgi:application` do, finds them there.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def main() -> int:
    """Run the command line and return the exit status."""
    from cli.main import start  # noqa: PLC0415 - it can be imported only now.

    return start(program="tackboard")

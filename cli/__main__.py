"""Start the command line: `python -m cli`."""

import runpy

runpy.run_module("cli.main", run_name="__main__")

"""Make the golden data of a release: `python -m tests.golden`, which `make release` runs.

The data are what the code in this folder writes, or that in the folder that `--code` names. See README.md here.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines.dynamodb_server import run_dynoxide
from tests.golden.table_items import read_items

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent
MAKER = GOLDEN / "maker.py"
TABLE = "golden"

ARCHIVED = ("answers.json", "backup.db", "items.json", "pages.json", "store.db")
"""What is large, and much the same several times over, goes into one archive; `export.json` is kept as it is."""


def main() -> int:
    """Make the data; return 1 if they are there already."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--code", type=Path, default=ROOT, help="a folder with the code of the release")
    code: Path = parser.parse_args().code.resolve()
    version = json.loads((code / "spec" / "dist" / "openapi.json").read_text())["info"]["version"]
    folder = GOLDEN / version
    if folder.exists():
        print(f"{folder.relative_to(ROOT)} is there already: golden data are made once.", file=sys.stderr)
        return 1
    with TemporaryDirectory() as made:
        _make(code, Path(made))
        folder.mkdir()
        (folder / "export.json").write_bytes(Path(made, "export.json").read_bytes())
        with tarfile.open(folder / "data.tar.xz", "w:xz", preset=9) as archive:
            for name in ARCHIVED:
                archive.add(Path(made, name), name)
    print(f"{folder.relative_to(ROOT)} is made: commit it.")
    return 0


def _make(code: Path, folder: Path) -> None:
    """Let the code of a release write its data into a folder."""
    with run_dynoxide() as address:
        command = [sys.executable, str(MAKER), str(folder), f"dynamodb://{TABLE}?endpoint={address}"]
        subprocess.run(command, cwd=code, env=os.environ | {"PYTHONPATH": str(code)}, check=True)
        items = read_items(address, TABLE)
    (folder / "items.json").write_text(json.dumps(items, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())

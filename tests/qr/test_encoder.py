"""The page's QR codes are those of segno, module by module."""

import json
import random
import shutil
import string
import subprocess
from pathlib import Path

import pytest
import segno
from segno import encoder

PROGRAM = Path(__file__).with_name("encoder.mjs")
MAX_BYTES = 213
_CHARACTERS = string.ascii_letters + string.digits + ":/#=._-%é漢😀"

Matrix = list[list[int]]


def _encode(texts: list[str]) -> list[Matrix]:
    """Encode texts with the page's module, in Node."""
    node = shutil.which("node")
    assert node, "Node was not found: install version 20.19 or newer."
    done = subprocess.run(
        (node, "--no-warnings", str(PROGRAM)),
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    matrices: list[Matrix] = json.loads(done.stdout)
    return matrices


def _read_mask(matrix: Matrix) -> int:
    """Return the mask that a code says it has."""
    return (matrix[8][2] << 2 | matrix[8][3] << 1 | matrix[8][4]) ^ 0b101


def _create_texts() -> list[str]:
    """Create a text of every length, and many of random characters."""
    source = random.Random(18004)  # noqa: S311 - repeatable texts, not secrets.
    lengths = ["x" * length for length in range(1, MAX_BYTES + 1)]
    random_texts = ["".join(source.choices(_CHARACTERS, k=source.randint(1, 100))) for _ in range(300)]
    return lengths + [text for text in random_texts if len(text.encode()) <= MAX_BYTES]


def test_every_module_is_that_of_segno(monkeypatch: pytest.MonkeyPatch) -> None:
    # After a text that ends with a codeword, segno adds 8 bits where the standard (7.4.10) adds none.
    monkeypatch.setattr(
        encoder, "write_padding_bits", lambda buffer, _version, length: buffer.extend([0] * (-length % 8))
    )
    texts = _create_texts()
    masks = set()
    versions = set()

    for text, matrix in zip(texts, _encode(texts), strict=True):
        # segno scores some masks otherwise; readers take any.
        mask = _read_mask(matrix)
        expected = segno.make_qr(text.encode(), error="m", mode="byte", boost_error=False, mask=mask)
        assert matrix == [list(row) for row in expected.matrix], text
        masks.add(mask)
        versions.add(expected.version)

    assert masks == set(range(8))
    assert versions == set(range(1, 11))


def test_a_text_that_is_too_long_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero"):
        _encode(["x" * (MAX_BYTES + 1)])

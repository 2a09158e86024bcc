"""docs/howto/own-tables.md: its code is the example's, and its test of a shop's own table runs as it says."""

from __future__ import annotations

import subprocess
import sys

from tests.examples import EXAMPLES
from tests.harness import ROOT
from tests.manual import blocks

FOLDER = EXAMPLES / "own_tables"


def test_the_manual_shows_the_example() -> None:
    """Its code is the example's, which the tests here run."""
    shown = [block.text for block in blocks("howto/own-tables.md") if block.language == "python"]
    written = [(FOLDER / name).read_text("utf-8") for name in ("shop_table.py", "own_tables.py", "test_own_tables.py")]
    assert len(shown) == 6
    for code in shown:
        assert any(code in module for module in written), code


def test_the_shops_own_test_of_its_table() -> None:
    """As the manual says to run it, and as a shop would with pytest as it comes."""
    (block,) = [block.text for block in blocks("howto/own-tables.md") if block.language == "sh"]
    _, command = block.splitlines()
    assert command == "python -m pytest examples/own_tables"
    asked = [sys.executable, *command.split()[1:], "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*asked, "--collect-only"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    plain = [*asked[:3], ".", *asked[4:], "--rootdir", ".", "-c", "/dev/null"]
    done = subprocess.run(plain, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""The folder beside the output: of this build alone, and of none that was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bdp_assets.features.bulk.workspace import folder_beside

KILLED = """
import os, sys
from pathlib import Path
from bdp_assets.features.bulk.workspace import folder_beside
with folder_beside(Path(sys.argv[1])) as folder:
    (folder / "part").write_text("some")
    os.kill(os.getpid(), 9)
"""


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with folder_beside(tmp_path / "new" / "out.parquet") as folder:
        assert folder.parent == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_build_left_goes_with_the_next_and_what_another_works_on_stays(tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    subprocess.run([sys.executable, "-c", KILLED, str(output)], check=False)
    [left] = tmp_path.iterdir()
    foreign = [tmp_path / ".out.parquet.mine", tmp_path / ".out.parquet"]
    for folder in foreign:
        folder.mkdir()
    with folder_beside(output) as mine:
        assert not left.exists()
        with folder_beside(output) as other:
            assert mine.exists()
            assert other != mine
    assert sorted(tmp_path.iterdir()) == sorted(foreign)

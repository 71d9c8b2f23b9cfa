"""A kill point strikes the worker that it was armed for, at its place, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bdp_assets.streaming import kill_points
from bdp_assets.streaming.kill_points import Point

COMES_BY = """
import sys
from pathlib import Path
from bdp_assets.streaming.kill_points import Point, armed

reached = armed(Path(sys.argv[1]), sys.argv[2])
for point in Point:
    reached(point)
    print(point)
"""


@pytest.mark.parametrize("point", Point)
def test_it_kills_at_its_place_and_only_once(tmp_path: Path, point: Point) -> None:
    file = kill_points.arm(tmp_path, "scoring-0", point)

    assert comes_by(tmp_path, "scoring-1") == (0, list(Point)), "it was armed for another worker"
    assert file.exists()
    assert comes_by(tmp_path, "scoring-0") == (-9, list(Point)[: list(Point).index(point)])
    assert not file.exists()
    assert comes_by(tmp_path, "scoring-0") == (0, list(Point))


def test_without_a_folder_nothing_is_looked_at() -> None:
    assert kill_points.armed(None, "scoring-0") is kill_points.nowhere


def comes_by(folder: Path, worker: str) -> tuple[int, list[str]]:
    """Exit code, and the points that it survived."""
    command = [sys.executable, "-u", "-c", COMES_BY, str(folder), worker]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split()

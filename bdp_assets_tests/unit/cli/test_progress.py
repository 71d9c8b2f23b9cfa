"""Without a terminal, progress is a line a step, once it is done."""

from __future__ import annotations

import pytest

from bdp_assets.cli.progress import steps_with_counts


def test_a_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with steps_with_counts() as tell:
        tell("read", 1_000, 1_500)
        tell("read", 500, 1_500)
        tell("sort", 1, 3)
    assert capsys.readouterr().err == "read: 1,500 done\n"

"""Where a bundle of one's own is written to, and where not."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.operations import bundle_files
from bdp_assets.scoring.bundle import MANIFEST
from bdp_assets.training.split import TrainingError


def test_a_folder_that_is_new_empty_or_a_bundle_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / MANIFEST).write_text("{}")
    for name in ("new", "new/and/deeper", "empty", "bundle"):
        bundle_files.check(tmp_path / name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bundle", "empty"], "it only looked"


def test_what_would_be_mixed_up_or_can_not_be_made_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TrainingError, match="is there and is no bundle"):
        bundle_files.check(tmp_path)
    with pytest.raises(TrainingError, match=r"can not be written to .*notes.txt is no folder\. Name another"):
        bundle_files.check(tmp_path / "notes.txt" / "a" / "model")


def test_a_folder_of_somebody_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)  # Root may write anywhere.
    with pytest.raises(TrainingError, match=f"this user may not write to {tmp_path}"):
        bundle_files.check(tmp_path / "model")


def test_a_disk_that_is_full_by_then_is_told(tmp_path: Path) -> None:
    class Trained:
        def save(self, _folder: Path) -> Path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    trained: Any = Trained()
    with pytest.raises(TrainingError, match="No space left on device"):
        bundle_files.write(trained, tmp_path / "model")

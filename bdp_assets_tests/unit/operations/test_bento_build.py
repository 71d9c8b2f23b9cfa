"""A Bento that can not be written is told in a few lines; integration/test_bento.py builds one."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from bdp_assets.operations import bento_build
from bdp_assets.operations.bento_build import BentoFailed, build
from bdp_assets.operations.bento_folder import Contents
from bdp_assets.settings import Settings

FULL = os.strerror(errno.ENOSPC)


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    (settings.models_dir / "champion").mkdir(parents=True)
    return settings


def test_a_full_disk_is_told(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def assemble(champion: Path, folder: Path) -> Contents:
        raise OSError(errno.ENOSPC, FULL, "a file")

    monkeypatch.setattr(bento_build, "assemble", assemble)
    with pytest.raises(BentoFailed, match=f"{FULL}. There must be room"):
        build(own)


def test_a_line_of_every_file_that_found_no_room_is_cut(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, stdout=f"shutil.Error: {FULL}" + "a file, " * 10_000)

    monkeypatch.setattr(bento_build, "assemble", lambda *_: Contents(*["1"] * 6))
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BentoFailed, match=FULL) as told:
        build(own)
    assert len(str(told.value)) < 1_000

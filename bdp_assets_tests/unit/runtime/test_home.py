"""BDP_HOME: never somebody else's folder, never a full disk, never a path that a socket can not have."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bdp_assets.runtime import home
from bdp_assets.runtime.problems import Problem


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Problem, match="other files"):
        home.prepare(tmp_path)
    with pytest.raises(Problem, match="not made by the platform"):
        home.wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_prepared_twice_then_wiped(tmp_path: Path) -> None:
    place = tmp_path / "a" / "home"
    home.prepare(place)
    (place / "logs" / "x.log").write_text("x")
    home.prepare(place)
    assert (place / "logs" / "x.log").exists()
    assert (place / "secrets").stat().st_mode & 0o077 == 0
    home.wipe(place)
    assert not place.exists()
    home.wipe(place)


def test_a_nearly_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1024**3))
    with pytest.raises(Problem, match=r"Only 1\.0 GiB are free") as refused:
        home.prepare(tmp_path / "home")
    assert "BDP_HOME" in refused.value.do


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(Problem, match="No space left on device"):
        home.prepare(tmp_path / "home")


def test_only_one_starter_at_a_time(tmp_path: Path) -> None:
    home.prepare(tmp_path / "home")
    with (
        home.locked(tmp_path / "home"),
        pytest.raises(Problem, match="just now"),
        home.locked(tmp_path / "home"),
    ):
        pytest.fail("the second one came in")
    with home.locked(tmp_path / "home"):
        pass


def test_the_socket_of_a_deep_home_is_elsewhere_short_private_and_its_own(tmp_path: Path) -> None:
    shallow, deep = Path("/srv/bdp"), tmp_path / ("x" * 60) / ("y" * 60)
    assert home.socket_path(shallow).is_relative_to(shallow)
    outside = home.prepare_socket(deep)
    try:
        assert len(str(outside)) <= home.LONGEST_SOCKET_PATH
        assert outside.parent.stat().st_mode & 0o077 == 0
        assert outside != home.socket_path(deep / "other")
        outside.parent.chmod(0o777)
        with pytest.raises(Problem, match="open to others"):
            home.prepare_socket(deep)
    finally:
        outside.parent.rmdir()

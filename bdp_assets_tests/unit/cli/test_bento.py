"""`bdp bento`: what it says where it can not build."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.operations import bento_build
from bdp_assets.operations.bento_folder import Contents
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.settings import get_settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BDP_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def bento(*words: str) -> Result:
    return CliRunner().invoke(app, ["bento", *words])


def test_without_a_champion_it_says_how_to_get_one(home: Path) -> None:
    done = bento("build")
    assert done.exit_code == 2
    assert "There is no champion" in done.output


def test_a_champion_that_is_damaged_is_not_packed(home: Path) -> None:
    champion = tiny_bundle(home / "models" / "champion")
    (champion / "policy.json").write_bytes(b"{}")
    done = bento("build")
    assert done.exit_code == 2
    assert "is corrupt" in done.output


def test_another_format_is_refused_before_anything_is_built(home: Path) -> None:
    done = bento("build", "--output", "fraud.zip")
    assert done.exit_code == 2
    assert "must end in .bento" in done.output


def test_a_folder_that_is_not_there_is_told_before_anything_is_built(home: Path) -> None:
    done = bento("build", "--output", str(home / "nowhere" / "fraud.bento"))
    assert done.exit_code == 2
    assert "there is no such folder" in " ".join(done.output.split())


def test_a_file_for_another_machine_stays_as_it_was_until_the_new_one_is_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, out = _packed(home, monkeypatch), home / "out"
    out.mkdir()
    (out / "fraud.bento").write_text("of before")

    def full(place: Path, folder: Path, *arguments: str) -> None:
        if arguments[0] == "import":
            _kept(place, version)
        if arguments[:2] == ("export", f"fraud_service:{version}") and folder.name == version:
            Path(arguments[-1]).write_text("half of")
            raise bento_build.BentoFailed("no space left")

    monkeypatch.setattr(bento_build, "_bentoml", full)
    done = bento("build", "--output", str(out / "fraud.bento"))
    assert done.exit_code == 2
    assert "no space left" in done.output
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("fraud.bento", "of before")]


def test_where_bentoml_fails_it_is_told_and_an_older_one_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = Bundle.read(tiny_bundle(home / "models" / "champion")).info.version
    older = home / "bentoml" / "bentos" / "fraud_service" / version
    older.mkdir(parents=True)
    run = subprocess.run

    def refuse(command: list[str], **arguments: object) -> object:
        wrong = [*command[:3], "no-such-command"] if "bentoml" in command else command
        return run(wrong, **arguments)  # type: ignore[call-overload]

    monkeypatch.setattr(bento_build.subprocess, "run", refuse)
    done = bento("build")
    assert done.exit_code == 2
    assert "`bentoml build` ended with exit code" in done.output
    assert "no-such-command" in done.output
    assert older.is_dir()


def test_where_the_last_step_fails_an_older_one_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = _kept(home / "bentoml", _packed(home, monkeypatch))

    def full(place: Path, folder: Path, *arguments: str) -> None:
        if arguments[0] == "import":
            raise bento_build.BentoFailed("no space left")

    monkeypatch.setattr(bento_build, "_bentoml", full)
    done = bento("build")
    assert done.exit_code == 2
    assert "no space left" in done.output
    assert (older / "bento.yaml").is_file()
    assert [path.name for path in (home / "bentoml").iterdir()] == ["bentos"]


def test_of_two_builds_at_once_both_have_a_bento(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = _packed(home, monkeypatch)
    is_first, others = iter([True]), []

    def as_bentoml(place: Path, folder: Path, *arguments: str) -> None:
        if arguments[0] != "import":
            return
        if next(is_first, False):
            others.append(bento_build.build(get_settings()))
        if (place / "bentos" / "fraud_service" / version).exists():
            raise bento_build.BentoFailed("already exists in the store")
        _kept(place, version)

    monkeypatch.setattr(bento_build, "_bentoml", as_bentoml)
    built = bento_build.build(get_settings())
    assert (built.tag, built.folder) == (others[0].tag, others[0].folder)
    assert bento_build.bentos(get_settings()) == [built]
    assert (built.folder.parent / "latest").read_text() == version


def _packed(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of a champion that needs no packing, which takes its time."""
    (home / "models" / "champion").mkdir(parents=True)
    contents = Contents("fraud", "3", "digest", "policy", "rules", "catalog")
    monkeypatch.setattr(bento_build, "assemble", lambda champion, folder: contents)
    return contents.model_version


def _kept(place: Path, version: str) -> Path:
    """A Bento as BentoML has it in its store."""
    folder = place / "bentos" / "fraud_service" / version
    folder.mkdir(parents=True)
    says = Contents("fraud", version, "digest", "policy", "rules", "catalog")
    info = {"version": version, "creation_time": "2026-01-01T00:00:00Z", "labels": says}
    (folder / "bento.yaml").write_bytes(msgspec.yaml.encode(info))
    (folder.parent / "latest").write_text(version)
    return folder


def test_what_somebody_built_by_hand_is_not_listed(home: Path) -> None:
    by_hand = home / "bentoml" / "bentos" / "fraud_service" / "mine"
    by_hand.mkdir(parents=True)
    (by_hand / "bento.yaml").write_text("{version: mine, creation_time: '2026-01-01T00:00:00Z', labels: {}}")
    done = bento("list")
    assert done.exit_code == 0
    assert "0 Bentos" in done.output

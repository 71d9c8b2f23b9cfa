"""Bentos of this machine: built from the champion, listed, exported. BentoML keeps them in BDP_HOME/bentoml.

BentoML runs in processes of its own, with the folder to pack as theirs: it imports the service that it packs,
and in our process it would find the checkout's, loaded before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from bdp_assets.operations.bento_folder import Contents, assemble
from bdp_assets.runtime import api
from bdp_assets.scoring.local_bundles import LocalBundles, locked
from bdp_assets.settings import Settings

NAME = "fraud_service"
_WIDEST = 400
"""Characters of a line of BentoML's last words: on a full disk one names every file."""


class BentoFailed(Exception):  # noqa: N818 - read as what happened
    """BentoML did not do it; the message has its last words."""


@dataclass(frozen=True)
class BuiltBento:
    """One Bento in BentoML's store."""

    tag: str
    contents: Contents
    built_at: datetime
    size_bytes: int
    folder: Path


class _Info(msgspec.Struct):
    """What we read of a bento.yaml."""

    version: str
    creation_time: str
    labels: Contents


def build(settings: Settings) -> BuiltBento:
    """Build the champion's Bento; it takes the place of an older one of the same model version.

    Raises:
        BundleError: there is no champion, or it can not be used.
        BentoFailed: BentoML did not build it; an older one is still there.
    """
    champion = LocalBundles(settings.models_dir).find(None)
    with _writing(_home(settings)), tempfile.TemporaryDirectory(prefix="bdp-bento-") as name:
        draft = Path(name)
        folder, file, elsewhere = draft / "packed", draft / "built.bento", draft / "bentoml"
        folder.mkdir()
        version = assemble(champion, folder).model_version
        _bentoml(elsewhere, folder, "build", "--version", version, "--output", "tag")
        _bentoml(elsewhere, folder, "export", f"{NAME}:{version}", str(file))
        return _keep(settings, folder, file, version)


def export(settings: Settings, bento: BuiltBento, file: Path) -> None:
    """Write a Bento into one file (`*.bento`), which `bentoml import` takes; one of before stays until this
    one is whole. Raises BentoFailed.
    """
    target = file.absolute()
    prefix = f".{target.name}-"
    with _writing(target.parent), tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as name:
        draft = Path(name) / target.name
        _bentoml(_home(settings), bento.folder, "export", bento.tag, str(draft))
        draft.replace(target)


def bentos(settings: Settings) -> list[BuiltBento]:
    """Those on this machine that `build` made, the newest first."""
    found = []
    for file in _store(settings).glob("*/bento.yaml"):
        with suppress(msgspec.ValidationError):  # made by hand: without our labels
            found.append(_read(file.parent))
    return sorted(found, key=lambda bento: bento.built_at, reverse=True)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Trouble with the disks that a Bento is made and kept on."""
    try:
        yield
    except OSError as error:
        raise BentoFailed(
            f"The Bento can not be written: {error.strerror or 'some were not copied'}. There must be room "
            f"and leave to write in {tempfile.gettempdir()} and {place}; what is there is as it was."
        ) from error


def _keep(settings: Settings, folder: Path, file: Path, version: str) -> BuiltBento:
    """Have a Bento's file in the store; one of its version goes once this one is whole."""
    home, place = _home(settings), _store(settings) / version
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".import-", dir=home) as name:
        draft = Path(name)
        _bentoml(draft, folder, "import", str(file))
        made = draft / place.parent.relative_to(home)
        with locked(place.parent):
            if place.exists():
                place.rename(draft / "replaced")
            (made / version).rename(place)
            (made / "latest").replace(place.parent / "latest")  # BentoML's own note of the newest
            return _read(place)


def _store(settings: Settings) -> Path:
    """Where BentoML keeps Bentos of our name, a folder for each version."""
    return _home(settings) / "bentos" / NAME


def _home(settings: Settings) -> Path:
    return Path(api.environment(settings)["BENTOML_HOME"])


def _read(folder: Path) -> BuiltBento:
    info = msgspec.yaml.decode((folder / "bento.yaml").read_bytes(), type=_Info)
    return BuiltBento(
        tag=f"{NAME}:{info.version}",
        contents=info.labels,
        built_at=datetime.fromisoformat(info.creation_time),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        folder=folder,
    )


def _bentoml(home: Path, folder: Path, *arguments: str) -> None:
    """A command of BentoML's, run in the folder. It makes no byte code there, which would be packed."""
    home.mkdir(parents=True, exist_ok=True)
    own = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments],
        cwd=folder,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(line[:_WIDEST] for line in done.stdout.splitlines()[-5:])
        raise BentoFailed(f"`bentoml {arguments[0]}` ended with exit code {done.returncode}:\n{last}")

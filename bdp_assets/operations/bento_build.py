"""Bentos of this machine: built from the champion, listed, exported. BentoML keeps them in BDP_HOME/bentoml.

BentoML runs in processes of its own, with the folder to pack as theirs: it imports the service that it packs,
and in our process it would find the checkout's, loaded before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from bdp_assets.operations.bento_folder import Contents, assemble
from bdp_assets.runtime import web
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings

NAME = "fraud_service"


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
    labels: dict[str, str]


def build(settings: Settings) -> BuiltBento:
    """Build the champion's Bento; it takes the place of an older one of the same model version.

    Raises:
        BundleError: there is no champion, or it can not be used.
        BentoFailed: BentoML did not build it.
    """
    champion = LocalBundles(settings.models_dir).find(None)
    _store(settings).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bdp-bento-") as draft:
        folder = Path(draft)
        version = assemble(champion, folder).model_version
        before = _store(settings) / version
        if before.is_dir():
            shutil.rmtree(before)
        _bentoml(settings, folder, "build", "--version", version, "--output", "tag")
    return _read(_store(settings) / version)


def export(settings: Settings, bento: BuiltBento, file: Path) -> None:
    """Write a Bento into one file, which `bentoml import` takes. Raises BentoFailed."""
    _bentoml(settings, bento.folder, "export", bento.tag, str(file.absolute()))


def bentos(settings: Settings) -> list[BuiltBento]:
    """All Bentos on this machine, the newest first."""
    found = [_read(file.parent) for file in _store(settings).glob("*/bento.yaml")]
    return sorted(found, key=lambda bento: bento.built_at, reverse=True)


def _store(settings: Settings) -> Path:
    """Where BentoML keeps Bentos of our name, a folder for each version."""
    return Path(web.api_environment(settings)["BENTOML_HOME"]) / "bentos" / NAME


def _read(folder: Path) -> BuiltBento:
    info = msgspec.yaml.decode((folder / "bento.yaml").read_bytes(), type=_Info)
    return BuiltBento(
        tag=f"{NAME}:{info.version}",
        contents=msgspec.convert(info.labels, Contents),
        built_at=datetime.fromisoformat(info.creation_time),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        folder=folder,
    )


def _bentoml(settings: Settings, folder: Path, *arguments: str) -> None:
    """A command of BentoML's, run in the folder. It makes no byte code there, which would be packed."""
    environment = {**os.environ, **web.api_environment(settings), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "bentoml", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-5:])
        raise BentoFailed(f"`bentoml {arguments[0]}` failed with exit code {done.returncode}:\n{last}")

"""Bundles on this machine: one folder a version, never changed while it is there; `champion` links to one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bdp_assets.scoring.bundle import (
    REGISTRATION,
    Bundle,
    BundleError,
    Registration,
    digest_of,
    registration_in,
)

CHAMPION = "champion"


class LocalBundles:
    """The folder `settings.models_dir`. Safe to use from several processes: every change is one rename."""

    def __init__(self, models_dir: Path) -> None:
        self.models_dir = models_dir

    @property
    def champion(self) -> Path:
        """Folder of the bundle that serves; it need not exist yet."""
        return self.models_dir / CHAMPION

    def path(self, version: str) -> Path:
        return self.models_dir / version

    def find(self, wanted: str | None) -> Path:
        """Folder of a version that is here, or of any bundle by its path; None: the champion.

        Raises:
            BundleError: there is none; the message says how to get one.
        """
        if wanted is None:
            if self.champion.is_dir():
                return self.champion
            raise BundleError(
                f"There is no champion in {self.models_dir} yet: train one (`bdp train`), or bring the "
                "registry's with `bdp models use VERSION`."
            )
        for folder in (self.path(wanted), Path(wanted)):
            if folder.is_dir():
                return folder
        raise BundleError(
            f"Model {wanted} is neither a version in {self.models_dir} nor a folder; "
            "`bdp models list` shows the versions, `bdp models use VERSION` brings one."
        )

    def active(self) -> str | None:
        """Version that `champion` links to; None before the first activation."""
        return self.champion.readlink().name if self.champion.is_symlink() else None

    def put(self, registration: Registration, fetch: Callable[[Path], None]) -> Path:
        """Have a version here, whole and verified, and return its folder.

        Args:
            registration: as the registry has it; a folder that is not of this very one is replaced.
            fetch: downloads the bundle's files into the empty folder it is given.

        Raises:
            BundleError: what was downloaded is damaged or is not the registry's bundle.
        """
        target = self.path(registration.version)
        if _has(target, registration):
            return target
        self.models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.models_dir, prefix=".download-") as folder:
            draft = Path(folder) / "bundle"
            draft.mkdir()
            fetch(draft)
            (draft / REGISTRATION).write_bytes(msgspec.json.encode(registration))
            if digest_of(draft) != registration.digest:
                raise BundleError(
                    f"the download of model {registration.version} is not the bundle that was registered"
                )
            Bundle.read(draft)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        return target

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever else wants this waits: for a look at the registry's champion, and what is done upon it.

        Of one process, too: not to be asked for again inside.
        """
        self.models_dir.mkdir(parents=True, exist_ok=True)
        with (self.models_dir / f".{CHAMPION}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # Free once its process is gone, however that ended.
            yield

    def activate(self, version: str) -> None:
        """Point `champion` to a version, in one step. Raises BundleError when the version is not here."""
        if not self.path(version).is_dir():
            raise BundleError(
                f"model {version} is not in {self.models_dir}; `bdp models use {version}` brings it"
            )
        draft = self.models_dir / f".{CHAMPION}-{os.getpid()}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(version)
        draft.replace(self.champion)


def _has(folder: Path, registration: Registration) -> bool:
    try:
        Bundle.read(folder)
        return registration_in(folder) == registration
    except BundleError:
        return False

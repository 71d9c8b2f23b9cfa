"""Bundles on this machine: one folder a version, never changed while it is there; `champion` links to one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bdp_assets.scoring.bundle import (
    REGISTRATION,
    RETRAIN,
    Bundle,
    BundleError,
    ModelInfo,
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
            fetch: downloads the bundle's files into the empty folder it is given; none, where there are none.

        Raises:
            BundleError: what was downloaded is damaged or is not the registry's bundle; the message names
                the version.
        """
        target = self.path(registration.version)
        if _has(target, registration):
            return target
        self.models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.models_dir, prefix=".download-") as folder:
            draft = (Path(folder) / "bundle").resolve()  # as errors name it
            draft.mkdir()
            _take(draft, registration, fetch)
            (draft / REGISTRATION).write_bytes(msgspec.json.encode(registration))
            with locked(self.models_dir):
                if not _has(target, registration):  # Whoever fetched it meanwhile may have been first.
                    if target.exists():
                        target.rename(Path(folder) / "replaced")
                    draft.rename(target)
        return target

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever else wants this waits: for a look at the registry's champion, and what is done upon it.

        Of one process, too: not to be asked for again inside.
        """
        self.models_dir.mkdir(parents=True, exist_ok=True)
        file = self.models_dir / f".{CHAMPION}.lock"
        file.touch()
        with locked(file):
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Whoever else wants this file or folder waits. Not to be asked for again inside."""
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Free once its process is gone, however that ended.
        yield
    finally:
        os.close(lock)


def look_at_copy(registration: Registration, fetch: Callable[[Path], None]) -> ModelInfo:
    """What the registry's copy is; nothing stays here. Arguments and errors: as `LocalBundles.put`."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder).resolve()
        return _take(draft, registration, fetch).info


def _take(draft: Path, registration: Registration, fetch: Callable[[Path], None]) -> Bundle:
    """Download into an empty folder. Raises BundleError."""
    fetch(draft)
    fault = _fault(draft, registration)
    if fault is not None:
        raise BundleError(f"the registry's copy of model {registration.version} can not be used: {fault}")
    return Bundle.read(draft)


def _fault(draft: Path, registration: Registration) -> str | None:
    """What is wrong with a download, without the folder, which is gone once somebody reads of it."""
    if not any(draft.iterdir()):
        return f"its files are gone. {RETRAIN}"
    try:
        if digest_of(draft) != registration.digest:
            return f"it is not the bundle that was registered. {RETRAIN}"
        Bundle.read(draft)
    except BundleError as error:
        return str(error).replace(f"{draft}/", "").replace(str(draft), "it")
    return None


def _has(folder: Path, registration: Registration) -> bool:
    try:
        Bundle.read(folder)
        return registration_in(folder) == registration
    except BundleError:
        return False

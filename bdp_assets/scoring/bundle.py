"""The model bundle: one folder that holds all that a score and a decision need, each file pinned by its hash.

    manifest.json          who the model is, blend and calibration, sha256 of the other files
    <member>.onnx          one graph a member: float64 [n, n_features] -> float64 [n, 1]
    attributions.npz       node arrays of the forest, for reasons
    policy.json            how a probability becomes a decision, until another policy is used
    registration.json      name, version, digest in the registry; written on download, so outside the manifest

The manifest itself is pinned by the model's digest (`ModelInfo.digest`), which the registration says, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

MANIFEST = "manifest.json"
POLICY = "policy.json"
ATTRIBUTIONS = "attributions.npz"
REGISTRATION = "registration.json"
FORMAT = 1
S = TypeVar("S", bound=Struct)
RETRAIN = "Train and register a model again (`bdp train`) or take another version (`bdp models list`)."


class BundleError(Exception):
    """The bundle can not be used; the message says why and what to do."""


class Table(Struct, frozen=True):
    """A monotone piecewise-linear function: knots `x` strictly ascending, values `y` monotone either way."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Member(Struct, frozen=True):
    """One model of the ensemble: `table` of the graph's output, times `weight`, is its part of the blend."""

    name: str
    file: str
    table: Table
    weight: float


class Training(Struct, frozen=True, kw_only=True):
    """Where the model comes from. Times are UTC epoch milliseconds."""

    name: str
    trained_at_ms: int
    catalog_version: str
    feature_names: tuple[str, ...]
    metrics: dict[str, float]
    snapshot_version: str | None = None
    git_sha: str | None = None
    train_end_ms: int | None = None
    """Nothing that happened from here on was learned from; None in a bundle that is older than the field."""


class Manifest(Struct, frozen=True, kw_only=True):
    format: int
    training: Training
    members: tuple[Member, ...]
    calibration: Table
    files: dict[str, str]
    """sha256 (hex) of every other file of the bundle by its name."""


class Registration(Struct, frozen=True):
    """Name and version that the registry gave to the bundle, and the digest of what was registered."""

    name: str
    version: str
    digest: str | None = None
    """None in one that is older than the field: its manifest is taken as it is, until it is fetched again."""


class ModelInfo(Training, frozen=True, kw_only=True):
    """The model as it serves: its training, and the version that decisions carry."""

    version: str
    """The registry's version; `unregistered-<digest>` for a bundle that never was there."""
    digest: str
    """First 12 hex characters of the manifest's sha256: equal digests score alike, bit for bit."""

    @property
    def is_registered(self) -> bool:
        return self.version != _unregistered(self.digest)


class Bundle:
    """A verified bundle in memory: what was hashed is what is handed out, whatever happens to the folder."""

    def __init__(self, manifest: Manifest, info: ModelInfo, files: Mapping[str, bytes]) -> None:
        self.manifest = manifest
        self.info = info
        self.files = files

    @classmethod
    def of(
        cls, training: Training, members: tuple[Member, ...], calibration: Table, files: Mapping[str, bytes]
    ) -> Bundle:
        """A new bundle that is in no folder and in no registry yet."""
        hashes = {name: _sha256(content) for name, content in sorted(files.items())}
        manifest = Manifest(
            format=FORMAT, training=training, members=members, calibration=calibration, files=hashes
        )
        return cls(manifest, _info(manifest, _encode(manifest), None), files)

    @classmethod
    def read(cls, directory: Path) -> Bundle:
        """Read and verify every file.

        Raises:
            BundleError: a file is missing, unreadable, or differs from its hash in the manifest; or that is
                another one than was registered.
        """
        # `champion` may be pointed to another version while we read: stay with the one it points to now.
        directory = directory.resolve()
        registration = registration_in(directory)
        mend = RETRAIN if registration is None else _anew(registration)
        raw = _read(directory, MANIFEST, mend)
        manifest = _decode(raw, Manifest, directory / MANIFEST, mend)
        if manifest.format != FORMAT:
            raise BundleError(
                f"{directory} has bundle format {manifest.format}, this code reads {FORMAT}. {RETRAIN}"
            )
        files = {name: _read_verified(directory, name, sha, mend) for name, sha in manifest.files.items()}
        info = _info(manifest, raw, registration)
        if registration is not None and registration.digest not in {None, info.digest}:
            raise BundleError(f"{directory} is damaged: its {MANIFEST} is not the registered one. {mend}")
        return cls(manifest, info, files)

    def with_metrics(self, metrics: Mapping[str, float]) -> Bundle:
        """The same model with the metrics of its test."""
        training = msgspec.structs.replace(self.manifest.training, metrics=dict(metrics))
        return Bundle.of(training, self.manifest.members, self.manifest.calibration, self.files)

    def write(self, directory: Path) -> Path:
        """Write all files into a folder, the manifest last, and return the folder."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (directory / name).write_bytes(content)
        (directory / MANIFEST).write_bytes(_encode(self.manifest))
        return directory

    def file(self, name: str) -> bytes:
        """Bytes of one file. Raises BundleError when the manifest does not list it."""
        if name not in self.files:
            raise BundleError(f"the bundle of model {self.info.version} has no {name}. {RETRAIN}")
        return self.files[name]


def digest_of(directory: Path) -> str:
    """The digest of the bundle in a folder, of whose files only the manifest is read. Raises BundleError."""
    return _digest(_read(directory, MANIFEST))


def registration_in(directory: Path) -> Registration | None:
    """What the registry knows of the bundle in a folder; None: it never was there. Raises BundleError."""
    path = directory / REGISTRATION
    return _decode(_read(directory, REGISTRATION), Registration, path) if path.exists() else None


def _anew(registration: Registration) -> str:
    """How to mend a bundle that is whole in the registry."""
    return (
        f"Fetch it again with `bdp models fetch {registration.version}`, which then serves on this machine; "
        "a Bento is built anew (`bdp bento build`)."
    )


def _info(manifest: Manifest, raw: bytes, registration: Registration | None) -> ModelInfo:
    digest = _digest(raw)
    training = msgspec.structs.asdict(manifest.training)
    if registration is None:
        return ModelInfo(**training, version=_unregistered(digest), digest=digest)
    return ModelInfo(**{**training, "name": registration.name}, version=registration.version, digest=digest)


def _digest(manifest: bytes) -> str:
    return _sha256(manifest)[:12]


def _unregistered(digest: str) -> str:
    return f"unregistered-{digest}"


def _encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def _decode(raw: bytes, kind: type[S], path: Path, mend: str = RETRAIN) -> S:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{path} is damaged ({error}). {mend}") from error


def _read_verified(directory: Path, name: str, sha256: str, mend: str) -> bytes:
    content = _read(directory, name, mend)
    if _sha256(content) != sha256:
        raise BundleError(f"{directory / name} is corrupt: its sha256 is not the manifest's. {mend}")
    return content


def _read(directory: Path, name: str, mend: str = RETRAIN) -> bytes:
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise BundleError(f"can not read {directory / name}: {error.strerror}. {mend}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

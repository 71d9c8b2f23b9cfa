"""Policies beside the bundles on this machine: what was tuned for a model since it was trained.

    policies/<model digest>/<version>.json   a policy, and where it comes from; never removed
    policies/<model digest>/serving.json     which of them serves, and since when

A model that has no such folder serves with the policy of its bundle. Policies are of a digest, not of a
version: they can serve with no model but the one that they were tuned for.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bdp_assets.decisions.policy import Policy, digest_of, policy_from, policy_of
from bdp_assets.scoring.bundle import Bundle, BundleError

POLICIES = "policies"
SERVING = "serving.json"


class Tuning(Struct, frozen=True, kw_only=True):
    """Where a policy that did not come with its model comes from; `first` and `last` are days (UTC)."""

    model_digest: str
    tuned_at_ms: int
    first: date
    last: date
    transactions: int
    frauds: int


@dataclass(frozen=True)
class KeptPolicy:
    """A policy, and how it was tuned; None: in training, it came with the model."""

    policy: Policy
    tuning: Tuning | None


class Choice(Struct, frozen=True):
    """The version that serves on this machine, and since when (UTC epoch milliseconds)."""

    version: str
    since_ms: int


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    policy: dict[str, Any]
    tuning: Tuning
    sha256: str
    """Of the two others."""


class LocalPolicies:
    """The policies of one model. Safe to use from several processes: every change is one rename."""

    def __init__(self, models_dir: Path, bundle: Bundle) -> None:
        self._choice = choice_file(models_dir, bundle.info.digest)
        self.folder = self._choice.parent
        self._bundle = bundle

    @classmethod
    def beside(cls, bundle_folder: Path, bundle: Bundle) -> LocalPolicies:
        """Those beside the folder that a bundle was read from."""
        return cls(bundle_folder.resolve().parent, bundle)

    def serving(self) -> Policy:
        """The policy that serves. Raises BundleError when it is damaged or gone: no other one takes over."""
        choice = self.choice()
        return self.kept(choice.version).policy if choice else policy_of(self._bundle)

    def choice(self) -> Choice | None:
        """None: the policy of the bundle serves, as long as its model does. Raises BundleError."""
        path = self._choice
        if not path.exists():
            return None
        try:
            choice = msgspec.json.decode(self._read(path), type=Choice)
        except msgspec.MsgspecError as error:
            raise self._damaged(path, str(error)) from error
        if choice.version not in self.versions():
            raise self._damaged(path, f"policy {choice.version} is not here")
        return choice

    def kept(self, version: str) -> KeptPolicy:
        """A version, verified. Raises BundleError when it is not here, or not what was kept."""
        own = policy_of(self._bundle)
        if version == own.version:
            return KeptPolicy(own, None)
        path = self.folder / f"{version}.json"
        if version not in self.versions():
            raise BundleError(
                f"model {self._bundle.info.version} has no policy {version} on this machine; "
                f"`bdp policy show` lists those that it has"
            )
        return self._verified(self._read(path), version, path)

    def versions(self) -> list[str]:
        """The bundle's own, then those that are kept, in the order of their names."""
        own = policy_of(self._bundle).version
        kept = {path.stem for path in self.folder.glob("*.json") if path.name != SERVING}
        return [own, *sorted(kept - {own})]

    def put(self, document: bytes, version: str) -> KeptPolicy:
        """Keep what `encode` made. Raises BundleError when it is damaged or of another model."""
        kept = self._verified(document, version, self.folder / f"{version}.json")
        self._replace(f"{version}.json", document)
        return kept

    def use(self, version: str, since_ms: int) -> None:
        """Let a version serve, in one step; processes follow it (`champion.py`). Raises as `kept`."""
        self.kept(version)
        self._replace(SERVING, msgspec.json.encode(Choice(version, since_ms)))

    def _replace(self, name: str, content: bytes) -> None:
        """The file as it was or as it is to be, whoever reads it when, and after a power failure too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}-{os.getpid()}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._damaged(path, str(error.strerror)) from error

    def _verified(self, raw: bytes, version: str, path: Path) -> KeptPolicy:
        """The policy of a document, which is or will be in the path."""
        try:
            document = msgspec.json.decode(raw, type=_Document)
            policy = policy_from(document.policy)
        except msgspec.MsgspecError as error:
            raise self._damaged(path, str(error)) from error
        if not version == policy.version == digest_of(policy):
            raise self._damaged(path, f"its content is not that of policy {version}")
        if document.sha256 != _sha256(policy, document.tuning):
            raise self._damaged(path, "its sha256 is not that of its content")
        if document.tuning.model_digest != self._bundle.info.digest:
            raise self._damaged(path, f"it was tuned for model {document.tuning.model_digest}")
        return KeptPolicy(policy, document.tuning)

    def _damaged(self, path: Path, why: str) -> BundleError:
        own = policy_of(self._bundle).version
        return BundleError(
            f"{path} can not be used ({why}). `bdp policy use {own}` goes back to the policy that came with "
            f"model {self._bundle.info.version}; then tune anew (`bdp policy tune`)."
        )


def choice_file(models_dir: Path, digest: str) -> Path:
    """Where it says which policy of a model serves; not there: its bundle's own."""
    return models_dir / POLICIES / digest / SERVING


def encode(policy: Policy, tuning: Tuning) -> bytes:
    """The document that `LocalPolicies.put` and the registry keep."""
    document = {"policy": policy, "tuning": tuning, "sha256": _sha256(policy, tuning)}
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _sha256(policy: Policy, tuning: Tuning) -> str:
    return hashlib.sha256(msgspec.json.encode((policy, tuning))).hexdigest()

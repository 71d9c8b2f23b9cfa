"""The model registry: MLflow runs, registered versions and their aliases; the only importer of mlflow.

`champion` is the version that serves, `challenger` the newest that would like to. A version remembers whom
it replaced (tag `replaced`), so that a roll-back needs no arguments. MLflow takes 5 s to import: lazily.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bdp_assets.clients.model_example import break_up, example_files
from bdp_assets.clients.model_run import DOCUMENTS, ModelRun, log_run
from bdp_assets.settings import Settings

CHAMPION = "champion"
CHALLENGER = "challenger"
REPLACED = "replaced"
FORCED = "forced"
DIGEST = "bundle_digest"
POLICY_VERSION = "policy_version"
SNAPSHOT = "snapshot_version"
SNAPSHOT_ERASED = "snapshot_erased"
POLICIES = "policies"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
"""A version as the registry writes it: MLflow's store has 32 bits for it, and would take 01 for 1."""


class RegistryUnavailable(Exception):  # noqa: N818 - reads as what it is
    """MLflow did not answer or refused; the message says where it was looked for and what to do."""


class VersionMissing(LookupError):  # noqa: N818 - reads as what it is
    """The registry has no such model version or alias."""


@dataclass(frozen=True)
class RegisteredVersion:
    """One version as the registry has it. `created_ms` is UTC epoch milliseconds."""

    version: str
    aliases: tuple[str, ...]
    created_ms: int
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    run_id: str


class Registry:
    """One registered model and its versions."""

    def __init__(self, uri: str, model_name: str) -> None:
        self.uri = uri
        self.model_name = model_name

    @classmethod
    def of(cls, settings: Settings) -> Registry:
        return cls(settings.mlflow, settings.model_name)

    @cached_property
    def _client(self) -> Any:
        return _mlflow().MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def log_and_register(self, run: ModelRun) -> str:
        """Log a run with params, metrics, plots and the bundle, and register it; returns the new version."""
        with self._errors():
            mlflow = _mlflow()
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            mlflow.set_experiment(self.model_name)
            return self._register(log_run(mlflow, run), run)

    def _register(self, model: Any, run: ModelRun) -> str:
        tags = {**run.tags, DIGEST: run.digest}
        _ensure_registered(self._client, self.model_name)
        created = self._client.create_model_version(
            self.model_name,
            model.model_uri,
            run_id=model.run_id,
            tags=tags,
            description=run.card,
            model_id=model.model_id,
        )
        return str(created.version)

    def versions(self) -> list[RegisteredVersion]:
        """All versions, the newest first; empty when nothing was ever registered."""
        with self._errors():
            found = self._client.search_model_versions(f"name = '{self.model_name}'")
            return sorted(map(self._described, found), key=lambda row: int(row.version), reverse=True)

    def version(self, version: str) -> RegisteredVersion:
        """One version. Raises VersionMissing."""
        # MLflow refuses what is no number as an invalid call, its store one that is too big; and a model that
        # has two names could replace itself.
        if not _NUMBER.fullmatch(version):
            raise self._no_version(version)
        with self._errors(version):
            return self._described(self._client.get_model_version(self.model_name, version))

    def alias(self, alias: str) -> str | None:
        """Version that carries an alias, None when none does."""
        try:
            with self._errors():
                return str(self._client.get_model_version_by_alias(self.model_name, alias).version)
        except VersionMissing:
            return None

    def champion(self) -> str | None:
        return self.alias(CHAMPION)

    def set_alias(self, alias: str, version: str) -> None:
        """Point an alias to a version. Raises VersionMissing."""
        with self._errors(version):
            self._client.set_registered_model_alias(self.model_name, alias, version)

    def promote(self, version: str) -> None:
        """Make a version the champion; it remembers whom it replaced."""
        previous = self.champion()
        if previous is not None and previous != version:
            with self._errors():
                self._client.set_model_version_tag(self.model_name, version, REPLACED, previous)
        self.set_alias(CHAMPION, version)

    def note_forced(self, version: str, reason: str) -> None:
        """Say why a version is champion without passing the gates (tag `forced`). Raises VersionMissing."""
        with self._errors(version):
            self._client.set_model_version_tag(self.model_name, version, FORCED, reason)

    def note_erased(self, version: str, what: str) -> None:
        """Say why a version's snapshot is gone (tag `snapshot_erased`). Raises VersionMissing."""
        with self._errors(version):
            self._client.set_model_version_tag(self.model_name, version, SNAPSHOT_ERASED, what)

    def break_up_example(self, version: str) -> bool:
        """See to it that a version's example has no row of a person's; whether it was changed.

        Raises VersionMissing.
        """
        with self._errors(version), tempfile.TemporaryDirectory() as folder:
            found = self._client.get_model_version(self.model_name, version)
            source = self._client.get_model_version_download_uri(self.model_name, version)
            for name in example_files(_mlflow(), source, self.uri):
                _mlflow().artifacts.download_artifacts(
                    artifact_uri=f"{source}/{name}", dst_path=folder, tracking_uri=self.uri
                )
            changed = break_up(Path(folder))
            if changed:
                # The run knows its model; the version's own field for it stays empty in some stores.
                [logged] = self._client.get_run(found.run_id).outputs.model_outputs
                self._client.log_model_artifacts(logged.model_id, folder)
            return changed

    def predecessor(self) -> str:
        """Version that the champion replaced. Raises VersionMissing."""
        current = self.champion()
        if current is None:
            raise VersionMissing(f"{self.model_name} has no champion yet: train one (`bdp train`)")
        previous = self.version(current).tags.get(REPLACED)
        if previous in {None, current}:
            raise VersionMissing(
                f"champion {current} of {self.model_name} replaced no other version: `bdp models list` shows "
                "which there are, `bdp models use VERSION` makes one champion"
            )
        return previous

    def keep_policy(self, version: str, policy_version: str, document: bytes) -> None:
        """Keep a policy's document with a version's run. Raises VersionMissing."""
        run_id = self.version(version).run_id
        with self._errors():
            self._client.log_text(run_id, document.decode(), _policy_file(policy_version))

    def use_policy(self, version: str, policy_version: str) -> None:
        """Say by which policy a version is to serve (tag `policy_version`). Raises VersionMissing."""
        with self._errors(version):
            self._client.set_model_version_tag(self.model_name, version, POLICY_VERSION, policy_version)

    def policy(self, version: str, policy_version: str) -> bytes:
        """The document of a policy that was kept with a version. Raises VersionMissing."""
        found = self._kept(version, POLICIES, _policy_file(policy_version))
        if found is None:
            raise VersionMissing(
                f"model {version} has no policy {policy_version} in the registry; `bdp policy show` lists "
                "those that it has on this machine"
            )
        return found

    def document(self, version: str, name: str) -> bytes | None:
        """A document that was registered with a version; None where it has none of that name.

        Raises VersionMissing.
        """
        return self._kept(version, DOCUMENTS, f"{DOCUMENTS}/{name}")

    def _kept(self, version: str, folder: str, path: str) -> bytes | None:
        """A file in a folder of a version's run; None where it is not. Raises VersionMissing."""
        run_id = self.version(version).run_id
        with self._errors():
            there = {item.path for item in self._client.list_artifacts(run_id, folder)}
        return self._file(run_id, path) if path in there else None

    def _file(self, run_id: str, path: str) -> bytes:
        with self._errors(), tempfile.TemporaryDirectory() as folder:
            found = _mlflow().artifacts.download_artifacts(
                run_id=run_id, artifact_path=path, dst_path=folder, tracking_uri=self.uri
            )
            return Path(found).read_bytes()

    def fetch(self, version: str, directory: Path) -> None:
        """Download the files of a version's bundle into an empty directory: none, where they are gone.

        Raises VersionMissing.
        """
        with self._errors(version), tempfile.TemporaryDirectory() as folder:
            # Of `models:/...` MLflow asks the registry of its process' own settings, whatever it is told.
            source = self._client.get_model_version_download_uri(self.model_name, version)
            artifacts = _mlflow().artifacts
            if not artifacts.list_artifacts(artifact_uri=source, tracking_uri=self.uri):
                return
            found = artifacts.download_artifacts(artifact_uri=source, dst_path=folder, tracking_uri=self.uri)
            for file in (Path(found) / "data").glob("*/*"):
                shutil.move(file, directory / file.name)

    def _described(self, found: Any) -> RegisteredVersion:
        # A search leaves a version's own list of aliases empty: the model has them all.
        aliases = self._client.get_registered_model(self.model_name).aliases
        run = self._client.get_run(found.run_id)
        return RegisteredVersion(
            version=str(found.version),
            aliases=tuple(
                sorted(alias for alias, version in aliases.items() if str(version) == str(found.version))
            ),
            created_ms=int(found.creation_timestamp),
            metrics=dict(run.data.metrics),
            tags=dict(found.tags),
            run_id=found.run_id,
        )

    @contextmanager
    def _errors(self, version: str | None = None) -> Iterator[None]:
        """`version`: the one that is asked about, where that is all that can be missing."""
        exceptions = _mlflow().exceptions
        try:
            yield
        except exceptions.MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST" or "not found" in str(error):
                if version is not None:
                    raise self._no_version(version) from error
                raise VersionMissing(f"{self.model_name}: {error.message}") from error
            said = f"MLflow at {self.uri} failed: {error.message} Is it up? See `bdp status`."
            raise RegistryUnavailable(said.replace(self._credentials, "")) from error

    def _no_version(self, version: str) -> VersionMissing:
        return VersionMissing(
            f"there is no version {version} of {self.model_name}: `bdp models list` shows those there are"
        )

    @property
    def _credentials(self) -> str:
        """User and password of the URI with their `@`, which no message may show."""
        user, at, _ = urlsplit(self.uri).netloc.rpartition("@")
        return user + at


def _policy_file(policy_version: str) -> str:
    return f"{POLICIES}/{policy_version}.json"


def _ensure_registered(client: Any, name: str) -> None:
    # Not asked for first: of several that ask at once, all would be told that it is not there.
    try:
        client.create_registered_model(
            name, description="Card-fraud ensemble; alias `champion` is what serves."
        )
    except _mlflow().exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@lru_cache(maxsize=1)
def _mlflow() -> Any:
    # MLflow's own default is minutes of retries, which would look like a hang.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    import mlflow

    return mlflow

"""Decisions of a real (tiny) model, and the machine that has its bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations.decision_records.deciders import Deciders
from bdp_assets.scoring.bundle import REGISTRATION, Registration
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction

ROWS, _ = tiny_rows(len(CATALOG.names), rows=60, seed=5)
VERSION = "3"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the registry hands it out."""
    folder = tiny_bundle(tmp_path_factory.mktemp("registry") / VERSION)
    registration = Registration("fraud_ensemble", VERSION)
    (folder / REGISTRATION).write_bytes(msgspec.json.encode(registration))
    return folder


@pytest.fixture(scope="session")
def decided(bundle: Path) -> list[Prediction]:
    """Of one customer, all three decisions."""
    transactions = [transaction(i, 100_000 * (1 + i % 3)) for i in range(len(ROWS))]
    return Decider.load(bundle).decide_many(
        transactions, np.asarray(ROWS), range(len(ROWS)), decided_by="api", decided_at_ms=99
    )


class Machine:
    """Its bundles, and a registry that may have what it lacks; `asked`: which versions it was asked for."""

    def __init__(self, models_dir: Path, registry: Path) -> None:
        self.bundles = LocalBundles(models_dir)
        self.registry = registry
        self.asked: list[str] = []

    def has(self, bundle: Path, name: str = VERSION) -> None:
        self.bundles.models_dir.mkdir(exist_ok=True)
        self.bundles.path(name).symlink_to(bundle)

    @property
    def deciders(self) -> Deciders:
        return Deciders(self.bundles, self._fetch)

    def _fetch(self, version: str) -> Path:
        self.asked.append(version)
        return self.registry / version


@pytest.fixture
def machine(tmp_path: Path, bundle: Path) -> Machine:
    return Machine(tmp_path / "models", bundle.parent)


def changed(records: Sequence[Prediction], **fields: object) -> list[Prediction]:
    return [msgspec.structs.replace(record, **fields) for record in records]

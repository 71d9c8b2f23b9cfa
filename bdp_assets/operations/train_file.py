"""A model from a file: its features are made here, by the engine and the catalog that serve."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from bdp_assets.features.batch import build_features
from bdp_assets.ingest.labelled import labelled
from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets.operations.train_model import Material
from bdp_assets.training.early_labels import History
from bdp_assets.training.protocols import LATEST, Plan
from bdp_assets.training.split import KEY, TrainingData, TrainingError


class LabelledFile(NamedTuple):
    """`label_delay_days`: after how many days labels are known, where the file does not say."""

    transactions: Path
    label_delay_days: int
    mapping: Path | None = None
    labels: Path | None = None

    @property
    def digest(self) -> str:
        """What tells this state of the files from others: `transactions.parquet@0123456789ab`."""
        files = [file for file in (self.transactions, self.mapping, self.labels) if file]
        return " ".join(f"{file.name}@{_sha256(file)[:12]}" for file in files)


def of_file(file: LabelledFile, plan: Plan = LATEST) -> Material:
    """All of the file is history, the rows of the plan's windows are answered.

    Raises HistoryMissing, MappingError, BulkFailed, TrainingError.
    """
    given = load_mapping(file.mapping) if file.mapping else None
    source = HistorySource(file.transactions, given)
    transactions, labels = labelled(source, file.labels, file.label_delay_days)
    if transactions.is_empty():
        raise TrainingError(f"{file.transactions} has no transactions: there is nothing to train on.")
    last_ms = int(transactions["ts_ms"].max())  # type: ignore[arg-type]
    split, cut_ms = plan.windows(last_ms, file.label_delay_days)
    asked = transactions["ts_ms"].is_between(split.train_start_ms, split.test_end_ms, closed="left")
    features = build_features(transactions, labels, only=asked).sort("ts_ms", *KEY)
    data = TrainingData(features, labels, split, cut_ms)
    return Material(data, History(transactions, labels), plan.delay_days(file.label_delay_days), file.digest)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

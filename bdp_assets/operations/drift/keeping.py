"""A model's reference, made as it is trained and kept with it in the registry."""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.registry import Registry
from bdp_assets.contracts.columns import event_date
from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.counting import SCORE
from bdp_assets.monitoring.drift.labels import with_due_labels
from bdp_assets.monitoring.drift.reference import FILE, Reference, decode, encode, reference_of
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training.pipeline import TrainedModel, matrix_of
from bdp_assets.training.split import TrainingData


class NothingToCompare(LookupError):  # noqa: N818 - reads as what it is
    """There is no champion, or it has no reference; the message says what to do."""


def reference_file(data: TrainingData, delay_days: int, trained: TrainedModel) -> bytes:
    """Of all days of a model's data: features up to the cut, scores of rows that it did not learn from, and
    labels of those days whose labels are due."""
    unseen = pl.col("ts_ms") >= data.split.train_end_ms
    rows = data.features.with_columns(event_date("ts_ms"))
    rows = with_due_labels(rows, data.labels, delay_days, data.cut_ms)
    scores = Ensemble.of(trained.bundle).score(matrix_of(rows))
    rows = rows.with_columns(pl.when(unseen).then(pl.Series(scores)).alias(SCORE))
    return encode(reference_of(rows, list(CATALOG.names), CATALOG.version, delay_days))


def champions_reference(registry: Registry) -> tuple[str, Reference]:
    """Version of the champion, and its reference.

    Raises NothingToCompare, ReferenceUnusable, RegistryUnavailable.
    """
    version = registry.champion()
    if version is None:
        raise NothingToCompare(f"{registry.model_name} has no champion yet: train one (`bdp train`)")
    content = registry.document(version, FILE)
    if content is None:
        raise NothingToCompare(
            f"champion {version} was trained before models kept a reference for drift: "
            "train another (`bdp train`)"
        )
    return version, decode(content)

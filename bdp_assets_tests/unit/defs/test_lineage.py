from __future__ import annotations

import dagster as dg
import pytest

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.definitions import defs
from bdp_assets.defs.lineage import KEYS, column_lineage, origin_in_words
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import DOOR, TABLES

FROM_OUTSIDE = {"raw", "labels", "adjustments", "alerts", "corrections"}
OWN = {
    "enriched": {"catalog_version", "apply_seq"},
    "features": set(),
    "validated": set(),
    "quarantined": {"schema_version"},
    "predictions": {
        *("model_name", "model_version", "policy_version", "degraded", "decided_by", "decided_at_ms"),
        *("rules_version", "severity", "list_hits", "decision_without_lists"),
    },
    "scores": {"model_version", "policy_version"},
    "shadow_scores": {"challenger_version", "challenger_policy_version"},
}
"""Columns that say how a row was made, not what of."""


def _lineage(table: str) -> dict[str, list[tuple[str, str]]]:
    names = {dg.AssetKey(key): name for name, key in KEYS.items()}
    found = column_lineage(table)["dagster/column_lineage"].deps_by_column
    return {column: [(names[d.asset_key], d.column_name) for d in deps] for column, deps in found.items()}


@pytest.mark.parametrize("table", sorted(TABLES.keys() - FROM_OUTSIDE))
def test_every_column_that_is_made_of_others_says_of_which(table: str) -> None:
    lineage = _lineage(table)
    unsaid = TABLES[table].keys() - lineage.keys() - {EVENT_DATE, DOOR}
    assert unsaid <= OWN[table], unsaid
    for sources in lineage.values():
        for name, column in sources:
            assert column in TABLES[name], (name, column)


@pytest.mark.parametrize("table", sorted(TABLES.keys() - FROM_OUTSIDE))
def test_columns_come_from_upstream_assets_alone(table: str) -> None:
    specs = {
        spec.metadata["table"]: spec for spec in defs.resolve_all_asset_specs() if "table" in spec.metadata
    }
    upstream = {dep.asset_key for dep in specs[table].deps}
    named = {
        dep.asset_key
        for deps in column_lineage(table)["dagster/column_lineage"].deps_by_column.values()
        for dep in deps
    }
    assert named <= upstream


@pytest.mark.parametrize("table", sorted(FROM_OUTSIDE))
def test_what_comes_from_outside_has_none(table: str) -> None:
    assert column_lineage(table) == {}


def test_columns_tell_where_they_come_from_in_words() -> None:
    told = origin_in_words("features")
    assert told["hour"] == "From clean/enriched_transactions: ts_ms."
    assert told["merchant_fraud_share_30d"] == (
        "From clean/enriched_transactions: merchant_id, ts_ms; raw/labels: is_fraud, known_at_ms."
    )
    assert (
        origin_in_words("scores")["decision"] == f"From features/transactions: {len(CATALOG.names)} columns."
    )
    assert origin_in_words("alerts") == {}


def test_features_of_labels_come_from_labels_and_others_do_not() -> None:
    lineage = _lineage("features")
    assert ("labels", "known_at_ms") in lineage["merchant_fraud_share_30d"]
    assert lineage["hour"] == [("enriched", "ts_ms")]
    assert {source for source, _ in lineage["customer_count_30d"]} == {"enriched"}

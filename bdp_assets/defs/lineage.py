"""Which columns of which tables each column of a table comes from, for Dagster's column lineage.

Columns that keep their name are found by it; what is made anew is said here, features by the catalog.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import dagster as dg

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.origins import origins
from bdp_assets.ingest.tables import DOOR, SOURCE_COLUMNS, TABLES

KEYS: Mapping[str, tuple[str, str]] = {
    "raw": ("raw", "transactions"),
    "labels": ("raw", "labels"),
    "validated": ("clean", "transactions"),
    "enriched": ("clean", "enriched_transactions"),
    "features": ("features", "transactions"),
    "predictions": ("serving", "predictions"),
}
"""Tables that others are made of, and their assets."""

MOST_NAMED = 6
"""Columns that a description of a column names."""

Columns = Mapping[str, tuple[str, ...]]
"""Table -> columns of it."""


class _Making(NamedTuple):
    """`carried`: the table whose columns keep their names; `made`: what others are made of."""

    carried: str | None
    made: Mapping[str, Columns]


_BYTES: Columns = {"raw": ("value", "value_base64")}
_DECISION = ("fraud_probability", "decision", "reasons", "features")
_CHALLENGED = ("challenger_score", "challenger_decision")
_CHAMPION = {
    "champion_score": "fraud_probability",
    "champion_decision": "decision",
    "champion_version": "model_version",
    "champion_policy_version": "policy_version",
}
_REFUSED = ("error", "field", "message", "value_base64", "masked", "pan_hashes")
_REFUSED_PLACE = {"source_topic": "topic", "source_partition": "partition", "source_offset": "offset"}
"""When it was received keeps its name."""
_PLACE = dict(zip(SOURCE_COLUMNS, ("topic", "partition", "offset"), strict=True))


def _all_of(columns: Iterable[str], source: Columns) -> dict[str, Columns]:
    return dict.fromkeys(columns, source)


def _features(transactions: str) -> dict[str, Columns]:
    """Of every feature in the catalog, read from a table of transactions and from labels."""
    labels = {"labels": ("is_fraud", "known_at_ms")}
    return {
        name: {transactions: tuple(sorted(origin.columns)), **(labels if origin.reads_labels else {})}
        for name, origin in origins(CATALOG).items()
    }


@cache
def _makings() -> Mapping[str, _Making]:
    places: dict[str, Columns] = {name: {"raw": (column,)} for name, column in _PLACE.items()}
    refused_places: dict[str, Columns] = {name: {"raw": (column,)} for name, column in _REFUSED_PLACE.items()}
    return {
        "validated": _Making("raw", {**_all_of(TABLES["validated"], _BYTES), **places}),
        "quarantined": _Making("raw", {**_all_of(_REFUSED, _BYTES), **refused_places}),
        "enriched": _Making("validated", _features("validated")),
        "features": _Making("enriched", _features("enriched")),
        "predictions": _Making("enriched", _all_of(_DECISION, {"enriched": CATALOG.names})),
        "scores": _Making("features", _all_of(_DECISION[:2], {"features": CATALOG.names})),
        "shadow_scores": _Making(
            "predictions",
            {
                **_all_of(_CHALLENGED, {"predictions": ("features",)}),
                **{name: {"predictions": (column,)} for name, column in _CHAMPION.items()},
            },
        ),
    }


def column_lineage(table: str) -> dict[str, dg.TableColumnLineage]:
    """Metadata of a materialisation of the table; none for tables that come from outside."""
    found = _of_table(table)
    return {"dagster/column_lineage": dg.TableColumnLineage(found)} if found else {}


def origin_in_words(table: str) -> Mapping[str, str]:
    """Column -> where it comes from, for people: the free version of Dagster draws no lineage of columns."""
    return {column: f"From {_named(deps)}." for column, deps in _of_table(table).items()}


def _of_table(table: str) -> dict[str, list[dg.TableColumnDep]]:
    making = _makings().get(table)
    if making is None:
        return {}
    found = {column: list(_sources(making, column)) for column in TABLES[table]}
    return {column: deps for column, deps in found.items() if deps}


def _named(deps: list[dg.TableColumnDep]) -> str:
    tables: dict[str, list[str]] = {}
    for dep in deps:
        tables.setdefault(dep.asset_key.to_user_string(), []).append(dep.column_name)
    return "; ".join(f"{table}: {_some(columns)}" for table, columns in tables.items())


def _some(columns: list[str]) -> str:
    return ", ".join(columns) if len(columns) <= MOST_NAMED else f"{len(columns)} columns"


def _sources(making: _Making, column: str) -> Iterable[dg.TableColumnDep]:
    made = making.made.get(column)
    if made is None and making.carried is not None and column in TABLES[making.carried]:
        made = {making.carried: (column,)}
    if column in (EVENT_DATE, DOOR):
        made = None  # Each table's own: its day, and the way its rows came.
    for table, columns in (made or {}).items():
        for name in columns:
            yield dg.TableColumnDep(dg.AssetKey(KEYS[table]), name)

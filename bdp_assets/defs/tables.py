"""The lake's tables as assets: their specs, and publishing a frame in them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from bdp_assets.contracts.records import Door
from bdp_assets.defs.lineage import column_lineage, origin_in_words
from bdp_assets.defs.partitions import DAYS
from bdp_assets.defs.presentation import column_schema, markdown_table, preview, row_counts
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.tables import DOOR

PLATFORM_TEAM = "team:data-platform"
MODEL_TEAM = "team:fraud-models"
FROM_HISTORY = f"{DOOR} = '{Door.HISTORY.value}'"
"""Rows that a backfilled day replaces; streamed ones stay."""


def table_spec(  # noqa: PLR0913 - an asset says this much
    key: Sequence[str],
    table: str,
    *,
    replaces: str | None,
    deps: Iterable[Any],
    description: str,
    owner: str = PLATFORM_TEAM,
    kinds: Collection[str] = ("deltalake", "polars"),
    code_version: str | None = None,
    automation_condition: dg.AutomationCondition[Any] | None = None,
    freshness: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    """One table of the lake by day; `replaces` (SQL) are the rows that materialising a day replaces."""
    return dg.AssetSpec(
        key,
        deps=deps,
        description=description,
        owners=[owner],
        kinds=set(kinds),
        partitions_def=DAYS,
        code_version=code_version,
        automation_condition=automation_condition,
        freshness_policy=freshness,
        metadata={
            "dagster/table_name": f"lake.{table}",
            "dagster/column_schema": column_schema(table, origin_in_words(table)),
            "table": table,
            "replaces": replaces,
        },
    ).with_io_manager_key("tables")


def schema_check(spec: dg.AssetSpec) -> dg.AssetCheckSpec:
    """The audit of what is about to be written; nothing is, when it fails."""
    return dg.AssetCheckSpec(
        f"{spec.key.path[-1]}_schema",
        asset=spec.key,
        blocking=True,
        description="Columns, types, ranges, event dates and keys are as the contract says (Pandera).",
    )


def publish(
    context: dg.AssetExecutionContext,
    spec: dg.AssetSpec,
    frame: pl.DataFrame,
    metadata: Mapping[str, Any] | None = None,
    checks: Iterable[dg.AssetCheckResult] = (),
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[pl.DataFrame]]:
    """Audit the frame, then let the IO manager write it. Raises dagster.Failure, and nothing is written.

    Args:
        checks: other verdicts on what is written. One that came before its materialisation would be kept as
            one on the materialisation of before.
    """
    context.log.info("check and write %s rows", f"{len(frame):,}")
    failures = audit(spec.metadata["table"], frame)
    result = schema_result(spec, len(frame), failures)
    if not failures.is_empty():
        yield from (result, *checks)
        faults = "; ".join(
            f"{column} {check} ({rows} rows)" for check, column, rows, _ in failures.iter_rows()
        )
        raise dg.Failure(f"{spec.key.to_user_string()} is not published, it breaks its contract: {faults}")
    for day, counts in row_counts(frame).items():
        context.add_asset_metadata(counts, asset_key=spec.key, partition_key=day)
    yield dg.MaterializeResult(
        asset_key=spec.key,
        value=frame,
        check_results=[result, *checks],
        metadata={"preview": preview(frame), **column_lineage(spec.metadata["table"]), **(metadata or {})},
    )


def schema_result(spec: dg.AssetSpec, rows: int, failures: pl.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.key,
        check_name=schema_check(spec).name,
        passed=failures.is_empty(),
        metadata={"rows": rows, "failures": markdown_table(failures)},
    )

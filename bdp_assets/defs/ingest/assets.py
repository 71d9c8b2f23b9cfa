"""The history door of raw data: days of a file become rows of the lake. The live door is `landing.py`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.defs.freshness import LIVE
from bdp_assets.defs.partitions import ONE_RUN, days_of
from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import FROM_HISTORY, publish, schema_check, table_spec
from bdp_assets.defs.topics import corrections, history_file, topic_key
from bdp_assets.ingest import files
from bdp_assets.ingest.corrections import CORRECTED
from bdp_assets.ingest.source import HistorySource
from bdp_assets.pan_key import pan_key
from bdp_assets.resources.lake import LakeResource
from bdp_assets.settings import get_settings

RAW = table_spec(
    ["raw", "transactions"],
    "raw",
    replaces=FROM_HISTORY,
    deps=[history_file, corrections, topic_key(topics.RAW)],
    description="Transactions as they travelled, unchecked. A backfilled day replaces what came from the "
    "file and from released corrections; streamed rows stand under the day on which they were received.",
    freshness=LIVE,
)
LABELS = table_spec(
    ["raw", "labels"],
    "labels",
    replaces=FROM_HISTORY,
    deps=[history_file, topic_key(topics.LABELS)],
    description="What became known of transactions, chargebacks and their reversals, by the day it became "
    "known.",
)


ADJUSTMENTS = table_spec(
    ["raw", "adjustments"],
    "adjustments",
    replaces=None,
    deps=[topic_key(topics.ADJUSTMENTS)],
    description="Refunds and reversals, by the day they happened. They are no transactions: "
    "nothing is scored or counted by them. Only the live door writes here.",
    kinds={"deltalake"},
)


@dg.multi_asset(specs=[RAW], check_specs=[schema_check(RAW)], backfill_policy=ONE_RUN)
@retried
def raw_transactions(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    source = _source(context)
    key = pan_key(get_settings())
    rows = files.raw_rows(source, lake.open(), *days_of(context), pan_key=key)
    corrected = rows.filter(topic=CORRECTED).height
    yield from publish(context, RAW, rows, {**_origin(source), "corrected rows": corrected})


@dg.multi_asset(specs=[LABELS], check_specs=[schema_check(LABELS)], backfill_policy=ONE_RUN)
@retried
def raw_labels(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    source = _source(context)
    yield from publish(
        context, LABELS, files.label_rows(source, lake.open(), *days_of(context)), _origin(source)
    )


def _source(context: dg.AssetExecutionContext) -> HistorySource | None:
    source = files.source_of(get_settings())
    context.log.info("read %s", source.file.name if source else "the lake: there is no history file")
    return source


def _origin(source: HistorySource | None) -> dict[str, str]:
    if source is None:
        return {"source": "No history file, so what the lake has stays. `bdp simulate history` makes one."}
    return {"source": str(source.file)}

"""The one way for frames into and out of the lake: an asset's table by day, each day replaced as a whole."""

from datetime import date

import dagster as dg
import polars as pl

from bdp_assets.clients.lake import PARTITION_COLUMN, Lake
from bdp_assets.ingest.erased import admission
from bdp_assets.ingest.tables import rows
from bdp_assets.settings import get_settings


class DeltaIOManager(dg.ConfigurableIOManager):
    """Stores the frame of an asset in the Delta table that its metadata names as `table`.

    A materialisation replaces, of the days it is for, the rows that match the asset's `replaces` (all when
    there is none): rows that came by another door stay. Those of customers who were erased are left out,
    whatever the source still says. An input reads the files of its days only.
    """

    def handle_output(self, context: dg.OutputContext, frame: pl.DataFrame) -> None:
        metadata = context.definition_metadata
        predicate = " AND ".join(filter(None, [_days(context), metadata["replaces"]]))
        lake = _lake()
        version = lake.replace(metadata["table"], frame, predicate, admission(get_settings(), lake))
        context.add_output_metadata({"rows written": len(frame), "table version": version})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        upstream = context.upstream_output
        if upstream is None:
            raise dg.DagsterInvariantViolationError("The Delta IO manager loads assets only.")
        keys = context.asset_partition_key_range
        days = (date.fromisoformat(keys.start), date.fromisoformat(keys.end))
        return rows(_lake(), upstream.definition_metadata["table"], dates=days)


def _lake() -> Lake:
    return Lake.of(get_settings())


def _days(context: dg.OutputContext) -> str:
    keys = context.asset_partition_key_range
    return f"{PARTITION_COLUMN} >= '{keys.start}' AND {PARTITION_COLUMN} <= '{keys.end}'"

"""Declared sources (`sources/*.yaml` in BDP_HOME), an asset each: materialised, it sends what is new."""

from collections.abc import Sequence

import dagster as dg

from bdp_assets.defs.retries import retried
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.entry import Source, load_all
from bdp_assets.operations.progress import Bar
from bdp_assets.settings import get_settings


def source_key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["sources", name])


def source_assets() -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Of every entry; one that can not be used says why, and keeps nothing else from loading."""
    found = load_all(get_settings())
    return [
        _asset(source) if isinstance(source, Source) else _broken(name, source)
        for name, source in found.items()
    ]


def _broken(name: str, error: MappingError) -> dg.AssetSpec:
    return dg.AssetSpec(
        source_key(name), description=f"This entry can not be used. {error}", owners=[PLATFORM_TEAM]
    )


def _asset(source: Source) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        source_key(source.name),
        description=f"Transactions of {source.where}. Materialised, it sends what is new since the last time "
        "to the raw topic, each row once, as `bdp ingest` does.",
        owners=[PLATFORM_TEAM],
        kinds={source.kind},
        metadata={"where": source.where, "rows a batch": source.batch_rows},
    )

    @dg.multi_asset(specs=[spec], name=f"ingest_{source.name}")
    @retried
    def ingest(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from bdp_assets.operations.ingest import run

        summary = run.Summary()
        run.once(get_settings(), source.name, _Log(context), summary)
        rejected = dict(summary.rejected)
        return dg.MaterializeResult(
            asset_key=spec.key,
            metadata={
                "read": summary.read,
                "sent": summary.sent,
                "labels sent": summary.labels,
                "rejected": dg.MetadataValue.json(rejected),
            },
        )

    return ingest


class _Log:
    """Progress for the run's log: a line when another file begins."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._doing = ""

    def line(self, text: str) -> None:
        self._context.log.info("%s", text)

    def bars(self, bars: Sequence[Bar]) -> None:
        for bar in bars:
            if bar.doing != self._doing:
                self._doing = bar.doing
                self.line(f"{bar.name} {bar.doing}: {bar.done:,} rows so far")

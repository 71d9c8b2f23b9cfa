"""`bdp score`: fraud probabilities and decisions for whole files."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

import typer

from bdp_assets.cli.features import Engine, EngineName, Input, Labels, Mapping, Output, Rows

app = typer.Typer()
Features = Annotated[bool, typer.Option("--features", help="INPUT is what `bdp features build` wrote.")]
Model = Annotated[
    str | None, typer.Option(help="A version that is here, or a bundle's folder; default: the champion.")
]


@app.command()
def score(
    input_: Input,
    output: Output,
    labels: Labels = None,
    mapping: Mapping = None,
    features: Features = False,
    model: Model = None,
    engine: Engine = EngineName.local,
    rows_per_bucket: Rows = None,
) -> None:
    """Score every transaction of a file or the lake with the champion, in order, whatever its size.

    The output has a row for each of the input: its keys, fraud_probability, the policy's decision (rules are
    not asked), and the versions of model, policy and feature catalog.
    """
    from pathlib import Path

    from bdp_assets.cli.progress import steps_with_counts
    from bdp_assets.cli.score_lines import written
    from bdp_assets.decisions.decider import Decider
    from bdp_assets.operations import feature_files, score_files
    from bdp_assets.scoring.local_bundles import LocalBundles
    from bdp_assets.settings import get_settings

    if features and (labels or mapping):
        raise typer.BadParameter("features have their labels and names already", param_hint="--features")
    settings = get_settings()
    with _told(), steps_with_counts() as progress:
        decider = Decider.load(LocalBundles(settings.models_dir).find(model))
        if features:
            done = score_files.score_features(Path(input_), output, decider, progress)
        else:
            sources = feature_files.Sources(input_, labels, mapping)
            work = feature_files.Work(engine.value, rows_per_bucket, progress)
            history = sources.history(settings)
            if feature_files.unlabelled(history, feature_files.CATALOGS[sources.catalog]):
                typer.echo("No labels: nothing is known to be fraud, and features say so.", err=True)
            done = score_files.score_transactions(settings, sources, history, output, decider, work)
    typer.echo(written(done, decider.info.version, output))


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.lake import TableMissing
    from bdp_assets.clients.ray import RayMissing
    from bdp_assets.features.bulk.failures import BulkFailed
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.source import HistoryMissing
    from bdp_assets.scoring.bundle import BundleError

    return told(BulkFailed, MappingError, HistoryMissing, TableMissing, RayMissing, BundleError)

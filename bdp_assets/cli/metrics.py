"""`bdp metrics ...`: what is measured, and the exporter."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Metrics: what they are, and the exporter that shows some.")


@app.command()
def page() -> None:
    """Print docs/metrics.md: every metric with type, unit, labels and meaning."""
    from bdp_assets.cli.metric_tables import page
    from bdp_assets.operations import metric_catalog

    typer.echo(page(metric_catalog.metrics()), nl=False)


@app.command()
def serve() -> None:
    """Show metrics of Kafka, lake, online store, warehouse, Dagster and disk, until SIGTERM or Ctrl+C."""
    import signal
    from threading import Event

    from bdp_assets.observability.logging import configure
    from bdp_assets.operations import exporter
    from bdp_assets.settings import get_settings

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    configure("exporter")
    exporter.serve(get_settings(), stop)

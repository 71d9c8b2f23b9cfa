"""`bdp sources list | test | forget`: where transactions are read from, and what of them would arrive."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Sources: files and tables that transactions are read from.")

Name = Annotated[str, typer.Argument(help="Of the source: its entry is NAME.yaml.")]


@app.command("list")
def list_sources() -> None:
    """Show every source, and what is wrong with those that can not be used; exit code 1 if there is one."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.source_tables import sources_table
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.ingest.sources import entry
    from bdp_assets.settings import get_settings

    settings = get_settings()
    found = entry.load_all(settings)
    if not found:
        typer.echo(f"No sources in {entry.folder(settings)}. Copy {entry.EXAMPLE} there and adapt it.")
        return
    show(sources_table(found), markup=False)
    wrong = [source for source in found.values() if isinstance(source, MappingError)]
    for error in wrong:
        typer.secho(str(error), fg="red", err=True)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def test(
    name: Name,
    most: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many rows.")] = 10,
) -> None:
    """Show the first rows as they would arrive, and why others would not; nothing is sent."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.source_tables import preview_table
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.source_database import SourceRefused, SourceUnavailable
    from bdp_assets.ingest.mapping import MappingError
    from bdp_assets.operations.source_preview import preview
    from bdp_assets.pan_key import PanKeyMissing, pan_key
    from bdp_assets.settings import get_settings

    away = (SourceRefused, SourceUnavailable, KafkaUnavailable, KafkaRefused)
    with told(MappingError, PanKeyMissing, *away):
        settings = get_settings()
        show(preview_table(preview(settings, name, most), pan_key(settings)), markup=False)


@app.command()
def forget(name: Name) -> None:
    """Forget how far a source was read: all of it is sent again, and what was sent before is a duplicate."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations.ingest import run
    from bdp_assets.settings import get_settings

    with told(WarehouseUnavailable):
        parts = run.forget(get_settings(), name)
    typer.echo(f"Forgot how far {parts} files or tables of {name} were read.")

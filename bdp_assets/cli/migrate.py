"""`bdp migrate`: bring the warehouse's tables to what this version of the code expects."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Create or upgrade the warehouse's tables in PostgreSQL."""
    from bdp_assets.operations.migrations import upgrade
    from bdp_assets.settings import get_settings

    typer.echo(f"The warehouse is at revision {upgrade(get_settings()).current}.")

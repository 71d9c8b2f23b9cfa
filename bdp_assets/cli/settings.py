"""`bdp settings`: every setting, its value and its variable."""

from __future__ import annotations

import typer

app = typer.Typer()


@app.command("settings")
def show(
    env_example: bool = typer.Option(False, help="Print the file .env.example: all variables, defaults."),
) -> None:
    """Show every setting with its value; all are set by environment variables or a file `.env`."""
    from rich.table import Table

    from bdp_assets.cli.display import show
    from bdp_assets.settings import get_settings, variables

    if env_example:
        typer.echo("# Copy to .env and change what you need. Printed by `bdp settings --env-example`.")
        for variable in variables():
            typer.echo(f"\n# {variable.description}\n# {variable.name}={variable.default}")
        return
    settings = get_settings()
    table = Table("variable", "value", "meaning", title="Settings")
    for variable in variables():
        table.add_row(variable.name, variable.shown(settings), variable.description)
    show(table)

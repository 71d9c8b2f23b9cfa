"""`bdp bench`: how fast we are, against a floor and peers, on this machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="Which bench; --list shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all benches.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Show the benches and what they measure.")] = False,
    data: Annotated[Path | None, typer.Option(help="File in place of a bench's own data.")] = None,
    folds: Annotated[
        str, typer.Option(help="First training days (YYYY-MM-DD,...) of the model bench.", show_default=False)
    ] = "",
    repeats: Annotated[int | None, typer.Option(min=1, help="Rounds; each side runs once in each.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for a JSON file each and a page of all.")
    ] = None,
) -> None:
    """Measure our path, its floor and its peers in one run; the last line is one JSON object.

    A missed goal is a result, not an error: it stands in the JSON, and the exit code is 0.
    """
    from bdp_assets.cli.steps import steps
    from bdp_assets.operations.benches import benches

    if listing:
        for known, summary in benches("registry").listed().items():
            typer.echo(f"{known:<10} {summary}")
        return
    if every == bool(name):
        raise typer.BadParameter("name one bench, or write --all", param_hint="NAME")
    names = list(benches("registry").BENCHES) if every else [name]
    with steps() as say:
        request = benches("bench").Request(data=data, folds=_days(folds), repeats=repeats, say=say)
        for report in benches("suite").run(names, request, output):
            typer.echo(report)


def _days(text: str) -> tuple[date, ...]:
    try:
        return tuple(date.fromisoformat(day.strip()) for day in text.split(",") if day.strip())
    except ValueError as error:
        raise typer.BadParameter(
            "write days as YYYY-MM-DD, with commas between", param_hint="--folds"
        ) from error

"""`bdp bento build | list`: the API and its model as one artifact."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The API and its model as one artifact.")


def _bento_file(path: Path | None) -> Path | None:
    """Looked at before a build, which takes its time; BentoML takes the format from the name."""
    if path is not None and path.suffix != ".bento":
        raise typer.BadParameter("the file's name must end in .bento")
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter("there is no such folder: make it, or name another")
    return path


@app.command()
def build(
    output: Annotated[
        Path | None,
        typer.Option(help="Write it into this file (*.bento), too.", callback=_bento_file, dir_okay=False),
    ] = None,
) -> None:
    """Build the champion's Bento, in the place of an older one of the same model version."""
    from bdp_assets.operations import bento_build
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with _told():
        built = bento_build.build(settings)
        typer.echo(f"{built.tag} ({built.size_bytes:,} bytes) is in {built.folder}")
        if output is not None:
            bento_build.export(settings, built, output)
            typer.echo(f"{output}: `bentoml import` takes it, `bentoml serve {built.tag}` serves it.")


@app.command("list")
def list_bentos() -> None:
    """Show the Bentos on this machine, the newest first."""
    from bdp_assets.cli.bento_table import listed
    from bdp_assets.cli.display import show
    from bdp_assets.operations.bento_build import bentos
    from bdp_assets.settings import get_settings

    show(listed(bentos(get_settings())))


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.operations.bento_build import BentoFailed
    from bdp_assets.scoring.bundle import BundleError

    return told(BundleError, BentoFailed)

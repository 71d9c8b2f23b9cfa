"""`bdp models ...`: registered models, and which of them serves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(no_args_is_help=True, help="Registered models, and which of them serves.")
Version = Annotated[str, typer.Argument(help="A version, as `bdp models list` shows them.")]
RESTART = "The API and the stream take it up with `bdp restart api` and `bdp restart scoring`."


@app.command("list")
def list_models() -> None:
    """Show all versions with their aliases and metrics, the newest first."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.settings import get_settings
    from bdp_assets.training.versions import as_table

    with _told():
        _print(as_table(Registry.of(get_settings()).versions()))


@app.command()
def show(version: Version) -> None:
    """Show what one version is: metrics, tags, aliases."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.settings import get_settings
    from bdp_assets.training.versions import as_card

    with _told():
        _print(as_card(Registry.of(get_settings()).version(version)))


@app.command()
def use(version: Version) -> None:
    """Make a version the champion, and bring it to this machine."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.scoring.local_bundles import LocalBundles
    from bdp_assets.settings import get_settings
    from bdp_assets.training.release import make_champion

    settings = get_settings()
    with _told():
        make_champion(Registry.of(settings), LocalBundles(settings.models_dir), version)
    typer.echo(f"Version {version} is champion. {RESTART}")


@app.command()
def rollback() -> None:
    """Make the version that the champion replaced champion again, and bring it to this machine."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.scoring.local_bundles import LocalBundles
    from bdp_assets.settings import get_settings
    from bdp_assets.training.release import roll_back

    settings = get_settings()
    with _told():
        version = roll_back(Registry.of(settings), LocalBundles(settings.models_dir))
    typer.echo(f"Version {version} is champion again. {RESTART}")


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.registry import RegistryUnavailable, VersionMissing
    from bdp_assets.scoring.bundle import BundleError

    return told(RegistryUnavailable, VersionMissing, BundleError)


def _print(what: RenderableType) -> None:
    from bdp_assets.cli import display

    display.show(what)

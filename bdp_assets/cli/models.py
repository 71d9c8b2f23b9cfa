"""`bdp models ...`: registered models, and which of them serves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(no_args_is_help=True, help="Registered models, and which of them serves.")
Version = Annotated[str, typer.Argument(help="A version, as `bdp models list` shows them.")]
TAKEN_UP = "API and stream take it up by themselves within seconds; `/health` says what the API serves with."


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
def compare(
    version: Version,
    other: Annotated[str | None, typer.Argument(help="Another version; by default the champion.")] = None,
) -> None:
    """Show two versions on the lake's latest matured labels: figures, differences, 95% intervals."""
    from bdp_assets.cli.model_tables import contested
    from bdp_assets.operations.promotion import compare as compared
    from bdp_assets.settings import get_settings

    with _told():
        _print(contested(compared(get_settings(), version, other)))


@app.command()
def shadow(
    days: Annotated[int, typer.Option(min=1, help="The latest days of live decisions.")] = 28,
) -> None:
    """Show what the challenger would have decided of live traffic, beside what was decided."""
    from bdp_assets.cli.shadow_tables import shadowed
    from bdp_assets.operations.shadow.challenger import NoChallenger, OtherFeatures, challenger
    from bdp_assets.operations.shadow.comparison import NothingCompared, compare_shadow
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with _told(NoChallenger, OtherFeatures, NothingCompared):
        _print(shadowed(compare_shadow(settings, challenger(settings).info, days)))


@app.command()
def promote(
    version: Version,
    force: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Do not ask the gates; the version keeps the reason as a tag."),
    ] = None,
) -> None:
    """Make a version the champion if it passes all gates, and bring it to this machine."""
    from bdp_assets.cli.model_tables import gates_table
    from bdp_assets.operations.promotion import promote as promoted
    from bdp_assets.settings import get_settings

    with _told():
        gates = promoted(get_settings(), version, force=force)
    if gates:
        _print(gates_table(gates))
    typer.echo(f"Version {version} is champion. {TAKEN_UP}")


@app.command()
def use(version: Version) -> None:
    """Make a version the champion without asking the gates: short for `promote --force`."""
    from bdp_assets.operations.promotion import BY_HAND

    promote(version, BY_HAND)


@app.command()
def fetch(
    version: Annotated[str | None, typer.Argument(help="A version; by default the champion.")] = None,
) -> None:
    """Have this machine serve the registry's champion, or a version; the registry stays as it is."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.scoring.local_bundles import LocalBundles
    from bdp_assets.settings import get_settings
    from bdp_assets.training.champions import serve_champion, serve_version

    settings = get_settings()
    registry, bundles = Registry.of(settings), LocalBundles(settings.models_dir)
    with _told():
        if version is None:
            version = serve_champion(registry, bundles)
        else:
            serve_version(registry, bundles, version)
    typer.echo(f"Version {version} is on this machine. {TAKEN_UP}")


@app.command()
def rollback() -> None:
    """Make the version that the champion replaced champion again, and bring it to this machine."""
    from bdp_assets.clients.registry import Registry
    from bdp_assets.scoring.local_bundles import LocalBundles
    from bdp_assets.settings import get_settings
    from bdp_assets.training.champions import roll_back

    settings = get_settings()
    with _told():
        version = roll_back(Registry.of(settings), LocalBundles(settings.models_dir))
    typer.echo(f"Version {version} is champion again. {TAKEN_UP}")


def _told(*others: type[Exception]) -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.registry import RegistryUnavailable, VersionMissing
    from bdp_assets.operations.promotion import NotPromoted
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.training.split import TrainingError

    return told(RegistryUnavailable, VersionMissing, BundleError, NotPromoted, TrainingError, *others)


def _print(what: RenderableType) -> None:
    from bdp_assets.cli import display

    display.show(what)

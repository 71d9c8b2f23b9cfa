"""`bdp keys create | list | rotate | revoke`: who may call the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bento.access.issuing import Issued
    from bento.access.keys import Keys

app = typer.Typer(no_args_is_help=True, help="Keys of the API: who may call it, for what, how often.")
Name = Annotated[str, typer.Argument(help="The key's name, for people.")]


@app.command()
def create(
    name: Name,
    scope: Annotated[list[str], typer.Option(help="What it is good for: predict, label, admin.")],
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days that it is good; default: until revoked.")
    ] = None,
    rate_per_s: Annotated[
        int | None,
        typer.Option(
            min=0, max=1_000_000, help="Transactions a second; 0: any number; default: BDP_API_RATE_PER_S."
        ),
    ] = None,
) -> None:
    """Make a key and show it, once: only its hash is kept."""
    from bento.access import issuing
    from bento.access.scopes import Scope

    if unknown := set(scope) - set(Scope):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there is {', '.join(Scope)}.")
    scopes = [Scope(one) for one in scope]
    wish = issuing.Wish(name=name, scopes=scopes, expires_days=expires_days, rate_per_s=rate_per_s)
    _issue(lambda keys, now_ms: issuing.create(keys, wish, now_ms))


@app.command("list")
def list_keys() -> None:
    """Show every key: what it is good for, how long, how often; never its secret."""
    import time

    from bdp_assets.cli.display import show
    from bdp_assets.cli.key_table import listed
    from bdp_assets.settings import get_settings
    from bento.access.file import load

    with _told():
        show(listed(load(get_settings().keys_file), time.time_ns() // 1_000_000))


@app.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=8_760, help="Hours that the old secret works on; 0: none.")
    ] = 24,
) -> None:
    """Give a key a new secret and show it, once; the old one works on for the overlap."""
    from bento.access import issuing

    _issue(lambda keys, now_ms: issuing.rotate(keys, name, overlap_hours, now_ms))


@app.command()
def revoke(name: Name) -> None:
    """End a key: running API processes refuse it within about a second."""
    from bdp_assets.settings import get_settings
    from bento.access import issuing
    from bento.access.file import change

    with _told():
        change(get_settings().keys_file, lambda keys: (issuing.revoke(keys, name), None))
    typer.echo(f"{name} is revoked.")


def _issue(how: Callable[[Keys, int], Issued]) -> None:
    import time

    from bdp_assets.settings import get_settings
    from bento.access.file import issue

    with _told():
        shown = issue(get_settings().keys_file, lambda keys: how(keys, time.time_ns() // 1_000_000))
    typer.echo("Keep it now, it is not shown again:", err=True)
    typer.echo(shown)


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bento.access.file import KeyFileError
    from bento.access.issuing import KeyRefused

    return told(KeyFileError, KeyRefused)

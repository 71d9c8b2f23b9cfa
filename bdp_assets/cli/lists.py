"""`bdp lists add | remove | show | audit | publish`: who is always declined, who always approved."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Allow and block lists: customers, merchants, devices.")

_List = Annotated[str, typer.Argument(metavar="block|allow", show_default=False)]
_Kind = Annotated[str, typer.Argument(metavar="customer|merchant|device", show_default=False)]
_Id = Annotated[str, typer.Argument(metavar="ID", show_default=False)]
_Reason = Annotated[str, typer.Option(help="Why; kept in the audit for good.")]
_By = Annotated[str | None, typer.Option(help="Who asks for it; default: the user of this machine.")]
_Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command()
def add(
    list_: _List,
    kind: _Kind,
    id_: _Id,
    reason: _Reason,
    expires: Annotated[
        str | None, typer.Option(metavar="30d|DATE", help="12h, 30d, or a day; default: until removed.")
    ] = None,
    by: _By = None,
) -> None:
    """List one customer, merchant or device: the API and the stream know it within seconds."""
    from datetime import UTC, datetime

    from bdp_assets.operations.lists import changes
    from bdp_assets.operations.lists.wishes import Place, Why, expiry
    from bdp_assets.settings import get_settings

    place, ends = Place.of(list_, kind, id_), expiry(expires, datetime.now(UTC))
    with _told():
        entry_id = changes.add(get_settings(), place, Why(reason, by or _user()), ends)
    until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "until it is removed"
    typer.echo(f"Entry {entry_id} of the {place.list} list is in force {until}.")


@app.command()
def remove(list_: _List, kind: _Kind, id_: _Id, reason: _Reason, by: _By = None) -> None:
    """Take one customer, merchant or device off a list."""
    from bdp_assets.operations.lists import changes
    from bdp_assets.operations.lists.wishes import Place, Why
    from bdp_assets.settings import get_settings

    place = Place.of(list_, kind, id_)
    with _told():
        entry_id = changes.remove(get_settings(), place, Why(reason, by or _user()))
    typer.echo(f"Entry {entry_id} of the {place.list} list is removed.")


@app.command()
def show(
    all_: Annotated[bool, typer.Option("--all", help="Also what was removed or has ended.")] = False,
    as_json: _Json = False,
) -> None:
    """Show who is listed, why, by whom, and until when."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.list_tables import entry_table
    from bdp_assets.operations.lists import changes
    from bdp_assets.settings import get_settings

    with _told():
        found = [one for one in changes.entries(get_settings()) if all_ or one.is_in_force]
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        shown(entry_table(found))


@app.command()
def audit(as_json: _Json = False) -> None:
    """Show every change of the lists: who did what, when, and why."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.list_tables import audit_table
    from bdp_assets.operations.lists import changes
    from bdp_assets.settings import get_settings

    with _told():
        found = changes.audit(get_settings())
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        shown(audit_table(found))


@app.command()
def publish() -> None:
    """Tell the API and the stream again what is listed, after the online store was away during a change."""
    from bdp_assets.operations.lists import changes
    from bdp_assets.settings import get_settings

    with _told():
        lists = changes.publish_lists(get_settings())
    typer.echo(f"{len(lists.entries):,} entries are published.")


def _user() -> str:
    import getpass

    return getpass.getuser()


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.clients.redis import StoreUnavailable

    return told(WarehouseUnavailable, StoreUnavailable)

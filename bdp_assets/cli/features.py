"""`bdp features ...`: what the features are, what the online store knows, and filling it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Features: what they are, and what the online store holds.")


@app.command()
def describe(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As in docs/feature-catalog.md.")] = False,
) -> None:
    """Show every feature: its definition, unit and meaning."""
    import json

    from bdp_assets.cli.display import show
    from bdp_assets.cli.feature_tables import described, page
    from bdp_assets.features.catalog import CATALOG

    if as_json:
        typer.echo(json.dumps({"version": CATALOG.version, "features": CATALOG.describe()}))
    elif as_markdown:
        typer.echo(page(CATALOG), nl=False)
    else:
        show(described(CATALOG))


@app.command()
def get(
    entity: Annotated[str, typer.Argument(help="customer, merchant, or another entity of the catalog")],
    identifier: Annotated[str, typer.Argument(help="Its id.")],
    at: Annotated[
        datetime | None,
        typer.Option(help="For a transaction at this time (UTC); by default when the newest event counts."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="How many stored events or tiles to show.")] = 10,
) -> None:
    """Show the window features of a customer or merchant, and the state behind them."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.feature_tables import stored, valued
    from bdp_assets.clients.redis import StoreUnavailable, connect
    from bdp_assets.features import lookup
    from bdp_assets.features.online import OnlineStore
    from bdp_assets.settings import get_settings

    at_ms = None if at is None else int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
    with told(StoreUnavailable, lookup.UnknownEntity):
        known = lookup.look_up(OnlineStore(connect(get_settings())), entity, identifier, at_ms)
    if known is None:
        typer.secho(f"The online store knows no {entity} of this id.", fg="red", err=True)
        raise typer.Exit(1)
    show(valued(known))
    for table in stored(known, last):
        show(table)


@app.command("rebuild-online")
def rebuild_online() -> None:
    """Fill the online store from the lake. Stop the stream workers and the API first."""
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.lake import Lake
    from bdp_assets.clients.redis import StoreUnavailable
    from bdp_assets.operations.rebuild_store import rebuild_store
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with told(StoreUnavailable):
        result, _ = rebuild_store(settings, Lake(settings.lake))
    typer.echo(
        f"{result.events:,} events of {result.customers:,} customers and {result.tiles:,} tiles of "
        f"{result.merchants:,} merchants written in {result.seconds:.1f} s"
    )

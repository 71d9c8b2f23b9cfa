"""`bdp decisions show | adjustments | replay`: what was decided, what took it back, and deciding it again."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Decision records: what was decided, and deciding it again.")

_Customer = Annotated[str | None, typer.Option(help="Whose it is; the online store is asked only then.")]
_Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command()
def show(
    transaction_id: Annotated[str, typer.Argument(help="The transaction.")],
    customer: _Customer = None,
    as_json: _Json = False,
) -> None:
    """Show a decision with its features, from the online store, the warehouse or the lake; and refunds."""
    import msgspec

    from bdp_assets.cli import display
    from bdp_assets.cli.decision_tables import shown, taken_back
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations.decision_records.adjustments import adjustments_of
    from bdp_assets.operations.decision_records.finding import DecisionUnknown, Wanted, find
    from bdp_assets.settings import get_settings

    settings = get_settings()
    with told(DecisionUnknown):
        found = find(settings, Wanted(transaction_id, customer))
    try:
        adjusted = adjustments_of(settings, Wanted(transaction_id, found.record.customer_id))
    except WarehouseUnavailable as away:
        typer.secho(f"Whether it was refunded is not known: {away}", fg="yellow", err=True)
        adjusted = None
    if as_json:
        told_ = {"where": found.where, "record": found.record, "adjustments": adjusted}
        typer.echo(msgspec.json.encode(told_))
        return
    display.show(shown(found))
    if adjusted:
        display.show(taken_back(adjusted))


@app.command()
def adjustments(
    limit: Annotated[int, typer.Option(min=1, help="The latest so many.")] = 100,
    as_json: _Json = False,
) -> None:
    """Show refunds and reversals whose transaction nobody knows: it never came, or did not land yet."""
    import msgspec

    from bdp_assets.cli import display
    from bdp_assets.cli.decision_tables import taken_back
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations.decision_records.adjustments import of_unknown_originals
    from bdp_assets.settings import get_settings

    with told(WarehouseUnavailable):
        found = of_unknown_originals(get_settings(), limit)
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        display.show(taken_back(found))


@app.command()
def replay(
    transaction_id: Annotated[str | None, typer.Argument(help="The transaction.")] = None,
    customer: _Customer = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Instead: so many of the lake's decisions.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Of so many of the latest days that have any.")] = 7,
    as_json: _Json = False,
) -> None:
    """Decide again from the record alone, and compare bit for bit; exit code 1 where one differs.

    With the model, the policy and the rules that the record names.
    """
    import msgspec

    from bdp_assets.cli import display
    from bdp_assets.cli.decision_tables import as_objects, replayed_parts
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.lake import Lake
    from bdp_assets.operations.decision_records.finding import DecisionUnknown, Wanted
    from bdp_assets.operations.decision_records.replay import Outcome, replay_one, replay_sample
    from bdp_assets.settings import get_settings

    if (transaction_id is None) is (sample is None):
        raise typer.BadParameter("name a transaction, or say --sample N")
    settings = get_settings()
    with told(DecisionUnknown):
        if transaction_id is not None:
            replayed = replay_one(settings, Wanted(transaction_id, customer))
        else:
            replayed = replay_sample(settings, Lake.of(settings), sample or 0, days)
    if as_json:
        typer.echo(msgspec.json.encode(as_objects(replayed)))
    else:
        for part in replayed_parts(replayed):
            display.show(part)
    raise typer.Exit(1 if any(one.outcome is Outcome.DIFFERENT for one in replayed) else 0)

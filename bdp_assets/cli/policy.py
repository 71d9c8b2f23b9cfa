"""`bdp policy show | tune | backtest | use`: how a fraud probability becomes a decision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

import typer

from bdp_assets.cli.models import TAKEN_UP

app = typer.Typer(no_args_is_help=True, help="Approve, review or decline: the policy beside the model.")

DAYS = 28
MOST_REVIEWS = 1_000_000


def _money(text: str) -> int:
    """A decimal text as minor units, exactly."""
    from bdp_assets.contracts.money import base_minor_units

    try:
        return base_minor_units(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


_Days = Annotated[
    int, typer.Option("--days", min=1, help="Days to look at: the last whose labels are due, after training.")
]
_Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]
_AS_IT_IS = "default: as the policy that serves has it, at first"


@app.command()
def show(
    version: Annotated[
        str | None,
        typer.Option("--version", help="Another of the model's policies than the one that serves."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show the policy that serves: what it says, for which costs, since when, and who tuned it."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.policy_tables import described
    from bdp_assets.operations.policies import show_policy
    from bdp_assets.settings import get_settings

    with _told():
        found = show_policy(get_settings(), version)
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        shown(described(found))


@app.command()
def tune(
    review_cost: Annotated[
        int | None, typer.Option(parser=_money, metavar="AMOUNT", help=f"One review; {_AS_IT_IS} 5.00.")
    ] = None,
    false_decline_cost: Annotated[
        int | None,
        typer.Option(parser=_money, metavar="AMOUNT", help=f"One good customer declined; {_AS_IT_IS} 30.00."),
    ] = None,
    reviews_per_day: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_REVIEWS, help=f"What the reviewers have time for; {_AS_IT_IS} 100."),
    ] = None,
    days: _Days = DAYS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be, and change nothing.")
    ] = False,
) -> None:
    """Tune the policy anew, without training, show it beside the present one, and let it serve."""
    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.policy_tables import compared, outcome
    from bdp_assets.operations.policy_tuning import tune_policy
    from bdp_assets.settings import get_settings

    costs = {
        "review_minor": review_cost,
        "false_decline_minor": false_decline_cost,
        "reviews_per_day": reviews_per_day,
    }
    with _told():
        comparison = tune_policy(get_settings(), costs, days, dry_run=dry_run)
    shown(compared(comparison))
    typer.echo(outcome(comparison, TAKEN_UP, dry_run=dry_run))


@app.command()
def backtest(
    policy: Annotated[str | None, typer.Option("--policy", help="One of the model's policies.")] = None,
    review_at: Annotated[
        float | None, typer.Option(min=0, max=1, help="Review from this probability on; with --decline-at.")
    ] = None,
    decline_at: Annotated[float | None, typer.Option(min=0, max=1, help="Decline from this one on.")] = None,
    days: _Days = DAYS,
    as_json: _Json = False,
) -> None:
    """Say what a policy would have decided, and what that would have cost, beside the one that serves."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.policy_tables import backtested
    from bdp_assets.operations.policy_backtest import backtest_policy, candidate
    from bdp_assets.settings import get_settings

    with _told():
        comparison = backtest_policy(get_settings(), candidate(policy, review_at, decline_at), days)
    if as_json:
        typer.echo(msgspec.json.encode(comparison))
    else:
        shown(backtested(comparison))


@app.command()
def use(version: Annotated[str, typer.Argument(help="A version, as `bdp policy show` lists them.")]) -> None:
    """Let one of the model's policies serve: an earlier one again, or the one that came with the model."""
    from bdp_assets.operations.policies import serve_policy
    from bdp_assets.settings import get_settings

    with _told():
        model_version = serve_policy(get_settings(), version)
    typer.echo(f"Model {model_version} serves by policy {version}. {TAKEN_UP}")


def _told() -> AbstractContextManager[None]:
    from bdp_assets.cli.failure import told
    from bdp_assets.clients.lake import TableMissing
    from bdp_assets.clients.registry import RegistryUnavailable, VersionMissing
    from bdp_assets.operations.policy_backtest import UnclearCandidate
    from bdp_assets.operations.policy_tuning import ModelReplaced
    from bdp_assets.operations.rule_history import NothingToTest
    from bdp_assets.scoring.bundle import BundleError

    return told(
        *(BundleError, TableMissing, NothingToTest, UnclearCandidate, RegistryUnavailable, VersionMissing),
        ModelReplaced,
    )

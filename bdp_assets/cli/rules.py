"""`bdp rules list | show | backtest`: the rules beside the model, and what they would have done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Rules beside the model: what they are, and what they would do.")

_File = Annotated[
    Path | None, typer.Option("--rules", help="A candidate instead of the catalog that decides.")
]
_Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command("list")
def list_rules(rules: _File = None, as_json: _Json = False) -> None:
    """Show every rule; a file is checked by reading it."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.rule_tables import listed
    from bdp_assets.decisions.rules import FILE, RuleError, load_rules

    with told(RuleError):
        catalog = load_rules(rules or FILE)
    if as_json:
        entries = [msgspec.to_builtins(rule.entry) for rule in catalog.rules]
        typer.echo(msgspec.json.encode({"version": catalog.version, "rules": entries}))
    else:
        shown(listed(catalog))


@app.command()
def show(name: Annotated[str, typer.Argument(help="The rule's name.")], rules: _File = None) -> None:
    """Show one rule, with its reason and what its condition means."""
    from bdp_assets.cli import display
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.rule_tables import shown
    from bdp_assets.decisions.rules import FILE, RuleError, load_rules

    with told(RuleError):
        catalog = load_rules(rules or FILE)
    found = [rule for rule in catalog.rules if rule.name == name]
    if not found:
        typer.secho("There is no rule of this name: `bdp rules list` shows them.", fg="red", err=True)
        raise typer.Exit(1)
    display.show(shown(found[0]))


@app.command()
def backtest(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC); default: all.")
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; default: the last whose labels are due."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="A candidate to compare with the present catalog.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Say what rules would have hit in the lake's history, and what became of it."""
    import msgspec

    from bdp_assets.cli.display import show as shown
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.rule_tables import tested
    from bdp_assets.clients.lake import TableMissing
    from bdp_assets.decisions.rules import RuleError
    from bdp_assets.operations.rule_backtest import backtest_history
    from bdp_assets.operations.rule_history import NothingToTest
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.settings import get_settings

    dates = (first and first.date(), last and last.date())
    with told(RuleError, BundleError, TableMissing, NothingToTest):
        result = backtest_history(get_settings(), dates, rules)
    if as_json:
        typer.echo(msgspec.json.encode(result))
    else:
        shown(tested(result))

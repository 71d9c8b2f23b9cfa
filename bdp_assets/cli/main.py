"""`bdp`: one command for the whole platform.

Each command group lives in a file of its own (`cli/<group>.py`, with `app = typer.Typer()`) and is added here
by two lines: its import and its `add_typer` (no name: commands at top level; a name: `bdp <name> ...`).
Group files import what they call inside the command functions, so that `bdp --help` answers at once.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from bdp_assets.cli import (
    assets,
    backup,
    bench,
    bento,
    chaos,
    decisions,
    demo,
    dlq,
    doctor,
    erase,
    features,
    ingest,
    keys,
    learn,
    lists,
    load,
    metrics,
    migrate,
    models,
    platform,
    policy,
    quarantine,
    rules,
    score,
    settings,
    simulate,
    sources,
    stream,
    train,
    upgrade,
    verify,
)


class _Bdp(TyperGroup):
    """What is the reader's to solve is told without a stack trace, and the exit code is 1."""

    def invoke(self, ctx: Any) -> Any:
        from bdp_assets.runtime.problems import Problem

        try:
            return super().invoke(ctx)
        except Problem as problem:
            typer.secho(problem.what, fg="red", err=True)
            typer.secho(problem.do, err=True)
            raise typer.Exit(1) from None
        except _invalid_settings() as invalid:
            typer.secho(str(invalid), fg="red", err=True)
            typer.secho(
                "Set it in the environment or in .env; `.env.example` says what each means.", err=True
            )
            raise typer.Exit(1) from None


def _invalid_settings() -> type[Exception]:
    """Looked up only where something was raised: the settings' libraries take their time to load."""
    from bdp_assets.settings import InvalidSettings

    return InvalidSettings


app = typer.Typer(
    name="bdp",
    cls=_Bdp,
    help="Card-fraud platform: start it, watch it, feed it, repair it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(platform.app)
app.add_typer(migrate.app)
app.add_typer(upgrade.app)
app.add_typer(assets.app, name="assets")
app.add_typer(doctor.app)
app.add_typer(settings.app)
app.add_typer(metrics.app, name="metrics")
app.add_typer(simulate.app, name="simulate")
app.add_typer(stream.app, name="stream")
app.add_typer(stream.topics, name="topics")
app.add_typer(sources.app, name="sources")
app.add_typer(ingest.app)
app.add_typer(dlq.app, name="dlq")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(features.app, name="features")
app.add_typer(decisions.app, name="decisions")
app.add_typer(rules.app, name="rules")
app.add_typer(policy.app, name="policy")
app.add_typer(lists.app, name="lists")
app.add_typer(keys.app, name="keys")
app.add_typer(verify.app)
app.add_typer(backup.app)
app.add_typer(erase.app)
app.add_typer(chaos.app)
app.add_typer(load.app)
app.add_typer(train.app)
app.add_typer(models.app, name="models")
app.add_typer(bento.app, name="bento")
app.add_typer(demo.app)
app.add_typer(learn.app, name="learn")
app.add_typer(score.app)
app.add_typer(bench.app)


if __name__ == "__main__":
    app()

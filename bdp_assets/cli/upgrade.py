"""`bdp upgrade`: from what an older version left to what this one needs."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Bring warehouse, topics, lake and online store to this version; see docs/upgrade.md.

    Exit code 0: nothing is left to do. 1: something is newer, or to be done by hand. 2: a system does not
    answer. 3 (only --check): `bdp upgrade` would do something.
    """
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.upgrade_table import exit_code, table
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
    from bdp_assets.clients.lake import LakeUnavailable
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.clients.redis import StoreUnavailable
    from bdp_assets.features.generations import Superseded
    from bdp_assets.operations.upgrade import examination, upgrading
    from bdp_assets.scoring.bundle import BundleError
    from bdp_assets.settings import get_settings

    away = (KafkaUnavailable, KafkaRefused, OffsetsGone, LakeUnavailable, WarehouseUnavailable)
    with told(*away, StoreUnavailable, Superseded, BundleError):
        if check:
            states = examination.examine(get_settings())
        else:
            states = upgrading.upgrade(
                get_settings(), lambda state: typer.echo(f"{state.name}: {state.do}", err=True)
            )
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(state) for state in states], indent=1))
    else:
        show(table(states), markup=False)
    raise typer.Exit(exit_code(states))

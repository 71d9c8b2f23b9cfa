"""`bdp erase`: take a customer out of every store."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def erase(
    customer: Annotated[str, typer.Option(metavar="ID", help="The customer's id.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what there is, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it can not be undone.")] = False,
) -> None:
    """Erase a customer from every store, and say by when the topics forget. Killed: type it again."""
    from bdp_assets.cli.display import show
    from bdp_assets.cli.erase_tables import found_parts, steps_table
    from bdp_assets.cli.failure import told
    from bdp_assets.cli.steps import steps
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.lake import LakeUnavailable
    from bdp_assets.clients.lake_erasure import LakeBusy
    from bdp_assets.clients.outage import Outage
    from bdp_assets.clients.postgres import WarehouseRefused
    from bdp_assets.clients.registry import RegistryUnavailable
    from bdp_assets.operations.erasure.customer import Customer
    from bdp_assets.operations.erasure.erasure import erase as erased
    from bdp_assets.operations.erasure.erasure import look
    from bdp_assets.pan_key import PanKeyMissing
    from bdp_assets.settings import get_settings

    settings = get_settings()
    outages = (KafkaUnavailable, KafkaRefused, Outage, LakeBusy, LakeUnavailable, RegistryUnavailable)
    with told(PanKeyMissing, WarehouseRefused, *outages):
        whom = Customer.of(settings, customer)
        for part in found_parts(look(settings, whom)):
            show(part)
        if dry_run:
            return
        if not yes:
            typer.confirm("Erase this customer for good?", abort=True)
        with steps() as reached:
            done = erased(settings, whom, reached)
    show(steps_table(done))

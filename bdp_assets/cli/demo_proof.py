"""The end of the demo: the evidence, and where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

if TYPE_CHECKING:
    from bdp_assets.operations.demo.proof import Proof
    from bdp_assets.settings import Settings


def show_proof(console: Console, proof: Proof, settings: Settings, elapsed: str) -> None:
    from bdp_assets.operations import ledger_table

    console.print(ledger_table.as_tables(proof.ledger))
    answer, plane = proof.answer, proof.control_plane
    console.print(
        f"API       {answer['transaction_id']}: {answer['decision']}, fraud probability "
        f"{answer['fraud_probability']:.4f}, by {answer['model']['name']} v{answer['model']['version']}"
    )
    console.print(
        f"Dagster   {len(plane.materialised)} assets materialised, {len(plane.missing)} missing; "
        f"{len(plane.checks_passed)} checks passed, {len(plane.checks_failed)} failed"
    )
    if plane.checks_warned:
        console.print(f"          warnings: {', '.join(plane.checks_warned)}")
    if plane.checks_open:
        console.print(f"          not evaluated yet: {', '.join(plane.checks_open)}")
    if proof.not_landed:
        console.print(f"          [red]{proof.not_landed:,} offsets not landed; `bdp logs dagster-daemon`[/]")
    for name in (*plane.missing, *plane.checks_failed):
        console.print(f"          [red]{name}[/]")
    console.print(Panel(_addresses(settings), title=f"Ready after {elapsed}", expand=False))


def _addresses(settings: Settings) -> Table:
    table = Table(box=None, show_header=False)
    table.add_row("Dagster", f"http://localhost:{settings.dagster_port}")
    table.add_row("Fraud API", f"http://localhost:{settings.api_port}/docs")
    table.add_row("MLflow", settings.mlflow)
    table.add_row("More traffic", ".venv/bin/bdp simulate traffic")
    table.add_row("Look, stop", ".venv/bin/bdp status --watch   .venv/bin/bdp down [--wipe]")
    return table

"""The demo in a terminal: numbered steps, one line a part, a live table of topics; plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table

from bdp_assets.cli.display import sentence

if TYPE_CHECKING:
    from bdp_assets.operations.demo.proof import Proof
    from bdp_assets.runtime.starter import Stage
    from bdp_assets.settings import Settings

_PLAIN_EVERY_S = 5.0
_UNDER_WAY = ("starting", "stopping")


class Terminal:
    """A Screen (see `operations.demo.steps`) on a terminal, or lines where there is none."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True)
        self._began = time.monotonic()
        self._steps = 0
        self._busy: dict[str, str] = {}
        self._told = 0.0

    def __enter__(self) -> Terminal:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def step(self, title: str) -> None:
        self._steps += 1
        self._busy = {}
        self._console.print(f"\n[bold]{self._steps}. {title}[/]  [dim]{self._elapsed()}[/]")
        self._show(Spinner("dots", title))

    def report(self, name: str, stage: Stage, detail: str) -> None:
        text = sentence(name, stage, detail)
        if stage in _UNDER_WAY:
            self._busy[name] = text
        else:
            self._busy.pop(name, None)
            self._console.print(f"   [green]✓[/] {text}")
        self._show(Group(*(Spinner("dots", f" {text}") for text in self._busy.values())))

    def line(self, text: str) -> None:
        self._console.print(f"   {text}", markup=False)

    def traffic(self, sent: int, counts: Mapping[str, int]) -> None:
        table = Table(box=None, padding=(0, 3))
        table.add_column("sent")
        table.add_row("", f"{sent:,}")
        for topic, number in counts.items():
            table.add_row(topic, f"{number:,}")
        self._show(table)
        if not self._console.is_terminal and time.monotonic() - self._told > _PLAIN_EVERY_S:
            self._told = time.monotonic()
            self.line(
                f"{self._elapsed()}  sent {sent:,}; " + ", ".join(f"{t} {n:,}" for t, n in counts.items())
            )

    def show_proof(self, proof: Proof, settings: Settings) -> None:
        """The evidence, and where to look next."""
        from bdp_assets.operations import ledger_table

        self._console.print(ledger_table.as_tables(proof.ledger))
        answer, plane = proof.answer, proof.control_plane
        self._console.print(
            f"API       {answer['transaction_id']}: {answer['decision']}, fraud probability "
            f"{answer['fraud_probability']:.4f}, by {answer['model']['name']} v{answer['model']['version']}"
        )
        self._console.print(
            f"Dagster   {len(plane.materialised)} assets materialised, {len(plane.missing)} missing; "
            f"{len(plane.checks_passed)} checks passed, {len(plane.checks_failed)} failed"
        )
        for name in (*plane.missing, *plane.checks_failed):
            self._console.print(f"          [red]{name}[/]")
        self._console.print(Panel(_addresses(settings), title=f"Ready after {self._elapsed()}", expand=False))

    def _show(self, what: Group | Spinner | Table) -> None:
        if self._live.is_started:
            self._live.update(what)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"


def _addresses(settings: Settings) -> Table:
    table = Table(box=None, show_header=False)
    table.add_row("Dagster", f"http://localhost:{settings.dagster_port}")
    table.add_row("Fraud API", f"http://localhost:{settings.api_port}/docs")
    table.add_row("MLflow", settings.mlflow)
    table.add_row("More traffic", ".venv/bin/bdp simulate traffic")
    table.add_row("Look, stop", ".venv/bin/bdp status --watch   .venv/bin/bdp down [--wipe]")
    return table

"""Tables are printed whole, however little room there is."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from bdp_assets.cli import display

NUMBERS = [f"{10**6 + number:,}" for number in range(12)]


@pytest.mark.parametrize("terminal", [True, False])
def test_no_number_and_no_name_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr(display, "console", Console(width=80, force_terminal=terminal, color_system=None))
    table = Table("rule", *(f"column {number}" for number in range(12)))
    table.add_row("merchant_fraud_run", *NUMBERS)

    display.show(table)

    shown = capsys.readouterr().out
    assert all(text in shown for text in ("merchant_fraud_run", *NUMBERS))
    assert "…" not in shown


def test_texts_of_others_are_not_read_as_ours(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("field")
    table.add_row("[bold]id[/]")

    display.show("[red]a[/]", markup=False)
    display.show(table, markup=False)

    shown = capsys.readouterr().out
    assert "[red]a[/]" in shown
    assert "[bold]id[/]" in shown

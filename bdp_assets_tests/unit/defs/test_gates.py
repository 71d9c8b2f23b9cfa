"""Verdicts as Dagster shows them."""

from __future__ import annotations

import dagster as dg
import polars as pl
import pytest

from bdp_assets.defs.training.gates import GATES, check
from bdp_assets.training.gate import ASKED, BITS, COST, EXPORT, NOTHING_SERVED, Gate

SPECS = {spec.name for spec in GATES}


@pytest.mark.parametrize("name", ASKED)
def test_each_gate_is_a_check_and_only_a_defect_is_an_error(name: str) -> None:
    result = check(Gate(name, passed=False, says="no"))
    assert result.check_name in SPECS
    grave = dg.AssetCheckSeverity.ERROR if name in {EXPORT, BITS} else dg.AssetCheckSeverity.WARN
    assert (result.passed, result.severity) == (False, grave)


def test_figures_and_table_are_shown() -> None:
    table = pl.DataFrame({"batch": [7], "differing rows": [0]})
    result = check(Gate(COST, passed=True, says="cheap", figures={"low": -1.5}, table=table))
    assert result.metadata["reason"].value == "cheap"
    assert result.metadata["low"].value == -1.5
    assert "| 7 | 0 |" in result.metadata["table"].value


def test_nothing_streamed_is_told_and_no_failure() -> None:
    result = check(NOTHING_SERVED)
    assert result.passed
    assert "nothing yet" in result.metadata["reason"].value


def test_what_was_not_judged_is_no_pass_and_a_warning_with_its_reason() -> None:
    result = check(Gate(COST, passed=None, says="it is of an earlier day"))
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["reason"].value == "not judged: it is of an earlier day"


def test_none_stops_what_comes_after() -> None:
    assert not any(spec.blocking for spec in GATES)

"""An example that is kept with a model has no row of a person's."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from bdp_assets.clients.model_example import break_up
from bdp_assets.clients.model_run import of_nobody

ROWS = [[3.0, 1.0, None], [1.0, 2.0, 5.0]]
OF_NOBODY = [[1.0, 1.0, 5.0], [3.0, 2.0, None]]


def test_rows_are_broken_up_once_in_both_files(tmp_path: Path) -> None:
    table = {"columns": ["a", "b", "c"], "data": ROWS}
    (tmp_path / "input_example.json").write_text(json.dumps(table))
    (tmp_path / "serving_input_example.json").write_text(json.dumps({"dataframe_split": table}))
    assert break_up(tmp_path)
    assert json.loads((tmp_path / "input_example.json").read_text())["data"] == OF_NOBODY
    served = json.loads((tmp_path / "serving_input_example.json").read_text())
    assert served["dataframe_split"]["data"] == OF_NOBODY
    assert not break_up(tmp_path)


def test_a_model_without_examples_stays_as_it_is(tmp_path: Path) -> None:
    assert not break_up(tmp_path)


def test_an_example_keeps_its_columns_and_values() -> None:
    example = pl.DataFrame(ROWS, ["a", "b", "c"], orient="row")
    assert of_nobody(example).rows() == [tuple(row) for row in OF_NOBODY]

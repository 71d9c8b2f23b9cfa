"""The input examples that MLflow keeps with a model: a frame as JSON, and the same as a request sends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from bdp_assets.clients.model_run import of_nobody

_FRAME, _REQUEST = "input_example.json", "serving_input_example.json"
_OF_REQUEST = "dataframe_split"


def example_files(mlflow: Any, source: str, uri: str) -> list[str]:
    """Names of those that a model has, by the URI of its files."""
    found = mlflow.artifacts.list_artifacts(artifact_uri=source, tracking_uri=uri)
    names = {Path(file.path).name for file in found}
    return [name for name in (_FRAME, _REQUEST) if name in names]


def break_up(folder: Path) -> bool:
    """Make the rows of the examples in a folder nobody's; whether that changed one."""
    return any([_broken_up(folder / _FRAME, None), _broken_up(folder / _REQUEST, _OF_REQUEST)])


def _broken_up(file: Path, part: str | None) -> bool:
    if not file.exists():
        return False
    document = json.loads(file.read_bytes())
    table = document if part is None else document[part]
    example = pl.DataFrame(table["data"], table["columns"], orient="row")
    made = of_nobody(example)
    if made.equals(example):
        return False
    table["data"] = [list(row) for row in made.iter_rows()]
    file.write_text(json.dumps(document))
    return True

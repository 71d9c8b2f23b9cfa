"""What MLflow is told of one trained model; `clients.registry` registers it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

BUNDLE = "bundle"
PLOTS = "plots"
DOCUMENTS = "documents"


@dataclass(frozen=True, kw_only=True)
class ModelRun:
    """What is logged of one trained model.

    `loader_module` names a module with `_load_pyfunc(path)`, by which MLflow itself can load the bundle.
    `example` holds a few input rows, one float64 column a feature, and is logged `of_nobody`; `plots` are PNG
    bytes and `documents` bytes of other files, both by file name.
    """

    bundle: Path
    digest: str
    loader_module: str
    requirements: list[str]
    example: pl.DataFrame
    output: str
    card: str
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def of_nobody(example: pl.DataFrame) -> pl.DataFrame:
    """The same values in rows that never were: each column sorted by itself. Again, the same again.

    A registry keeps examples for good, so no row of a person's may be one.
    """
    return example.select(pl.all().sort(nulls_last=True))


def log_run(mlflow: Any, run: ModelRun) -> Any:
    """Log params, metrics, plots and bundle as a run of the present experiment; returns MLflow's model."""
    with mlflow.start_run(tags=dict(run.tags)):
        mlflow.log_params(dict(run.params))
        _log_files(mlflow, run.plots, PLOTS)
        _log_files(mlflow, run.documents, DOCUMENTS)
        model = _log_model(mlflow, run)
        mlflow.log_metrics(dict(run.metrics), model_id=model.model_id)
        return model


def _log_model(mlflow: Any, run: ModelRun) -> Any:
    columns = [mlflow.types.ColSpec("double", name) for name in run.example.columns]
    signature = mlflow.models.ModelSignature(
        mlflow.types.Schema(columns), mlflow.types.Schema([mlflow.types.ColSpec("double", run.output)])
    )
    return mlflow.pyfunc.log_model(
        name=BUNDLE,
        loader_module=run.loader_module,
        data_path=str(run.bundle),
        signature=signature,
        input_example=of_nobody(run.example).to_pandas(),
        pip_requirements=run.requirements,
    )


def _log_files(mlflow: Any, files: Mapping[str, bytes], folder: str) -> None:
    with tempfile.TemporaryDirectory() as draft:
        for name, content in files.items():
            (Path(draft) / name).write_bytes(content)
        mlflow.log_artifacts(draft, folder)

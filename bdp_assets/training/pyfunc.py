"""How MLflow itself loads a bundle, so that `mlflow.pyfunc.load_model(uri)` of the model page works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bdp_assets.scoring.ensemble import Ensemble

OUTPUT = "fraud_probability"


class PyfuncEnsemble:
    """The ensemble with MLflow's interface."""

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble

    def predict(self, rows: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
        """Features by name -> one column, the calibrated fraud probability."""
        matrix = rows[list(self._ensemble.info.feature_names)].to_numpy(dtype=np.float64)
        return pd.DataFrame({OUTPUT: self._ensemble.score(matrix)})


def _load_pyfunc(path: str) -> PyfuncEnsemble:
    return PyfuncEnsemble(Ensemble.load(Path(path)))

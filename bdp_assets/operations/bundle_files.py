"""A trained model's bundle in a folder of one's own choice."""

from __future__ import annotations

import os
from pathlib import Path

from bdp_assets.scoring.bundle import MANIFEST
from bdp_assets.training.pipeline import TrainedModel
from bdp_assets.training.split import TrainingError


def check(folder: Path) -> None:
    """To be asked before the work.

    Raises TrainingError where a bundle would mix with other files, or no folder can be made.
    """
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not empty and not (folder / MANIFEST).is_file():
        raise TrainingError(f"{folder} is there and is no bundle: name a folder of its own with --output.")
    above = next(one for one in folder.absolute().parents if one.exists())
    if not above.is_dir():
        raise _not_written(folder, f"{above} is no folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise _not_written(folder, f"this user may not write to {above}")


def write(trained: TrainedModel, folder: Path) -> Path:
    """Raises TrainingError."""
    try:
        return trained.save(folder)
    except OSError as error:
        raise _not_written(folder, error.strerror) from None


def _not_written(folder: Path, why: str | None) -> TrainingError:
    return TrainingError(f"the bundle can not be written to {folder}: {why}. Name another with --output.")

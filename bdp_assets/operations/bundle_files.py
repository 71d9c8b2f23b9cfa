"""A trained model's bundle in a folder of one's own choice."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.scoring.bundle import MANIFEST
from bdp_assets.training.pipeline import TrainedModel
from bdp_assets.training.split import TrainingError


def check(folder: Path) -> None:
    """To be asked before the work. Raises TrainingError where a bundle would mix with other files."""
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not empty and not (folder / MANIFEST).is_file():
        raise TrainingError(f"{folder} is there and is no bundle: name a folder of its own with --output.")


def write(trained: TrainedModel, folder: Path) -> Path:
    """Raises TrainingError."""
    try:
        return trained.save(folder)
    except OSError as error:
        raise TrainingError(f"the bundle can not be written to {folder}: {error.strerror}.") from None

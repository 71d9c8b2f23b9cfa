"""`bdp train`: what was asked for, as what a model is made of."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bdp_assets.operations.train_file import LabelledFile, of_file
from bdp_assets.operations.train_model import Material, of_lake
from bdp_assets.settings import Settings
from bdp_assets.training.protocols import LATEST, Plan
from bdp_assets.training.split import TrainingError

LAKE = "lake"


class Sources(NamedTuple):
    """`data`: a file, or LAKE. The next three go with a file, `snapshot` with the lake.

    `label_delay_days`: None is the setting's.
    """

    data: str = LAKE
    mapping: Path | None = None
    labels: Path | None = None
    label_delay_days: int | None = None
    snapshot: str | None = None

    @property
    def is_lake(self) -> bool:
        return self.data == LAKE

    def check(self) -> None:
        """To be asked before the work. Raises TrainingError where what is named does not go together."""
        if not self.is_lake and self.snapshot is not None:
            raise TrainingError("--snapshot names versions of the lake's tables: it goes without --data.")
        if self.is_lake and self != Sources(snapshot=self.snapshot):
            raise TrainingError(
                "the lake has columns and labels of its own: --mapping, --labels and --label-delay-days go "
                "with --data FILE."
            )

    def material(self, settings: Settings, plan: Plan = LATEST) -> Material:
        """Raises TrainingError, HistoryMissing, MappingError, BulkFailed."""
        if self.is_lake:
            return of_lake(settings, plan, self.snapshot)
        delay = settings.label_delay_days if self.label_delay_days is None else self.label_delay_days
        return of_file(LabelledFile(Path(self.data), delay, self.mapping, self.labels), plan)

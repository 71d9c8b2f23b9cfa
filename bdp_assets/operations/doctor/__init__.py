"""`bdp doctor`: look at everything the platform stands on, say what was found and what to do about it."""

from bdp_assets.operations.doctor.examination import examine
from bdp_assets.operations.doctor.finding import Finding

__all__ = ["Finding", "examine"]

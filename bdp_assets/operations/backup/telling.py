"""Progress of a backup: what starts and stops, and how many bytes are done."""

from __future__ import annotations

from bdp_assets.operations.backup.contents import Found
from bdp_assets.operations.progress import Bar, Screen
from bdp_assets.runtime.starter import Report, Stage


def stage_lines(screen: Screen) -> Report:
    """A Report that says on the screen what has started or stopped."""

    def report(name: str, stage: Stage, detail: str) -> None:
        if stage in ("ready", "stopped"):
            screen.line(f"{name:<18} {stage:<8} {detail}".rstrip())
        elif stage in ("starting", "stopping"):
            screen.bars([Bar(name, stage)])

    return report


class Bytes:
    """A bar of megabytes that names the part under way."""

    def __init__(self, screen: Screen, name: str, total: int) -> None:
        self._screen, self._name, self._total, self._done = screen, name, total, 0

    def done(self, found: Found) -> None:
        """That file, too."""
        self._done += found.size
        megabytes = [count // 2**20 for count in (self._done, self._total)]
        self._screen.bars([Bar(self._name, found.part, megabytes[0], max(1, megabytes[1]), "MB")])

"""What a run of Dagster has done so far and what it does now, told by its events alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bdp_assets.clients.dagster import Event
from bdp_assets.observability.milestones import Milestone
from bdp_assets.operations.progress import Bar

_BEFORE_STEPS = {
    "RUN_ENQUEUED": "waits for its turn in Dagster's queue",
    "RUN_STARTING": "Dagster starts a process for it",
    "RUN_START": "loads the code",
}


class RunAccount:
    """Takes a run's events in their order."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._steps: dict[str, str] = {}
        """Step -> what it does now, of steps under way."""
        self._milestones: dict[str, Milestone] = {}
        self._doing = ""
        self._planned: Counter[tuple[str, str]] = Counter()
        """(step, asset) -> partitions that the run is going to materialise; 1 of an asset without any."""
        self._done: Counter[tuple[str, str]] = Counter()
        self._rows: Counter[tuple[str, str]] = Counter()
        self._began: dict[str, float] = {}
        self._engine = ""
        """The last that Dagster told of the run's process."""
        self.failures: list[str] = []
        self.output_file = ""
        """Name of the file with what the run's process wrote, once there is one."""

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The run as a whole, then its steps under way."""
        if not self._steps:
            return (replace(self._whole, doing=self._doing),)
        return (self._whole, *map(self._bar, self._steps))

    @property
    def _whole(self) -> Bar:
        unit = "assets" if max(self._planned.values(), default=1) == 1 else "days of tables"
        return Bar(self._title, "", self._done.total(), self._planned.total() or None, unit)

    def take(self, events: Iterable[Event]) -> list[str]:
        """Account for the next events; returns a line for each thing that has ended by them."""
        return [line for event in events for line in self._take(event)]

    def _take(self, event: Event) -> list[str]:
        key = (event.step, event.asset)
        self._doing = _BEFORE_STEPS.get(event.kind, self._doing)
        match event.kind:
            case "ASSET_MATERIALIZATION_PLANNED":
                self._planned[key] += 1
            case "ASSET_MATERIALIZATION":
                self._done[key] += 1
                self._rows[key] += event.rows or 0
            case "STEP_START":
                self._steps[event.step], self._began[event.step] = "", event.at_s
                self._doing = ""
            case "LOG" if event.step in self._steps:
                self._say(event)
            case "LOGS_CAPTURED":
                self.output_file = event.text
            case "STEP_SUCCESS":
                return self._end(event)
            case "STEP_FAILURE":
                self._steps.pop(event.step, None)
                self.failures.append(f"{_name(event.step)}: {event.text}")
            case "ENGINE_EVENT":
                self._engine = event.text
            case "RUN_FAILURE" if not self.failures:
                self.failures = self._own_failure(event)
        return []

    def _own_failure(self, event: Event) -> list[str]:
        """Of a run that no step failed, such as one whose process was killed."""
        under_way = [f"{_name(step)} was under way." for step in self._steps]
        return [*under_way, *filter(None, (self._engine, event.text))]

    def _say(self, event: Event) -> None:
        milestone = Milestone.read(event.text)
        self._milestones.pop(event.step, None)
        if milestone:
            self._milestones[event.step] = milestone
        self._steps[event.step] = milestone.doing if milestone else event.text

    def _end(self, event: Event) -> list[str]:
        """A line an asset: how many days and rows, and the time of the step that made it."""
        self._steps.pop(event.step, None)
        seconds = event.at_s - self._began.get(event.step, event.at_s)
        return [
            f"✓ {asset:<32} {self._amount((step, asset)):<26} {seconds:5.1f} s"
            for step, asset in self._done
            if step == event.step
        ]

    def _amount(self, key: tuple[str, str]) -> str:
        days = f"{self._done[key]} days" if self._planned[key] > 1 else ""
        rows = f"{self._rows[key]:,} rows" if self._rows[key] else ""
        return f"{days:<10}{rows:>14}"

    def _bar(self, step: str) -> Bar:
        name, doing, milestone = _name(step), self._steps[step], self._milestones.get(step)
        if milestone:
            return Bar(name, doing, milestone.done, milestone.total, milestone.unit)
        planned, done = (
            sum(counts[key] for key in counts if key[0] == step) for counts in (self._planned, self._done)
        )
        # Before its first day is there, a step computes all of them.
        return Bar(name, doing, done, planned, "days of tables") if done else Bar(name, doing)


def _name(step: str) -> str:
    return step.replace("__", "/")

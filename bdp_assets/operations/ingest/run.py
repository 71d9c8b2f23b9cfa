"""`bdp ingest NAME --to topic`: read what is new, judge it, send it; once, or for ever."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bdp_assets.clients.kafka import KafkaUnavailable
from bdp_assets.clients.postgres import WarehouseUnavailable, session
from bdp_assets.clients.source_database import SourceUnavailable
from bdp_assets.ingest.sources.arrivals import Judged, judged
from bdp_assets.ingest.sources.chunk import Chunk, Position
from bdp_assets.ingest.sources.entry import Source, load
from bdp_assets.ingest.sources.reading import chunks
from bdp_assets.ingest.sources.told_labels import told_labels
from bdp_assets.operations.ingest.ahead import one_ahead
from bdp_assets.operations.ingest.positions import Positions
from bdp_assets.operations.ingest.sending import IngestFailed, Sender, sender
from bdp_assets.operations.progress import Bar, Screen
from bdp_assets.settings import Settings

LOOK_EVERY_S = 1.0
PASSING = (KafkaUnavailable, WarehouseUnavailable, SourceUnavailable, IngestFailed)
"""What `--follow` outlives."""


@dataclass
class Summary:
    """What this run did; counts what is known to be sent."""

    sent: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason: error code and field."""
    labels: int = 0
    labels_rejected: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def read(self) -> int:
        return self.sent + self.rejected.total()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def add(self, rows: Judged, labels: Judged) -> None:
        self.sent += len(rows.values)
        self.rejected.update(f"{row.error} {row.field or ''}".strip() for row in rows.rejected)
        self.labels += len(labels.values)
        self.labels_rejected += len(labels.rejected)


def once(settings: Settings, name: str, screen: Screen, summary: Summary) -> None:
    """Send all that is new in a source.

    Raises Problem, MappingError, IngestFailed, PanKeyMissing, KafkaUnavailable, KafkaRefused,
    WarehouseUnavailable, SourceUnavailable, SourceRefused: what was sent until then is remembered.
    """
    source = load(settings, name)
    with sender(settings, name) as (out, positions):
        _Pass(source, out, positions.known(), summary, screen).run(growing=False)


def follow(settings: Settings, name: str, screen: Screen, summary: Summary) -> None:
    """As `once`, again and again, until something from outside ends it; outages are waited out."""
    source = load(settings, name)
    while True:
        try:
            with sender(settings, name) as (out, positions):
                one = _Pass(source, out, positions.known(), summary, screen)
                while True:
                    one.run(growing=True)
                    time.sleep(LOOK_EVERY_S)
        except PASSING as error:
            screen.line(f"{error} Trying again.")
        time.sleep(LOOK_EVERY_S)


def forget(settings: Settings, name: str) -> int:
    """Read the source from its start again, next time. Returns of how many parts something was known.

    Raises WarehouseUnavailable.
    """
    with session(settings) as connection:
        return Positions(connection, name).forget()


@dataclass
class _Pass:
    """Goes through a source, on from what is `known` (part -> position), which it keeps up to date."""

    source: Source
    out: Sender
    known: dict[str, Position]
    summary: Summary
    screen: Screen

    def run(self, *, growing: bool) -> None:
        # A batch is read and judged while the one before is on its way: most of that is waiting for commits.
        for chunk, rows, labels in one_ahead(self._judged(growing=growing)):
            self.out.send(chunk, rows, labels)
            self.known[chunk.part] = chunk.after
            self.summary.add(rows, labels)
            self.screen.bars([Bar(self.source.name, chunk.part, self.summary.read, unit="rows")])

    def _judged(self, *, growing: bool) -> Iterator[tuple[Chunk, Judged, Judged]]:
        """Each chunk that is new, its rows and the labels that they tell."""
        mapping = self.source.to_contract()
        for chunk in chunks(self.source, dict(self.known).get, growing=growing):
            now_ms = time.time_ns() // 1_000_000
            rows = judged(chunk, mapping, now_ms=now_ms)
            yield chunk, rows, told_labels(chunk, mapping, rows.places, now_ms=now_ms)

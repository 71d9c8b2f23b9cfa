"""What `bdp topics list` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from bdp_assets.clients.kafka import ensure_topics, watermarks
from bdp_assets.operations.topics import specs
from bdp_assets.settings import Settings


@dataclass(frozen=True)
class TopicRow:
    """`offsets`: readable ones of all partitions; transaction markers count, so records may be fewer."""

    name: str
    partitions: int
    offsets: int
    differences: tuple[str, ...]


def read_topics(settings: Settings) -> list[TopicRow]:
    """The contract's topics as they are. Raises KafkaUnavailable, KafkaRefused."""
    wanted = specs()
    differences = ensure_topics(settings, wanted, create=False).differences
    ranges = watermarks(settings, [spec.name for spec in wanted])
    rows = []
    for spec in wanted:
        sizes = [end - low for (name, _), (low, end) in ranges.items() if name == spec.name]
        said = tuple(text for text in differences if text.startswith(f"{spec.name} "))
        rows.append(TopicRow(spec.name, len(sizes), sum(sizes), said))
    return rows


def as_table(rows: Sequence[TopicRow]) -> Table:
    """For a terminal."""
    table = Table("topic", "partitions", "offsets", "differs from the contract", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in rows:
        table.add_row(row.name, str(row.partitions), f"{row.offsets:,}", "\n".join(row.differences))
    return table

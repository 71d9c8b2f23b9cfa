"""What is new in a source, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bdp_assets.ingest.sources import files, messages, tables
from bdp_assets.ingest.sources.chunk import Chunk, Position
from bdp_assets.ingest.sources.entry import Source


def chunks(
    source: Source, position_of: Callable[[str], Position | None], *, growing: bool
) -> Iterator[Chunk]:
    """Rows after the positions (by part); `growing`: whoever writes them may not be done.

    Raises Problem, MappingError; of a database SourceUnavailable, SourceRefused; of Kafka KafkaUnavailable,
    KafkaRefused.
    """
    if source.is_topic:
        return messages.chunks(source, position_of)
    if source.is_table:
        return tables.chunks(source, position_of(tables.PART))
    return files.chunks(source, position_of, growing=growing)

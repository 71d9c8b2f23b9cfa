"""What is new in a source, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.ingest.sources import files
from bdp_assets.ingest.sources.chunk import Chunk
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.files import PositionOf
from bdp_assets.settings import Settings


def chunks(settings: Settings, source: Source, position_of: PositionOf, *, growing: bool) -> Iterator[Chunk]:
    """Rows after the positions; `growing`: whoever writes them may not be done.

    Raises Problem, MappingError.
    """
    del settings
    return files.chunks(source, position_of, growing=growing)

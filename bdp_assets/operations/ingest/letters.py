"""What a source's contract refuses, as dead letters: the row as the source has it, and why."""

from __future__ import annotations

from bdp_assets.clients.kafka import Header
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.dead_letters import content, of_source
from bdp_assets.contracts.headers import STEP, TRACEPARENT
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.contracts.topics import DLQ
from bdp_assets.ingest.sources.arrivals import Rejected
from bdp_assets.observability.trace_context import new

INGEST = b"ingest"


def letter(source: str, part: str, row: Rejected, *, now_ms: int, pan_key: bytes) -> DeadLetter:
    """`source_offset` is the row's number in its part; the message names the part."""
    place = f"{part}, row {row.place}" if part else f"Row {row.place}"
    return DeadLetter(
        source_topic=of_source(source),
        source_partition=0,
        source_offset=row.place,
        received_ms=now_ms,
        error=row.error,
        field=row.field,
        message=f"{place}: {row.says}",
        **content(row.original, pan_key),
    )


def headers() -> list[Header]:
    """Of a letter; its trace begins here, and nobody records it."""
    return [schema_version_header(DLQ), (STEP, INGEST), (TRACEPARENT, new(sampled=False).encode())]

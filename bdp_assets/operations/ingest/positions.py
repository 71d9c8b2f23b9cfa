"""How far a source was read, part by part (a file; of a table there is one), in the warehouse."""

from __future__ import annotations

import json

from bdp_assets.clients.postgres import Connection
from bdp_assets.ingest.sources.chunk import Position

_KNOWN = "SELECT part, position FROM warehouse.source_positions WHERE source = %s AND position IS NOT NULL"
_PLAN = (
    "INSERT INTO warehouse.source_positions (source, part, planned, batch_id, changed_at) "
    "VALUES (%s, %s, %s::jsonb, %s, now()) ON CONFLICT (source, part) "
    "DO UPDATE SET planned = excluded.planned, batch_id = excluded.batch_id, changed_at = now()"
)
_SETTLE = (
    "UPDATE warehouse.source_positions SET position = planned, planned = NULL, batch_id = NULL, "
    "changed_at = now() WHERE source = %s AND batch_id = %s"
)
_DROP = "UPDATE warehouse.source_positions SET planned = NULL, batch_id = NULL WHERE source = %s"
_FORGET = "DELETE FROM warehouse.source_positions WHERE source = %s"


class Positions:
    """Of one source; every change commits. Raises what the connection raises (see `postgres.session`)."""

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection = connection
        self._source = source

    def known(self) -> dict[str, Position]:
        """Part -> where it goes on."""
        found = dict(self._connection.execute(_KNOWN, [self._source]).fetchall())
        self._connection.commit()
        return found

    def plan(self, part: str, after: Position, batch_id: str) -> None:
        """`after` is going to hold if the batch is sent."""
        self._connection.execute(_PLAN, [self._source, part, json.dumps(after), batch_id])
        self._connection.commit()

    def settle(self, batch_id: str | None) -> None:
        """The batch was sent. One that is not known changes nothing."""
        self._connection.execute(_SETTLE, [self._source, batch_id])
        self._connection.commit()

    def drop_plan(self) -> None:
        """What is planned still was not sent."""
        self._connection.execute(_DROP, [self._source])
        self._connection.commit()

    def forget(self) -> int:
        """Returns of how many parts something was known."""
        count = self._connection.execute(_FORGET, [self._source]).rowcount
        self._connection.commit()
        return count

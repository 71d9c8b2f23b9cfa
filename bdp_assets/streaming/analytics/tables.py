"""The warehouse's side of the figures: each function is one statement inside the caller's transaction.

Rows are locked in one order everywhere (positions, transactions, figures, each by its key), so that workers
that touch the same ones wait for each other and never in a circle.
"""

from __future__ import annotations

import polars as pl

from bdp_assets.clients.postgres import Connection
from bdp_assets.streaming.analytics.catalog import DIMENSIONS
from bdp_assets.streaming.analytics.figures import GROUP, KEY, MEASURES, NEVER
from bdp_assets.streaming.analytics.reading import LABELS

POSITIONS = {"partition": pl.Int64, "next_offset": pl.Int64, "reached_ms": pl.Int64}
_CLAIMED = {
    **dict.fromkeys(KEY, pl.String),
    "source": pl.String,
    "ts_ms": pl.Int64,
    "stream_ms": pl.Int64,
    "is_fraud": pl.Boolean,
    "fraud_counted": pl.Boolean,
    "members": pl.String,
}
_MEMBERS = pl.Struct(dict.fromkeys(DIMENSIONS, pl.String))
FIGURES = {
    "window_name": pl.String,
    "start_ms": pl.Int64,
    "dimension": pl.String,
    "member": pl.String,
    "end_ms": pl.Int64,
    **dict.fromkeys(MEASURES, pl.Int64),
    "revision": pl.Int64,
}

_MEET_PARTITIONS = """
INSERT INTO warehouse.window_positions (topic_id, partition, next_offset, stream_ms)
SELECT %(topic_id)s, partition, 0, %(never)s FROM unnest(%(partitions)s::int[]) AS partition
ORDER BY partition
ON CONFLICT DO NOTHING
"""
_LOCK_POSITIONS = """
SELECT partition, next_offset, stream_ms FROM warehouse.window_positions
WHERE topic_id = %(topic_id)s AND partition = ANY(%(partitions)s::int[])
ORDER BY partition FOR UPDATE
"""
_MOVE_POSITIONS = """
UPDATE warehouse.window_positions AS stored
SET next_offset = reached.next_offset, stream_ms = reached.stream_ms
FROM json_to_recordset(%(rows)s) AS reached (partition int, next_offset bigint, stream_ms bigint)
WHERE stored.topic_id = %(topic_id)s AND stored.partition = reached.partition
"""
_CLAIM = """
INSERT INTO warehouse.window_transactions AS stored
    (customer_id, transaction_id, source, ts_ms, stream_ms, members, label)
SELECT customer_id, transaction_id, source, ts_ms, stream_ms, members, label
FROM json_to_recordset(%(rows)s) AS coming (
    customer_id text, transaction_id text, source text, ts_ms bigint, stream_ms bigint,
    members jsonb, label bigint
)
ORDER BY customer_id COLLATE "C", transaction_id COLLATE "C"
ON CONFLICT (customer_id, transaction_id) DO UPDATE SET
    source = coalesce(stored.source, excluded.source),
    ts_ms = coalesce(stored.ts_ms, excluded.ts_ms),
    stream_ms = coalesce(stored.stream_ms, excluded.stream_ms),
    members = coalesce(stored.members, excluded.members),
    label = greatest(stored.label, excluded.label)
RETURNING customer_id, transaction_id, source, ts_ms, stream_ms,
    coalesce(label %% 2 = 1, false), fraud_counted, members::text
"""
_SETTLE = """
UPDATE warehouse.window_transactions AS stored SET fraud_counted = NOT stored.fraud_counted
FROM json_to_recordset(%(rows)s) AS changed (customer_id text, transaction_id text)
WHERE (stored.customer_id, stored.transaction_id) = (changed.customer_id, changed.transaction_id)
"""
_ADD = """
INSERT INTO warehouse.window_figures AS stored
    (window_name, start_ms, dimension, member, end_ms,
     count, volume_base_minor, max_base_minor, high_value_count, fraud_count, revision)
SELECT *, 1 FROM json_to_recordset(%(rows)s) AS added (
    window_name text, start_ms bigint, dimension text, member text, end_ms bigint,
    count bigint, volume_base_minor bigint, max_base_minor bigint, high_value_count bigint, fraud_count bigint
)
WHERE added.count > 0 OR EXISTS (
    SELECT FROM warehouse.window_figures AS known
    WHERE (known.window_name, known.start_ms, known.dimension, known.member)
        = (added.window_name, added.start_ms, added.dimension, added.member)
)
ORDER BY window_name, start_ms, dimension, member
ON CONFLICT (window_name, start_ms, dimension, member) DO UPDATE SET
    count = stored.count + excluded.count,
    volume_base_minor = stored.volume_base_minor + excluded.volume_base_minor,
    max_base_minor = greatest(stored.max_base_minor, excluded.max_base_minor),
    high_value_count = stored.high_value_count + excluded.high_value_count,
    fraud_count = stored.fraud_count + excluded.fraud_count,
    revision = stored.revision + 1
"""
_ALL = """
SELECT window_name, start_ms, dimension, member, end_ms,
    count, volume_base_minor, max_base_minor, high_value_count, fraud_count, revision
FROM warehouse.window_figures"""
_ALL_POSITIONS = """
SELECT partition, next_offset, stream_ms FROM warehouse.window_positions WHERE topic_id = %(topic_id)s
"""
_ALL_LABELS = """
SELECT customer_id, transaction_id, label FROM warehouse.window_transactions WHERE label IS NOT NULL
"""
_PSEUDONYMOUS = """
SELECT customer_id, transaction_id, ts_ms, members::text FROM warehouse.window_transactions
WHERE starts_with(customer_id, %(prefix)s) AND source IS NOT NULL
"""
_NOTE_LATE = """
INSERT INTO warehouse.window_late (customer_id, transaction_id, window_name, start_ms, ts_ms, stream_ms)
SELECT * FROM json_to_recordset(%(rows)s) AS late (
    customer_id text, transaction_id text, window_name text, start_ms bigint, ts_ms bigint, stream_ms bigint
)
"""
_TOTALS = f"""
{_ALL}
JOIN json_to_recordset(%(rows)s) AS wanted (window_name text, start_ms bigint, dimension text, member text)
    USING (window_name, start_ms, dimension, member)
ORDER BY window_name, start_ms, dimension, member
"""


def lock_positions(connection: Connection, topic_id: str, partitions: list[int]) -> pl.DataFrame:
    """Where each partition of the topic stands (POSITIONS), held until the transaction ends.

    Whoever comes with messages that another has counted meanwhile sees it here.
    """
    parameters = {"topic_id": topic_id, "partitions": partitions, "never": NEVER}
    connection.execute(_MEET_PARTITIONS, parameters)
    rows = connection.execute(_LOCK_POSITIONS, parameters).fetchall()
    return pl.DataFrame(rows, POSITIONS, orient="row")


def move_positions(connection: Connection, topic_id: str, reached: pl.DataFrame) -> None:
    """`reached`: partition, next_offset and stream_ms."""
    connection.execute(_MOVE_POSITIONS, {"topic_id": topic_id, **_as_parameter(reached)})


def claim(connection: Connection, events: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Bring in transactions (the first stands) and labels (the latest stands); one row a KEY in each.

    Returns their rows as they are now: KEY, source, ts_ms, stream_ms, is_fraud, fraud_counted and DIMENSIONS.
    A label that came before its transaction has no source. Both halves are one row, so that of two workers
    who bring one half each one finds the other.
    """
    coming = events.join(labels, on=KEY, how="full", coalesce=True)
    members = pl.when(pl.col("source").is_not_null()).then(pl.struct(DIMENSIONS))
    parameter = _as_parameter(coming.with_columns(members=members).drop(DIMENSIONS))
    rows = connection.execute(_CLAIM, parameter).fetchall()
    known = pl.DataFrame(rows, _CLAIMED, orient="row")
    return known.with_columns(pl.col("members").str.json_decode(_MEMBERS)).unnest("members")


def settle(connection: Connection, changed: pl.DataFrame) -> None:
    """Remember that the figures count these as fraud now, or do so no longer."""
    connection.execute(_SETTLE, _as_parameter(changed.select(KEY)))


def add(connection: Connection, sums: pl.DataFrame) -> None:
    """Add `sums` to the groups; what only changes frauds is left out where the group is gone."""
    connection.execute(_ADD, _as_parameter(sums))


def note_late(connection: Connection, rows: pl.DataFrame) -> None:
    """The side output: one row for each window that a transaction missed."""
    wanted = rows.select(*KEY, "window_name", "start_ms", "ts_ms", "stream_ms")
    connection.execute(_NOTE_LATE, _as_parameter(wanted))


def totals(connection: Connection, groups: pl.DataFrame) -> pl.DataFrame:
    """The figures of these groups as they are now (FIGURES), in the order of GROUP."""
    rows = connection.execute(_TOTALS, _as_parameter(groups.select(GROUP))).fetchall()
    return pl.DataFrame(rows, FIGURES, orient="row")


def all_figures(connection: Connection) -> pl.DataFrame:
    """Every row of FIGURES, in no order."""
    return pl.DataFrame(connection.execute(_ALL).fetchall(), FIGURES, orient="row")


def all_positions(connection: Connection, topic_id: str) -> pl.DataFrame:
    """POSITIONS of the topic's partitions."""
    rows = connection.execute(_ALL_POSITIONS, {"topic_id": topic_id}).fetchall()
    return pl.DataFrame(rows, POSITIONS, orient="row")


def all_labels(connection: Connection) -> pl.DataFrame:
    """The latest label of each transaction that has one: LABELS of `reading`."""
    return pl.DataFrame(connection.execute(_ALL_LABELS).fetchall(), LABELS, orient="row")


def pseudonymous(connection: Connection, prefix: str) -> pl.DataFrame:
    """What was counted of customers whose id begins so: KEY, ts_ms and DIMENSIONS."""
    rows = connection.execute(_PSEUDONYMOUS, {"prefix": prefix}).fetchall()
    counted = pl.DataFrame(rows, {name: _CLAIMED[name] for name in (*KEY, "ts_ms", "members")}, orient="row")
    return counted.with_columns(pl.col("members").str.json_decode(_MEMBERS)).unnest("members")


def _as_parameter(frame: pl.DataFrame) -> dict[str, str]:
    """The rows as one JSON text: arrays would double the worker's time."""
    return {"rows": frame.write_json()}

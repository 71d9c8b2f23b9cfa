"""The index of dead letters: what stands in `transactions-dlq-v1`, and what was sent again.

Rows of `dead_letters` are facts and never change; what became of a letter is read from its last replay. Bytes
stay in the topic and the lake. A topic that was made anew has another id, and its offsets begin again.
The lake's refused rows, of both doors, keep their table under the lake's own name for them: `quarantined`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"

SCHEMA = "warehouse"
TIME = sa.TIMESTAMP(timezone=True)
PLACE = ("dlq_topic_id", "dlq_partition", "dlq_offset")


def upgrade() -> None:
    _rename("dead_letters", "quarantined")
    _dead_letters()
    _offsets()
    _replays()
    _states()


def downgrade() -> None:
    op.execute(f"DROP VIEW {SCHEMA}.dead_letter_states")
    for table in ("dead_letter_replays", "dead_letter_offsets", "dead_letters"):
        op.drop_table(table, schema=SCHEMA)
    _rename("quarantined", "dead_letters")


def _rename(old: str, new: str) -> None:
    op.rename_table(old, new, schema=SCHEMA)
    for suffix in ("error", "pkey"):
        op.execute(f"ALTER INDEX {SCHEMA}.{old}_{suffix} RENAME TO {new}_{suffix}")


def _place() -> tuple[sa.Column[str], sa.Column[int], sa.Column[int]]:
    return (
        sa.Column(PLACE[0], sa.Text, primary_key=True),
        sa.Column(PLACE[1], sa.Integer, primary_key=True),
        sa.Column(PLACE[2], sa.BigInteger, primary_key=True),
    )


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        *_place(),
        sa.Column("source_topic", sa.Text, nullable=False),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("refused_at", TIME, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("field", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("masked", sa.Boolean, nullable=False),
        sa.Column("pan_hashes", ARRAY(sa.Text), nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("replay_of", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("dead_letters_error", "dead_letters", ["error", "refused_at"], schema=SCHEMA)
    op.create_index("dead_letters_refused_at", "dead_letters", ["refused_at"], schema=SCHEMA)


def _offsets() -> None:
    """How far the index has read, written with the rows."""
    op.create_table(
        "dead_letter_offsets",
        *_place()[:2],
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )


def _replays() -> None:
    """What was to be sent again, and once it is certain that it was: when."""
    op.create_table(
        "dead_letter_replays",
        *_place(),
        sa.Column("replay_id", sa.Text, primary_key=True),
        sa.Column("fixed", sa.Boolean, nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.ForeignKeyConstraint(PLACE, [f"{SCHEMA}.dead_letters.{name}" for name in PLACE]),
        schema=SCHEMA,
    )
    op.create_index(
        "dead_letter_replays_unsettled",
        "dead_letter_replays",
        ["replay_id"],
        schema=SCHEMA,
        postgresql_where="sent_at IS NULL",
    )


def _states() -> None:
    place = ", ".join(PLACE)
    op.execute(
        f"""
        CREATE VIEW {SCHEMA}.dead_letter_states AS
        SELECT letter.*,
               CASE WHEN last.replay_id IS NULL THEN 'open'
                    WHEN last.sent_at IS NULL THEN 'sending'
                    WHEN last.fixed THEN 'fixed'
                    ELSE 'replayed' END AS status,
               last.sent_at AS replayed_at,
               last.replay_id
        FROM {SCHEMA}.dead_letters AS letter
        LEFT JOIN (
            SELECT DISTINCT ON ({place}) {place}, replay_id, fixed, sent_at
            FROM {SCHEMA}.dead_letter_replays ORDER BY {place}, planned_at DESC
        ) AS last USING ({place})
        """  # noqa: S608 - names of our own
    )

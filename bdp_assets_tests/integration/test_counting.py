"""Counting into a real PostgreSQL: once, whatever the batches, whoever comes again or at the same time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bdp_assets.clients import postgres
from bdp_assets.clients.kafka import Message
from bdp_assets.clients.postgres import Warehouse, WarehouseRefused, WarehouseUnavailable, connect
from bdp_assets.contracts.codec import decode_dead_letter, decode_window_aggregate, encode
from bdp_assets.contracts.notices import EARLIEST_MS
from bdp_assets.contracts.records import Label, ValidatedTransaction, WindowAggregate
from bdp_assets.contracts.topics import ANALYTICS, DLQ, LABELS, VALIDATED
from bdp_assets.features.times import HOUR, MINUTE
from bdp_assets.operations import migrations
from bdp_assets.operations.window_retention import forget
from bdp_assets.settings import Settings
from bdp_assets.streaming.analytics.catalog import WINDOWS
from bdp_assets.streaming.analytics.process import Analytics
from bdp_assets.streaming.analytics.tables import lock_positions
from bdp_assets.streaming.items import Output
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.unit.streaming.analytics.naive import (
    Figures,
    Log,
    Naive,
    logs,
    naive,
    partition_of,
    transaction,
)

pytestmark = pytest.mark.services
DOCS = Path(__file__).parents[2] / "docs" / "analytics.md"


@pytest.fixture(scope="module")
def warehouse(platform: Platform) -> Iterator[Settings]:
    migrations.upgrade(platform.settings)
    yield platform.settings
    migrations.downgrade(platform.settings, "base")


@pytest.fixture
def settings(warehouse: Settings) -> Settings:
    """The warehouse with nothing counted."""
    empty(warehouse)
    return warehouse


def empty(warehouse: Settings) -> None:
    tables = ("window_figures", "window_late", "window_transactions", "window_positions")
    with connect(warehouse) as connection:
        connection.execute("TRUNCATE " + ", ".join(f"warehouse.{name}" for name in tables))


@contextmanager
def worker(settings: Settings) -> Iterator[Analytics]:
    session = Warehouse(settings)
    try:
        yield Analytics(session, lambda: "TOPIC", pan_key=PAN_KEY)
    finally:
        session.close()


def messages(log: Log) -> list[Message]:
    """On the validated topic; offsets have holes, as transaction markers leave."""
    return [
        Message(VALIDATED.name, partition, 2 * number, NOW_MS, one.customer_id.encode(), encode(one))
        for number, (partition, one) in enumerate(log)
    ]


def told(labels: Sequence[Label]) -> list[Message]:
    return [
        Message(LABELS.name, partition_of(one.customer_id), number, NOW_MS, None, encode(one))
        for number, one in enumerate(labels)
    ]


def label(customer: str, name: str, known_at_ms: int = EARLIEST_MS, *, is_fraud: bool = True) -> Label:
    return Label(customer_id=customer, transaction_id=name, is_fraud=is_fraud, known_at_ms=known_at_ms)


def query(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def state(settings: Settings) -> Naive:
    figures = query(
        settings,
        "SELECT window_name, start_ms, dimension, member, end_ms, count, volume_base_minor, max_base_minor, "
        "high_value_count, fraud_count FROM warehouse.window_figures",
    )
    late = query(
        settings, "SELECT customer_id, transaction_id, window_name, start_ms FROM warehouse.window_late"
    )
    return Naive({row[:4]: Figures(*row[4:]) for row in figures}, sorted(late))


def newest(outputs: Sequence[Output]) -> list[WindowAggregate]:
    """What a reader of the topic keeps, in any order it reads them."""
    kept: dict[tuple[str, str, int], WindowAggregate] = {}
    for output in outputs:
        assert output.topic == ANALYTICS.name
        record = decode_window_aggregate(output.value)
        assert output.key == record.group
        place = (record.group, record.window, record.start_ms)
        if place not in kept or record.revision > kept[place].revision:
            kept[place] = record
    return [kept[place] for place in sorted(kept)]


def stored(settings: Settings) -> list[WindowAggregate]:
    """The table's rows as the topic would have them, means and rates as the table computes them."""
    rows = query(
        settings,
        "SELECT to_jsonb(f) || jsonb_build_object('window', window_name, 'group', "
        "concat_ws(':', dimension, member)) FROM warehouse.window_figures AS f",
    )
    records = [msgspec.convert(row, WindowAggregate) for (row,) in rows]
    return sorted(records, key=lambda record: (record.group, record.window, record.start_ms))


known_labels = st.lists(
    st.builds(
        Label,
        customer_id=st.sampled_from([f"c{number}" for number in range(5)]),
        transaction_id=st.sampled_from([f"t{number}" for number in range(8)]),
        is_fraud=st.booleans(),
        known_at_ms=st.integers(EARLIEST_MS, EARLIEST_MS + 5),
    ),
    max_size=20,
)


@effort(
    max_examples=cases(50),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(logs(25), known_labels, st.data())
def test_whatever_the_batches_the_figures_are_those_of_the_naive_reader(
    warehouse: Settings, log: Log, labels: list[Label], data: st.DataObject
) -> None:
    """Batches of any size, each maybe twice, maybe after a later one; labels anywhere; two workers."""
    empty(warehouse)
    ahead, news = messages(log), told(data.draw(st.permutations(labels)))
    outputs: list[Output] = []
    batches: list[list[Message]] = []
    with worker(warehouse) as one, worker(warehouse) as other:
        while ahead or news:
            batch = take(ahead, data) + take(news, data) or [(ahead or news).pop(0)]
            again = data.draw(st.sampled_from([*batches[-3:], []]))
            batches.append(batch)
            for each in (batch, again):
                outputs += data.draw(st.sampled_from([one, other]))(each)

    assert state(warehouse) == naive(log, labels)
    assert newest(data.draw(st.permutations(outputs))) == stored(warehouse)


def take(messages: list[Message], data: st.DataObject) -> list[Message]:
    number = data.draw(st.integers(0, len(messages)))
    taken, messages[:] = messages[:number], messages[number:]
    return taken


def test_a_sleeper_that_wakes_up_with_an_old_batch_changes_nothing(settings: Settings) -> None:
    log = [(0, transaction("c0", f"t{n}", n * MINUTE, country="US")) for n in range(90)]
    batch = messages(log)
    with worker(settings) as awake, worker(settings) as sleeper:
        awake(batch)
        before = stored(settings)
        outputs = sleeper(batch[10:40])

    assert stored(settings) == before
    assert all(record in before for record in newest(outputs)), (
        "and it tells what stands now, not what it would have counted"
    )


def test_a_batch_that_dies_before_its_commit_leaves_no_trace(settings: Settings) -> None:
    batch = messages([(0, transaction("c0", "t", 5, country="US"))])
    with worker(settings) as analytics:
        analytics([])
        query(
            settings, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        with pytest.raises(WarehouseUnavailable):
            analytics(batch)
        assert state(settings) == Naive()

        analytics(batch)

        assert state(settings) == naive([(0, transaction("c0", "t", 5, country="US"))])


def test_who_was_stopped_inside_a_transaction_loses_it_and_holds_nobody_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = [(0, transaction("c0", "t", 5, country="US"))]
    with worker(settings) as other:
        monkeypatch.setattr(postgres, "IDLE_TIMEOUT_MS", 300)
        stopped = Warehouse(settings)
        with pytest.raises(WarehouseUnavailable), stopped.transaction() as connection:
            lock_positions(connection, "TOPIC", [0])
            other(messages(log))  # waits, until the server gives the sleeper up
            connection.execute("SELECT 1")

    assert state(settings) == naive(log)


def test_workers_on_the_same_groups_wait_for_each_other_and_lose_nothing(settings: Settings) -> None:
    logs = [
        [(p, transaction(f"c{p}", f"t{n}", n * 1000, country="US", channel=f"ch{n % 3}")) for n in range(300)]
        for p in range(3)
    ]
    labels = [label(f"c{p}", f"t{n}") for n in range(0, 300, 7) for p in range(3)]
    shares = [[messages(log)[at : at + 20] for at in range(0, 300, 20)] for log in logs]
    shares.append([told(labels)[at : at + 10] for at in range(0, len(labels), 10)])
    failures: list[WarehouseUnavailable] = []

    def run(batches: list[list[Message]]) -> None:
        try:
            with worker(settings) as analytics:
                for batch in batches:
                    analytics(batch)
        except WarehouseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(batches,)) for batches in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures, "no deadlock"
    assert state(settings) == naive([one for log in logs for one in log], labels)


def test_a_label_changes_the_rate_and_a_reversal_takes_it_back(settings: Settings) -> None:
    with worker(settings) as analytics:
        analytics(messages([(0, transaction("c0", name, HOUR, country="US")) for name in "abcd"]))

        def tell(name: str, after_ms: int, *, is_fraud: bool) -> set[float]:
            one = label("c0", name, EARLIEST_MS + after_ms, is_fraud=is_fraud)
            return {record.fraud_rate for record in newest(analytics(told([one])))}

        assert tell("a", 1, is_fraud=True) == {0.25}
        assert tell("b", 1, is_fraud=True) == {0.5}
        assert tell("a", 3, is_fraud=False) == {0.25}
        assert tell("a", 2, is_fraud=True) == {0.25}, "an older label changes nothing"
        assert tell("unknown", 2, is_fraud=True) == set()
    assert {record.fraud_rate for record in stored(settings)} == {0.25}


def test_what_is_no_transaction_goes_to_the_dead_letters_and_the_rest_counts(settings: Settings) -> None:
    good = transaction("c0", "t", HOUR, country="US")
    huge: ValidatedTransaction = transaction("c0", "u", HOUR, amount=2**63, country="US")
    nul, long = (transaction("c0", "v", HOUR, country=text) for text in ("\0", "US" * 5_000))
    values = [b"{", None, encode(good), b"\xff", encode(huge), encode(nul), encode(long)]
    batch = [Message(VALIDATED.name, 0, n, NOW_MS, None, value) for n, value in enumerate(values)]
    bad_labels = [Message(LABELS.name, 0, 0, NOW_MS, None, b"{"), *told([label("\0c0", "t")])]

    with worker(settings) as analytics:
        outputs = analytics([*batch, *bad_labels])

    letters = [decode_dead_letter(output.value) for output in outputs if output.topic == DLQ.name]
    assert [(one.source_offset, one.error) for one in letters] == [
        (offset, "not_decodable") for offset in (0, 1, 3, 4, 5, 6)
    ]
    assert {record.count for record in stored(settings)} == {1}


def test_what_postgresql_refuses_is_told_without_a_value(settings: Settings) -> None:
    with worker(settings) as analytics:
        analytics(messages([(0, transaction("c0", "t", HOUR, amount=2**52, country="US"))]))
    query(settings, "UPDATE warehouse.window_figures SET volume_base_minor = 9223372036854775807 RETURNING 1")

    with worker(settings) as analytics, pytest.raises(WarehouseRefused) as refused:
        analytics(
            [
                Message(
                    VALIDATED.name,
                    0,
                    1,
                    NOW_MS,
                    None,
                    encode(transaction("c0", "secret", HOUR, country="US")),
                )
            ]
        )
    assert "22003" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_what_is_old_is_forgotten_and_what_is_not_stays(settings: Settings) -> None:
    days = settings.model_copy(update={"analytics_days": 1})
    old, young = (
        [(0, transaction("c0", f"t{ms}", ms, country="US")) for ms in (start, start + HOUR)]
        for start in (EARLIEST_MS, EARLIEST_MS + 30 * HOUR)
    )
    late = (0, transaction("c1", "late", EARLIEST_MS + 2 * HOUR, country="US"))
    labels = [label("c0", name) for name in (f"t{EARLIEST_MS}", "waits")]
    labels.append(label("c0", "waits-too", EARLIEST_MS + 31 * HOUR))
    with worker(settings) as analytics:
        analytics([*messages([*old, *young, late]), *told(labels)])

    forgotten = forget(days)

    assert forgotten["window_transactions"] == 4, "two old ones, a late one, and a label"
    assert state(settings) == naive(young)
    assert query(settings, "SELECT count(*) FROM warehouse.window_transactions") == [(3,)]
    assert not any(forget(days).values())


def test_the_queries_of_the_docs_find_what_was_counted(settings: Settings) -> None:
    log = [
        (0, transaction("c0", f"t{n}", ms, merchant_category="grocery")) for n, ms in enumerate((9 * HOUR, 5))
    ]
    with worker(settings) as analytics:
        analytics(messages(log))

    figures, late = (
        query(settings, block) for block in re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    )

    assert figures == [(datetime(1970, 1, 1, 9, tzinfo=UTC), "grocery", 1, 1, 0.0)]
    assert late == [(window.name, 1, 1) for window in sorted(WINDOWS, key=lambda window: window.name)]


def test_a_warehouse_without_our_tables_says_what_to_do(settings: Settings) -> None:
    migrations.downgrade(settings, "0001")
    try:
        with worker(settings) as analytics, pytest.raises(WarehouseUnavailable, match="bdp migrate"):
            analytics(messages([(0, transaction("c0", "t", 5))]))
    finally:
        migrations.upgrade(settings)

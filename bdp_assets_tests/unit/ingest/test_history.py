"""The history door: every row once, on its day, from any file format."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.columns import RAW
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import minor_units
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.ingest.history import date_range, labels, raw_rows, replay
from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistoryMissing, HistorySource
from bdp_assets.settings import Settings
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.ingest.source_files import PLAIN, bodies, mapping, source
from bdp_assets_tests.unit.ingest.sources.entries import entry

ROOT = Path(__file__).resolve().parents[3]
HANDBOOK = ROOT.parent / "shared" / "data" / "handbook_raw.parquet"
FIRST = datetime(2024, 1, 15, tzinfo=UTC)


def frame(minutes: list[int]) -> pl.DataFrame:
    """Transactions so many minutes after midnight of the first day."""
    return pl.DataFrame(
        {
            "id": [f"T{n}" for n in range(len(minutes))],
            "customer": ["C1"] * len(minutes),
            "amount": [n + 0.5 for n in range(len(minutes))],
            "time": [FIRST + timedelta(minutes=m) for m in minutes],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC"), "amount": pl.Float64},
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=cases(30))
@given(minutes=st.lists(st.integers(0, 4 * 1440), min_size=1, max_size=30))
def test_days_add_up_to_the_whole_and_each_row_is_on_its_day(tmp_path: Path, minutes: list[int]) -> None:
    history = source(frame(minutes), tmp_path, PLAIN)
    first, last = date_range(history)
    whole = raw_rows(history, first, last)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    parts = [raw_rows(history, day, day) for day in days]
    assert pl.concat(parts).equals(whole)
    assert whole.height == len(minutes)
    for day, part in zip(days, parts, strict=True):
        assert part["event_date"].unique().to_list() in ([day], [])


def test_rows_are_those_of_the_raw_table_by_time(tmp_path: Path) -> None:
    rows = raw_rows(source(frame([30, 10, 20]), tmp_path, PLAIN), FIRST.date(), FIRST.date())
    assert rows.schema == RAW
    assert [body["transaction_id"] for body in bodies(rows)] == ["T1", "T2", "T0"]
    assert rows["door"].unique().to_list() == ["history"]
    assert rows.select("topic", "partition", "offset", "value_base64").null_count().row(0) == (3, 3, 3, 3)
    assert rows["received_ms"].to_list() == [int(FIRST.timestamp() * 1000) + m * 60_000 for m in (10, 20, 30)]


def test_rows_without_a_readable_time_are_refused_on_the_first_day_and_not_lost(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"id": ["T0", "T1", "T2"], "customer": ["C1"] * 3, "amount": ["1", "2", "3"]}
        | {"time": ["2024-01-16T00:00:00Z", "yesterday", "2024-01-15T00:00:00Z"]}
    )
    history = source(table, tmp_path, PLAIN, "csv")
    assert date_range(history) == (date(2024, 1, 15), date(2024, 1, 16))
    assert raw_rows(history, date(2024, 1, 16), date(2024, 1, 16)).height == 1
    first_day = raw_rows(history, date(2024, 1, 15), date(2024, 1, 15))
    assert sorted(body["transaction_id"] for body in bodies(first_day)) == ["T1", "T2"]
    unreadable = first_day.filter(pl.col("value").str.contains("yesterday"))
    with pytest.raises(ContractError) as refused:
        decode_transaction(unreadable["value"][0].encode(), received_ms=unreadable["received_ms"][0])
    assert refused.value.field == "timestamp"


def test_formats_give_the_same_rows(tmp_path: Path) -> None:
    table = frame([5, 1445]).with_columns(
        time=pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), customer=pl.Series(["007", 'a"b'])
    )
    values = []
    for ending in ("parquet", "csv", "ndjson"):
        folder = tmp_path / ending
        folder.mkdir()
        rows = raw_rows(source(table, folder, PLAIN, ending), FIRST.date(), date(2024, 1, 16))
        values.append([(b["customer_id"], minor_units(b["amount"], 2), b["timestamp"]) for b in bodies(rows)])
    assert values[0] == values[1] == values[2]
    assert values[0][0] == ("007", 50, "2024-01-15T00:05:00Z")


def test_replay_goes_on_where_history_ends(tmp_path: Path) -> None:
    history = source(frame([0, 1440, 3 * 1440, 1439]), tmp_path, PLAIN)
    past = raw_rows(history, FIRST.date(), FIRST.date())["value"].to_list()
    later = list(replay(history, date(2024, 1, 16)))
    assert [row.transaction_id for row in later] == ["T1", "T2"]
    assert [*past, *(row.value.decode() for row in later)] == raw_rows(
        history, FIRST.date(), date(2024, 1, 18)
    )["value"].to_list()
    assert [*replay(history, date(2024, 2, 1))] == []


def test_labels_in_a_column_are_events_of_a_later_day(tmp_path: Path) -> None:
    table = frame([0, 10, 1440]).with_columns(fraud=pl.Series([1, 0, 1]), shop=pl.Series([5, 6, 7]))
    mapped = mapping(merchant_id="shop") | {"labels": {"is_fraud": "fraud", "known_after_days": 3}}
    history = source(table, tmp_path, mapped)
    assert labels(history, FIRST.date(), date(2024, 1, 17)).is_empty()
    known = labels(history, date(2024, 1, 18), date(2024, 1, 18))
    start = int(FIRST.timestamp() * 1000)
    assert known.rows() == [("T0", "C1", True, start + 3 * 86_400_000, "5", start)]
    assert labels(history, date(2024, 1, 18), date(2024, 1, 19)).height == 2


@pytest.mark.parametrize(
    ("column", "value"), [([True, False], 1), (["yes", "no"], "yes"), ([2, 1], 2), ([1.0, 0.0], 1)]
)
def test_fraud_in_any_words(tmp_path: Path, column: list[object], value: object) -> None:
    table = frame([0, 1]).with_columns(fraud=pl.Series(column))
    rules = {"is_fraud": "fraud", "fraud_value": value, "known_after_days": 0}
    history = source(table, tmp_path, {**PLAIN, "labels": rules})
    assert labels(history, FIRST.date(), FIRST.date())["transaction_id"].to_list() == ["T0"]


def test_a_file_of_labels_gives_reversals_too(tmp_path: Path) -> None:
    start = int(FIRST.timestamp() * 1000)
    pl.DataFrame(
        {"tx": ["T0", "T0"], "who": [1, 1], "fraud": [False, True], "known": [start + 2, start + 1]}
    ).write_csv(tmp_path / "chargebacks.csv")
    rules = {
        "file": "chargebacks.csv",
        "fields": {"transaction_id": "tx", "customer_id": {"column": "who", "prefix": "C"}},
        "is_fraud": "fraud",
        "fraud_value": "true",
        "known_at": {"column": "known", "unit": "ms"},
    }
    known = labels(source(frame([0]), tmp_path, {**PLAIN, "labels": rules}), FIRST.date(), FIRST.date())
    assert known.rows() == [
        ("T0", "C1", True, start + 1, None, None),
        ("T0", "C1", False, start + 2, None, None),
    ]


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissing, match="bdp simulate history"):
        date_range(HistorySource.from_settings(Settings(home=tmp_path, history_file=None)))


def test_a_file_that_is_not_there_is_told_by_what_names_it(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissing, match=r"none\.csv\. Name one that is there\.$"):
        HistorySource(tmp_path / "none.csv").scan()
    with pytest.raises(HistoryMissing, match="mend `location` of source shop"):
        HistorySource.of_entry(entry(tmp_path)).scan()


def test_another_format_says_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "data.xlsx").touch()
    with pytest.raises(HistoryMissing, match=r"\.parquet, \.csv"):
        date_range(HistorySource(tmp_path / "data.xlsx"))


@pytest.mark.handbook
@pytest.mark.skipif(not HANDBOOK.exists(), reason="the reference data is not beside the project")
def test_the_handbooks_data_keeps_the_contract() -> None:
    history = HistorySource(HANDBOOK, load_mapping(ROOT / "deploy" / "sources" / "handbook.yaml"))
    assert date_range(history) == (date(2018, 4, 1), date(2018, 9, 30))
    day = date(2018, 8, 31)
    rows = raw_rows(history, day, day)
    table = pl.read_parquet(HANDBOOK).filter(pl.col("TX_DATETIME").dt.date() == day).sort("TX_DATETIME")
    records = [
        decode_transaction(value.encode(), received_ms=received)
        for value, received in zip(rows["value"], rows["received_ms"], strict=True)
    ]
    assert [r.transaction_id for r in records] == [f"T{n}" for n in table["TRANSACTION_ID"]]
    assert [r.amount_minor for r in records] == (table["TX_AMOUNT"] * 100).round().cast(int).to_list()
    frauds = labels(history, date(2018, 9, 7), date(2018, 9, 7))
    assert frauds.height == table["TX_FRAUD"].sum()

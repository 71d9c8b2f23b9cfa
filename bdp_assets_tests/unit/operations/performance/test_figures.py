"""Matured figures against an oracle that reads decisions and labels in plain loops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bdp_assets.contracts.columns import EVENT_DATE, event_date
from bdp_assets.decisions.policy import Costs
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations.performance import measuring
from bdp_assets.operations.performance.figures import CHALLENGER, CHAMPION, RIVAL, SCHEMA
from bdp_assets.operations.performance.measuring import Performance, measure
from bdp_assets.scoring.bundle import MANIFEST, Bundle
from bdp_assets.settings import Settings
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.lake_in_memory import LakeInMemory
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.operations.performance import oracle
from bdp_assets_tests.unit.operations.performance.oracle import DAY, HOUR, Made, Said

AS_OF = date(2026, 3, 10)
AS_OF_MS = int(datetime(2026, 3, 10, tzinfo=UTC).timestamp() * 1000)
DELAY, DAYS = 2, 28
COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=2)
BATCH_OR_LIVE = ("api", "stream", "stream", "batch")
IDS = {"customer": st.sampled_from("abc"), "transaction": st.sampled_from(["1", "2", "3", "4"])}
DECISION = st.sampled_from(["approve", "review", "decline"])


@st.composite
def decisions(draw: st.DrawFn) -> list[Made]:
    """Of few ids, so that many are decided twice; some before and after the mature days, at their edges."""
    hours = st.one_of(st.integers(-31 * 24, 0), st.sampled_from([-48, -49, -30 * 24, -30 * 24 - 1]))
    one = st.builds(
        dict,
        **IDS,
        ts_ms=hours.map(lambda hour: AS_OF_MS + hour * HOUR),
        amount=st.sampled_from([999, 1_000, 12_345, 70_000]),
        probability=st.sampled_from([0.0, 0.0015, 0.05, 0.2, 0.25, 0.9, 1.0]),
        decision=DECISION,
        without_lists=st.one_of(st.none(), DECISION),
        version=st.sampled_from(["x", "y"]),
        by=st.sampled_from(BATCH_OR_LIVE),
    )
    return [
        Made(**fields, decided_at_ms=number)
        for number, fields in enumerate(draw(st.lists(one, min_size=1, max_size=25)))
    ]


LABELS = st.lists(
    st.builds(
        Said,
        **IDS,
        is_fraud=st.booleans(),
        # Some in the same millisecond, and at the midnight itself.
        known_at_ms=st.one_of(st.integers(-20 * 24, 24), st.sampled_from([-24, 0, 1])).map(
            lambda hour: AS_OF_MS + hour * HOUR
        ),
    ),
    max_size=25,
)


def lake_of(made: Sequence[Made], said: Sequence[Said], shadow: pl.DataFrame | None = None) -> LakeInMemory:
    """Landed in another order than they were made in."""
    predictions = [
        {
            "customer_id": one.customer,
            "transaction_id": one.transaction,
            "ts_ms": one.ts_ms,
            "amount_base_minor": one.amount,
            "fraud_probability": one.probability,
            "decision": one.decision,
            "decision_without_lists": one.without_lists,
            "model_version": one.version,
            "decided_by": one.by,
            "decided_at_ms": one.decided_at_ms,
            "features": json.dumps({"is_night": float(one.ts_ms // HOUR % 24 < 6)}),
        }
        for one in reversed(made)
    ]
    labels = [
        {
            "customer_id": one.customer,
            "transaction_id": one.transaction,
            "is_fraud": one.is_fraud,
            "known_at_ms": one.known_at_ms,
        }
        for one in reversed(said)
    ]
    tables = {
        "predictions": _table("predictions", predictions, "ts_ms"),
        "labels": _table("labels", labels, "known_at_ms"),
    }
    return LakeInMemory(tables if shadow is None else {**tables, "shadow_scores": shadow})


def _table(name: str, rows: list[dict[str, Any]], time_ms: str) -> pl.DataFrame:
    schema = {column: dtype for column, dtype in TABLES[name].items() if column != EVENT_DATE}
    return pl.DataFrame(rows, schema=schema).with_columns(event_date(time_ms))


def measured(lake: LakeInMemory, home: Path = Path("/nowhere")) -> Performance:
    settings = Settings(_env_file=None, home=home, label_delay_days=DELAY)  # type: ignore[call-arg]
    with mock.patch.object(measuring, "costs_here", lambda bundles: COSTS):
        return measure(settings, lake, AS_OF)


@given(made=decisions(), said=LABELS)
@hypothesis_settings(max_examples=cases(100), deadline=None)
def test_figures_are_those_of_plain_loops(made: list[Made], said: list[Said]) -> None:
    """Reversed labels, labels that come later than the midnight, decisions that came twice, batch ones."""
    found = measured(lake_of(made, said))
    rows = oracle.mature(made, said, AS_OF_MS, DELAY, DAYS)
    expected = {}
    for version in {one.version for one, _ in rows}:
        mine = [row for row in rows if row[0].version == version]
        expected[version, "all"] = mine
        for night in (True, False):
            part = [row for row in mine if (row[0].ts_ms // HOUR % 24 < 6) == night]
            if part:
                expected[version, "night" if night else "day"] = part
    figures = found.figures.filter(pl.col("segment").is_in(["all", "time"]))
    assert {(row["model_version"], row["member"]) for row in figures.iter_rows(named=True)} == set(expected)
    for row in figures.iter_rows(named=True):
        part = expected[row["model_version"], row["member"]]
        wanted = oracle.figures(part, COSTS.review_minor, COSTS.false_decline_minor, COSTS.reviews_per_day)
        if row["segment"] != "all":
            wanted["card_precision"] = None
        assert {name: row[name] for name in wanted} == pytest.approx(wanted), row["member"]
        assert row["role"] == CHAMPION


def test_a_challenger_is_judged_beside_who_decided_on_what_it_did_not_learn_from(tmp_path: Path) -> None:
    """It learned until the sixth day of twelve; of the last two days labels are not due."""
    start = AS_OF_MS - 12 * DAY
    made = [
        Made(f"c{n % 7}", str(n), start + n * 8 * HOUR, 900 + n, n % 10 / 10, "review", None, "x", "api", n)
        for n in range(36)
    ]
    said = [Said(one.customer, one.transaction, True, one.ts_ms + HOUR) for one in made[::4]]
    would = [replace(one, probability=1 - one.probability, decision="approve", version="9") for one in made]
    shadow = [
        {
            "customer_id": one.customer,
            "transaction_id": one.transaction,
            "ts_ms": one.ts_ms,
            "challenger_version": one.version,
            "challenger_score": one.probability,
            "challenger_decision": one.decision,
        }
        for one in would
    ]
    _bundle(tmp_path / "models" / "9", learned_until_ms=start + 6 * DAY)
    found = measured(lake_of(made, said, _table("shadow_scores", shadow, "ts_ms")), tmp_path)
    for role, side in ((CHALLENGER, would), (RIVAL, made)):
        rows = oracle.mature(side, said, AS_OF_MS, DELAY, 4)
        wanted = oracle.figures(rows, COSTS.review_minor, COSTS.false_decline_minor, COSTS.reviews_per_day)
        (row,) = found.figures.filter(role=role, segment="all", model_version="9").to_dicts()
        assert wanted["transactions"] == 12
        assert {name: row[name] for name in wanted} == pytest.approx(wanted)
    contest = found.contests["9"]["average_precision"]
    both = found.figures.filter(segment="all")
    sides = {row["role"]: row["average_precision"] for row in both.to_dicts()}
    assert (contest.one, contest.other) == pytest.approx((sides[CHALLENGER], sides[RIVAL]))


def _bundle(folder: Path, *, learned_until_ms: int) -> None:
    tiny = Bundle.read(tiny_bundle(folder, rows=300))
    training = msgspec.structs.replace(tiny.manifest.training, train_end_ms=learned_until_ms)
    manifest = msgspec.structs.replace(tiny.manifest, training=training)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))


@pytest.mark.parametrize("order", [1, -1])
def test_of_labels_of_one_millisecond_the_fraud_stands_in_whatever_order_they_landed(order: int) -> None:
    made = [Made("a", "1", AS_OF_MS - 5 * DAY, 100, 0.5, "review", None, "unregistered-x", "api", 1)]
    said = [Said("a", "1", is_fraud, AS_OF_MS) for is_fraud in (True, False)][::order]
    found = measured(lake_of(made, said))
    assert found.figures["frauds"].to_list() == [1] * len(found.figures)


def test_nothing_is_mature_in_an_empty_lake() -> None:
    found = measured(LakeInMemory({}))
    assert found.figures.schema == pl.Schema(SCHEMA)
    assert (len(found.figures), found.contests, found.decays, found.not_judged) == (0, {}, [], {})


def test_a_version_that_nobody_knows_has_figures_and_is_not_judged() -> None:
    made = [Made("a", "1", AS_OF_MS - 5 * DAY, 100, 0.5, "approve", None, "unregistered-x", "api", 1)]
    found = measured(lake_of(made, []))
    assert len(found.figures) == 4
    assert "never registered" in found.not_judged["unregistered-x"]

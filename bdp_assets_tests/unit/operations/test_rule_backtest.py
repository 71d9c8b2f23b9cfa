"""A back-test says what reading the tables row by row says."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.lake import Lake, TableMissing
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.decisions.catalog import RULES
from bdp_assets.decisions.rules import RuleCatalog, load_rules
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations.rule_backtest import Backtest, backtest
from bdp_assets.operations.rule_history import NothingToTest
from bdp_assets.settings import get_settings, variables
from bdp_assets_tests.effort import cases

START = date(2026, 3, 1)
DAYS = 4
CANDIDATE = """
rules:
- {name: dear, when: amount_value >= threshold, threshold: 6, severity: high, action: review, reason: dear}
- {name: abroad, when: country == "FR" and hour < 5, severity: medium, action: flag, reason: abroad}
- {name: minor_units, when: amount_base_minor >= 500, severity: medium, action: decline, reason: a lot}
- {name: never, when: channel == "moon", severity: medium, action: decline, reason: none}
"""
WHENS = {
    "dear": "amount_value >= 6",
    "abroad": "country == 'FR' and hour < 5",
    "minor_units": "amount_base_minor >= 500",
    "never": "channel == 'moon'",
}
FLAGGED = {"score_at_review", "score_at_decline", "expected_cost_review", "expected_cost_decline"}
Row = dict[str, Any]


def candidate(folder: Path) -> RuleCatalog:
    file = folder / "candidate.yaml"
    file.write_text(CANDIDATE)
    return load_rules(file)


def history(seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Enriched transactions, decisions and labels, with all that can be odd about them."""
    random = Random(seed)
    enriched, decided, labels = [], [], []
    for number in range(60):
        day = START + timedelta(days=random.randrange(DAYS))
        key = {"customer_id": f"c{random.randrange(8)}", "transaction_id": f"t{number}"}
        features = {name: float(random.randrange(10)) for name in CATALOG.names}
        facts = {"amount_base_minor": random.randrange(1000), "country": random.choice(["US", "FR", None])}
        catalog = CATALOG.version if random.random() < 0.9 else "other"
        enriched.append({**key, **features, **facts, "catalog_version": catalog, EVENT_DATE: day})
        if random.random() < 0.8:
            code = random.choice(["score_below_review", "expected_cost_approve", *sorted(FLAGGED)])
            reasons = [
                {"code": c, "text": "-"} for c in random.sample([code, "rule:dear"], random.randint(1, 2))
            ]
            decided.append({**key, "reasons": json.dumps(reasons, separators=(",", ":")), EVENT_DATE: day})
        for turn in range(random.choice([0, 0, 1, 1, 2])):
            known = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1 + turn)
            is_fraud = random.random() < 0.7
            known_at_ms = int(known.timestamp() * 1000)
            labels.append({**key, "is_fraud": is_fraud, "known_at_ms": known_at_ms, EVENT_DATE: known.date()})
    random.shuffle(labels)
    return enriched, decided, labels


def write(folder: Path, tables: tuple[list[Row], list[Row], list[Row]]) -> Lake:
    lake = Lake(str(folder / "lake"))
    for name, rows in zip(("enriched", "predictions", "labels"), tables, strict=True):
        if rows:
            frame = pl.DataFrame(rows, infer_schema_length=None)
            whole = pl.concat([pl.DataFrame(schema=TABLES[name]), frame], how="diagonal_relaxed")
            lake.append(name, whole.cast(dict(TABLES[name])))  # type: ignore[arg-type]
    return lake


def flags(features: Any, amounts: Any) -> Any:
    """A model that flags by its last feature, and a policy that looks at the amount too."""
    return (features[:, -1] >= 5) & (amounts >= 300)


def naively(tables: tuple[list[Row], list[Row], list[Row]], first: date, last: date, rule: str | None) -> Row:
    """Reads every row, and for each of them every decision and label. `rule` None: any."""
    enriched, decided, labels = tables
    told: Row = {"hits": 0, "frauds": 0, "fraud_amount_minor": 0, "already_flagged": 0, "added_frauds": 0}
    good, days, all_frauds = set(), set(), 0
    for row in enriched:
        if not first <= row[EVENT_DATE] <= last or row["catalog_version"] != CATALOG.version:
            continue
        key = row["customer_id"], row["transaction_id"]
        known = [one for one in labels if (one["customer_id"], one["transaction_id"]) == key]
        is_fraud = bool(known) and max(known, key=lambda one: one["known_at_ms"])["is_fraud"]
        days.add(row[EVENT_DATE])
        said = [one["reasons"] for one in decided if (one["customer_id"], one["transaction_id"]) == key]
        flagged = row[CATALOG.names[-1]] >= 5 and row["amount_base_minor"] >= 300
        if said:
            codes = {reason["code"] for reason in json.loads(said[0])}
            flagged = bool(codes & FLAGGED)
        all_frauds += is_fraud
        names = {**row, "channel": None}
        if not any(eval(WHENS[name], {}, names) for name in (WHENS if rule is None else [rule])):  # noqa: S307
            continue
        told["hits"] += 1
        told["already_flagged"] += flagged
        if is_fraud:
            told["frauds"] += 1
            told["fraud_amount_minor"] += row["amount_base_minor"]
            told["added_frauds"] += not flagged
        else:
            good.add(row["customer_id"])
    return {
        **told,
        "good_customers": len(good),
        "hits_per_day": told["hits"] / len(days),
        "precision": told["frauds"] / told["hits"] if told["hits"] else None,
        "recall": told["frauds"] / all_frauds if all_frauds else None,
    }


@settings(max_examples=cases(30), deadline=None)
@given(seed=st.integers(0, 10**6), skip=st.integers(0, 2), length=st.integers(1, DAYS))
def test_figures_are_those_of_a_naive_reader(seed: int, skip: int, length: int) -> None:
    tables = history(seed)
    first, last = START + timedelta(days=skip), START + timedelta(days=skip + length - 1)
    with TemporaryDirectory() as folder:
        lake, catalog = write(Path(folder), tables), candidate(Path(folder))
        try:
            result = backtest(lake, {"candidate": catalog, "present": RULES}, (first, last), flags=flags)
        except NothingToTest:
            assert all(
                one["catalog_version"] == "other" for one in tables[0] if first <= one[EVENT_DATE] <= last
            )
            return
    in_range = [one for one in tables[0] if first <= one[EVENT_DATE] <= last]
    assert result.left_out == sum(one["catalog_version"] == "other" for one in in_range)
    assert result.transactions == len(in_range) - result.left_out
    decided = {(one["customer_id"], one["transaction_id"]) for one in tables[1]}
    read = [one for one in in_range if one["catalog_version"] != "other"]
    assert result.undecided == sum((one["customer_id"], one["transaction_id"]) not in decided for one in read)
    *each, together = result.catalogs["candidate"].figures
    assert [figures.rule for figures in each] == list(WHENS)
    for figures, rule in [*zip(each, WHENS, strict=True), (together, None)]:
        expected = naively(tables, first, last, rule)
        assert {name: getattr(figures, name) for name in expected} == expected


def test_open_ends_are_the_first_day_and_the_last_whose_labels_are_due(tmp_path: Path) -> None:
    lake = write(tmp_path, history(1))
    result: Backtest = backtest(lake, {"present": RULES}, label_delay=timedelta(days=2))
    assert (result.first, result.last) == (START, START + timedelta(days=DAYS - 3))


def test_what_can_not_be_tested_says_so(tmp_path: Path) -> None:
    with pytest.raises(TableMissing, match="no table enriched yet"):
        backtest(Lake(str(tmp_path)), {"present": RULES})
    lake = write(tmp_path, history(1))
    with pytest.raises(NothingToTest, match="choose other days"):
        backtest(lake, {"present": RULES}, (date(2020, 1, 1), date(2020, 1, 2)))
    with pytest.raises(NothingToTest, match="the first comes after the last"):
        backtest(lake, {"present": RULES}, (START, START - timedelta(days=1)))


def test_without_labels_or_decisions_all_is_genuine_and_undecided(tmp_path: Path) -> None:
    enriched, _, _ = history(3)
    result = backtest(write(tmp_path, (enriched, [], [])), {"present": RULES})
    assert (result.frauds, result.flagged) == (0, 0)
    assert result.undecided == result.transactions > 0


def test_the_command_prints_what_the_back_test_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_LAKE_URL", write(tmp_path, history(1)).url)
    get_settings.cache_clear()
    catalog = candidate(tmp_path)
    days = ["--from", "2026-03-01", "--to", "2026-03-04"]
    command = ["rules", "backtest", *days, "--rules", "candidate.yaml"]
    try:
        told = CliRunner().invoke(app, [*command, "--json"])
        shown = CliRunner().invoke(app, command)
        broken = CliRunner().invoke(app, [*command[:-1], "nowhere.yaml"])
    finally:
        get_settings.cache_clear()
    assert told.exit_code == 0, told.output
    result = json.loads(told.stdout)
    assert result["catalogs"]["candidate"]["version"] == catalog.version
    assert [one["rule"] for one in result["catalogs"]["candidate"]["figures"]] == [*WHENS, "together"]
    assert set(result["catalogs"]) == {"present", "candidate"}
    assert shown.exit_code == 0
    assert "known frauds" in shown.stdout
    assert broken.exit_code == 2
    assert "cannot be read" in broken.output


def test_list_and_show(tmp_path: Path) -> None:
    listed = json.loads(CliRunner().invoke(app, ["rules", "list", "--json"]).stdout)
    assert listed["version"] == RULES.version
    assert [one["name"] for one in listed["rules"]] == [rule.name for rule in RULES.rules]
    file = tmp_path / "candidate.yaml"
    candidate(tmp_path)
    assert "dear" in CliRunner().invoke(app, ["rules", "list", "--rules", str(file)]).stdout
    shown = CliRunner().invoke(app, ["rules", "show", "dear", "--rules", str(file)])
    assert "amount_value >= 6.0" in shown.stdout
    assert CliRunner().invoke(app, ["rules", "show", "nothing"]).exit_code == 1

"""Rows of the past in a real lake: seen, fixed, released, each of it once."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bdp_assets.cli.quarantine_tables import report_parts, row_lines
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import event_date
from bdp_assets.ingest import corrections
from bdp_assets.ingest.corrections import Action
from bdp_assets.operations.dead_letters.fixes import Fix, Fixes, InvalidFix, When, read_fixes
from bdp_assets.operations.quarantine import acts, listing, releasing
from bdp_assets.operations.quarantine.fixing import Choice, Report, fix
from bdp_assets.operations.quarantine.judging import Days
from bdp_assets.operations.quarantine.places import Place, place_of
from bdp_assets.operations.quarantine.rows import Filter, Status, at, matching
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import get_settings
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.unit.operations.quarantine.conftest import CARD, TIME

DAY, LAST = date(2026, 2, 2), date(2026, 2, 6)
DOCS = Path(__file__).parents[4] / "docs" / "quarantine.md"
NEGATIVE, MASKED, TEXT, REPEATED, BROKEN, BROKEN_TOO = (Place(DAY, n) for n in range(1, 7))
NUMBER = Fix(when=When(error="wrong_type", field="amount"), number=["amount"])
POSITIVE = Fix(when=When(error="out_of_range"), set={"amount": 1})


def fixed(*made: Fix, places: tuple[Place, ...] = (), by: str = "ann") -> Report:
    return fix(get_settings(), Choice(places), Fixes(list(made)), by)


def statuses(lake: Lake) -> dict[Place, str]:
    return {row.place: row.status for row in matching(lake, Filter())}


class Backfill:
    """What a run of Dagster would leave: released rows are in `features`. `asked`: the days of each run."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.asked: list[Days] = []

    def __call__(self, days: Days) -> None:
        self.asked.append(days)
        released = corrections.latest(self.lake).filter(action=Action.RELEASED.value)
        there = released.select("customer_id", "transaction_id", "ts_ms").with_columns(event_date("ts_ms"))
        self.lake.append("features", there)


def kept(report: Report) -> dict[str, str]:
    return {str(one.place): one.says for one in report.kept}


def test_rows_are_counted_by_day_reason_and_source_with_the_command_that_takes_care_of_them(
    refused: Lake,
) -> None:
    groups = listing.groups(refused, Filter())
    assert groups.columns == ["day", "error", "field", "source", "status", "rows", "goes_back_by"]
    found = {(error, source): (rows, way) for _, error, _, source, _, rows, way in groups.iter_rows()}
    assert found == {
        ("out_of_range", "history"): (1, "bdp quarantine"),
        ("out_of_range", "transactions-raw-v1"): (1, "bdp dlq"),
        ("pan_in_field", "history"): (1, "bdp quarantine"),
        ("wrong_type", "history"): (1, "bdp quarantine"),
        ("conflict", "history"): (1, "bdp quarantine"),
        ("not_json", "history"): (2, "bdp quarantine"),
    }
    assert listing.groups(refused, Filter(error="not_json", status="open"))["rows"].to_list() == [2]
    assert listing.groups(refused, Filter(first=LAST)).is_empty()


def test_a_row_is_shown_with_its_text_and_without_its_card_number(refused: Lake) -> None:
    (row,) = at(refused, [MASKED])
    shown = "\n".join(row_lines(row))
    assert CARD not in shown
    assert '"device_id": "411111******1111"' in shown
    assert "card number with the keyed hash" in shown


def test_a_fix_is_kept_and_nothing_moves_until_it_is_released(refused: Lake) -> None:
    report = fixed(NUMBER)
    assert [one.row.place for one in report.done] == [TEXT]
    assert len(report.kept) == 5, "what no fix names is told"
    assert statuses(refused)[TEXT] == Status.FIXED
    assert corrections.raw_rows(refused, DAY, LAST).is_empty()
    again = fixed(NUMBER, Fix(when=When(place=str(TEXT)), set={"amount": 3}), places=(TEXT,))
    assert json.loads(again.done[0].value)["amount"] == 3
    assert json.loads(at(refused, [TEXT])[0].value or "")["amount"] == 3, "the last fix stands"


def test_what_the_contract_or_the_past_would_not_take_is_told_and_not_kept(refused: Lake) -> None:
    new = {"transaction_id": "new", "customer_id": "c-1", "amount": 1, "timestamp": TIME}
    report = fixed(
        Fix(when=When(place=str(NEGATIVE)), set={"amount": -2}),
        Fix(when=When(place=str(MASKED)), set={"channel": "web"}),
        Fix(when=When(place=str(TEXT)), set={"amount": 1, "timestamp": "2025-01-01T00:00:00Z"}),
        Fix(when=When(place=str(REPEATED)), set={"amount": 8}),
        Fix(when=When(place=str(BROKEN)), replace=new),
        Fix(when=When(place=str(BROKEN_TOO)), replace=new),
    )
    assert [one.row.place for one in report.done] == [BROKEN]
    says = kept(report)
    assert "must be" in says[str(NEGATIVE)]
    assert "Put a token in its place" in says[str(MASKED)]
    assert "outside of the past, 2026-02-01 to 2026-02-06" in says[str(TEXT)]
    assert "already" in says[str(REPEATED)]
    assert "already" in says[str(BROKEN_TOO)], "of two with one id the first is taken"
    assert statuses(refused)[BROKEN_TOO] == Status.OPEN, "equal bytes are two rows"
    assert "No row of the past" in fixed(POSITIVE, places=(Place(LAST, 3),)).kept[0].says
    assert CARD not in str(report.kept)


def test_a_masked_row_goes_with_a_token_only(refused: Lake) -> None:
    assert "token" in fixed(places=(MASKED,)).kept[0].says
    assert fixed(Fix(set={"device_id": "tok-1"}), places=(MASKED,)).done


def test_released_rows_are_there_once_and_a_second_release_does_nothing(refused: Lake) -> None:
    run, settings = Backfill(refused), get_settings()
    fixed(NUMBER, POSITIVE)
    rehearsed = releasing.rehearse(settings, Choice(), "bob")
    assert not run.asked
    report = releasing.release(settings, Choice(), "bob", run)
    assert [one.value for one in report.done] == [one.value for one in rehearsed.done]
    assert len(report.done) == 2
    assert run.asked == [(DAY, LAST)], "later days too: their features see the rows"
    assert {place: status for place, status in statuses(refused).items() if status != Status.OPEN} == {
        NEGATIVE: Status.RELEASED,
        TEXT: Status.RELEASED,
    }
    before = refused.version("corrections")
    second = releasing.release(settings, Choice((TEXT,)), "eve", run)
    assert "nothing to do" in second.kept[0].says
    assert not releasing.release(settings, Choice(), "eve", run).kept
    assert "released it" in fixed(NUMBER, places=(TEXT,)).kept[0].says
    assert (refused.version("corrections"), len(run.asked)) == (before, 1)
    assert corrections.raw_rows(refused, DAY, LAST).height == 2


def test_what_a_release_left_on_its_way_the_next_one_brings_in_whatever_it_chooses(refused: Lake) -> None:
    def dies(_: Days) -> None:
        raise KeyboardInterrupt

    settings = get_settings()
    fixed(NUMBER)
    with pytest.raises(KeyboardInterrupt):
        releasing.release(settings, Choice(), "ann", dies)
    assert statuses(refused)[TEXT] == Status.RELEASING
    with pytest.raises(Problem, match="not all rows"):
        releasing.release(settings, Choice(), "ann", lambda _: None)
    run = Backfill(refused)
    report = releasing.release(settings, Choice((TEXT,)), "ann", run)
    assert (report.done, report.kept, report.days) == ([], [], (DAY, LAST))
    assert statuses(refused)[TEXT] == Status.RELEASED
    assert corrections.raw_rows(refused, DAY, LAST).height == 1
    assert "rebuild-online" in " ".join(map(str, report_parts(report, "released", rehearsed=False)))


def test_what_came_by_another_way_meanwhile_is_not_released(refused: Lake) -> None:
    fixed(NUMBER)
    same = refused.read("validated").head(1).with_columns(transaction_id=pl.lit("text"))
    refused.append("validated", same)
    report = releasing.release(get_settings(), Choice((TEXT,)), "ann", Backfill(refused))
    assert not report.done
    assert "already" in report.kept[0].says


def test_a_row_that_is_not_fixed_is_not_released(refused: Lake) -> None:
    report = releasing.release(get_settings(), Choice((TEXT,)), "ann", Backfill(refused))
    assert "bdp quarantine fix" in report.kept[0].says


def test_the_audit_says_who_did_what_when(refused: Lake) -> None:
    fixed(NUMBER, by="ann")
    report = releasing.release(get_settings(), Choice(), "bob", Backfill(refused))
    told = acts.history(refused)
    assert told.select("by", "action", "error", "rows").rows() == [
        ("ann", "fixed", "wrong_type", 1),
        ("bob", "released", "wrong_type", 1),
    ]
    assert told["id"][1] == report.act_id
    line = refused.read("corrections").filter(action="released").to_dicts()[0]
    assert json.loads(line["value"])["amount"] == 12.5
    assert line["value_base64"], "with the row as it was"


def test_an_empty_lake_has_nothing_in_quarantine(lake: Lake) -> None:
    assert listing.groups(lake, Filter()).is_empty()
    assert not fixed(NUMBER).done
    assert acts.history(lake).is_empty()


@pytest.mark.parametrize("text", ["3:17", "2026-02-30:1", "2026-02-03", "2026-02-03:x", ""])
def test_what_is_no_place_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="DAY:OFFSET"):
        place_of(text)
    assert place_of("2026-02-02:3") == TEXT


def test_a_file_that_names_places_of_dead_letters_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "fixes.yaml"
    file.write_text('fixes: [{when: {place: "3:17"}, drop: [a]}]')
    with pytest.raises(InvalidFix, match="DAY:OFFSET"):
        read_fixes(file, place_of)


def test_the_example_in_the_docs_is_a_file_that_works(refused: Lake, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    file = tmp_path / "fixes.yaml"
    file.write_text(example)
    report = fix(get_settings(), Choice(), read_fixes(file, place_of), "ann")
    assert {one.row.place for one in report.done} == {MASKED, TEXT, BROKEN}


def as_sent(lake: Lake, place: Place) -> dict[str, Any]:
    (row,) = at(lake, [place])
    sent: dict[str, Any] = json.loads(row.original)
    return sent


def test_the_original_row_stays_as_it_was(refused: Lake) -> None:
    before = refused.read("quarantined")
    fixed(NUMBER)
    releasing.release(get_settings(), Choice(), "ann", Backfill(refused))
    assert refused.read("quarantined").equals(before)
    assert as_sent(refused, TEXT) == json.loads(body("text", timestamp=TIME, amount="12.50"))

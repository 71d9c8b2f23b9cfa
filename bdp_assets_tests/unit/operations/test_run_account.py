from __future__ import annotations

from bdp_assets.clients.dagster import Event
from bdp_assets.operations.progress import Bar
from bdp_assets.operations.run_account import RunAccount

CLEAN = ("clean_transactions", "clean/transactions")
REFUSED = ("clean_transactions", "clean/quarantined_transactions")
LABELS = ("raw_labels", "raw/labels")


def event(kind: str, step: str = "", text: str = "", at_s: float = 0.0, asset: str = "") -> Event:
    return Event(kind, step, text, at_s, asset)


def planned(*keys: tuple[str, str], days: int = 2) -> list[Event]:
    return [
        event("ASSET_MATERIALIZATION_PLANNED", step, asset=asset) for step, asset in keys for _ in range(days)
    ]


def materialised(key: tuple[str, str], rows: int | None) -> Event:
    return Event("ASSET_MATERIALIZATION", key[0], "Materialized value", 0.0, key[1], rows)


def started(*before: Event) -> RunAccount:
    account = RunAccount("history")
    account.take([*planned(CLEAN, REFUSED, LABELS), *before])
    return account


def test_before_its_first_step_a_run_says_what_it_waits_for() -> None:
    account = started(event("RUN_ENQUEUED"))
    (whole,) = account.bars
    assert "queue" in whole.doing
    assert (whole.done, whole.total, whole.unit) == (0, 6, "days of tables")


def test_days_are_counted_of_the_run_and_of_the_step() -> None:
    account = started(event("STEP_START", "clean_transactions"), materialised(CLEAN, 5))
    assert account.bars == (
        Bar("history", "", 1, 6, "days of tables"),
        Bar("clean_transactions", "", 1, 4, "days of tables"),
    )


def test_a_step_that_computes_says_what_and_how_far() -> None:
    account = started(event("STEP_START", "clean_transactions"))
    assert account.bars[1] == Bar("clean_transactions")
    account.take([event("LOG", "clean_transactions", "check the contract (20,000 of 50,000 rows)")])
    assert account.bars[1] == Bar("clean_transactions", "check the contract", 20_000, 50_000, "rows")
    account.take([event("LOG", "clean_transactions", "write")])
    assert account.bars[1] == Bar("clean_transactions", "write")


def test_what_others_log_is_no_phase() -> None:
    account = started(event("LOG", "", "engine"))
    assert account.bars == (Bar("history", "", 0, 6, "days of tables"),)


def test_a_step_that_ended_is_a_line_for_each_of_its_assets() -> None:
    account = started(event("STEP_START", "clean_transactions", at_s=10))
    rows = [materialised(CLEAN, 1_000), materialised(CLEAN, 500), materialised(REFUSED, None)]
    lines = account.take([*rows, event("STEP_SUCCESS", "clean_transactions", at_s=12.5)])
    assert [line.split() for line in lines] == [
        ["✓", "clean/transactions", "2", "days", "1,500", "rows", "2.5", "s"],
        ["✓", "clean/quarantined_transactions", "1", "days", "2.5", "s"],
    ]
    assert len(account.bars) == 1


def test_assets_without_days_are_counted_as_such() -> None:
    account = RunAccount("train")
    model, store = ("models__fraud_ensemble", "models/fraud_ensemble"), ("serving__store", "serving/store")
    account.take(planned(model, store, days=1))
    account.take([event("STEP_START", model[0]), materialised(model, None)])
    assert account.bars[0] == Bar("train", "", 1, 2, "assets")
    (line,) = account.take([event("STEP_SUCCESS", model[0])])
    assert line.split() == ["✓", "models/fraud_ensemble", "0.0", "s"]


def test_the_reason_of_a_failure_is_the_steps_not_the_runs() -> None:
    account = started(
        event("STEP_START", "raw_labels"),
        event("STEP_FAILURE", "raw_labels", "no such column"),
        event("RUN_FAILURE", "", "Steps failed: raw_labels"),
    )
    assert account.failures == ["raw_labels: no such column"]


def test_a_run_that_no_step_failed_has_a_reason_of_its_own() -> None:
    account = started(
        event("LOGS_CAPTURED", "", "abcd"),
        event("STEP_START", "raw_labels"),
        event("ENGINE_EVENT", "", "terminated by signal 9"),
        event("RUN_FAILURE", "", "marked as failed"),
    )
    assert account.failures == ["raw_labels was under way.", "terminated by signal 9", "marked as failed"]
    assert account.output_file == "abcd"

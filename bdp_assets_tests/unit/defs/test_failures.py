from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from bdp_assets.clients import webhook
from bdp_assets.defs.failures import MOST_TOLD, run_failures
from bdp_assets.settings import get_settings

URL = "https://hooks.example/secret"


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    messages: list[tuple[str, Any]] = []

    def keep(url: SecretStr, message: Any) -> None:
        messages.append((url.get_secret_value(), message))

    monkeypatch.setattr(webhook, "post", keep)
    return messages


def _tick() -> Any:
    """As the daemon does after a run that failed."""

    @dg.op
    def breaks() -> None:
        raise dg.Failure("the table is not published: " + "x" * MOST_TOLD)

    @dg.job
    def some_job() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        done = some_job.execute_in_process(instance=instance, raise_on_error=False)
        event = done.get_run_failure_event()
        context = dg.build_run_status_sensor_context(
            "run_failures", event, instance, done.dagster_run
        ).for_run_failure()
        return run_failures(context), done.run_id


def test_a_run_that_failed_is_told_to_the_webhook(
    told: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BDP_RUN_FAILURE_WEBHOOK", URL)
    get_settings.cache_clear()
    _, run_id = _tick()
    ((url, message),) = told
    assert url == URL
    assert message["job"] == "some_job"
    assert message["run_id"] == run_id
    assert message["url"].endswith(run_id)
    assert "some_job" in message["text"]
    assert message["error"]
    assert len(message["error"]) <= MOST_TOLD


def test_without_a_webhook_the_sensor_says_so(told: list[tuple[str, Any]]) -> None:
    skipped, _ = _tick()
    assert not told
    assert "BDP_RUN_FAILURE_WEBHOOK" in skipped.skip_message

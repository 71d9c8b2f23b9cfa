"""From decisions and labels in Delta to figures in PostgreSQL, and to one proposal when labels turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import to_frame
from bdp_assets.contracts.records import Decision, Label, Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.definitions import defs
from bdp_assets.defs.monitoring.retraining import model_retraining_sensor
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import MANIFEST, REGISTRATION, Bundle, Registration
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.fakes.scored_lake import START, append
from bdp_assets_tests.fakes.shadow_lake import DAY_MS, land, live_decisions
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.integration.warehouse.conftest import query
from bdp_assets_tests.unit.defs.conftest import run

pytestmark = pytest.mark.services
DAYS, A_DAY, DELAY = 12, 60, 2
READY = START + timedelta(days=DAYS + DELAY)
"""The midnight at which all of them are mature."""
TURNED = READY + timedelta(days=1)
FIGURES = """
    SELECT role, model_version, segment, member, transactions, frauds, flagged, average_precision
    FROM warehouse.model_performance
"""
TABLES = (
    "SELECT * FROM warehouse.model_performance ORDER BY as_of, role, model_version, segment, member",
    "SELECT * FROM warehouse.model_decay ORDER BY as_of, model_version",
)


@pytest.fixture
def home(
    settings: Settings, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """That of a run."""
    variables = {"HOME": tmp_path / "home", "POSTGRES_URL": settings.postgres(), "LAKE_URL": lake.url}
    for name, value in {**variables, "LABEL_DELAY_DAYS": DELAY, "MLFLOW_URI": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(f"BDP_{name}", str(value))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def champion(home: Settings) -> Decider:
    """Version 1 serves; its test was on rows like those that it is going to decide."""
    bundles = LocalBundles(home.models_dir)
    folder = tiny_bundle(bundles.path("1"))
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=3_000, seed=99)
    found = average_precision_score(fraud, Decider.load(folder).ensemble.score(matrix))
    promised = {"average_precision": found, "test_rows": len(fraud), "test_frauds": fraud.sum()}
    manifest = Bundle.read(folder).manifest
    training = msgspec.structs.replace(
        manifest.training, metrics={name: float(value) for name, value in promised.items()}
    )
    (folder / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, training=training)))
    (folder / REGISTRATION).write_bytes(msgspec.json.encode(Registration("fraud_ensemble", "1")))
    bundles.activate("1")
    return Decider.load(folder)


def say(lake: Lake, decided: list[Prediction], known_at: date, *, is_fraud: bool) -> None:
    at_ms = (known_at - START).days * DAY_MS + decided[0].ts_ms // DAY_MS * DAY_MS + 1
    labels = [
        Label(
            transaction_id=one.transaction_id,
            customer_id=one.customer_id,
            is_fraud=is_fraud,
            known_at_ms=at_ms,
        )
        for one in decided
    ]
    append(lake, "labels", to_frame(labels, Label, "known_at_ms"))


def judge(first: date, last: date) -> list[bool]:
    """Whether the check of the run passed."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(instance, "judge_models", first, last)
        assert result.success
        return [check.passed for check in result.get_asset_check_evaluations()]


def tick(cursor: str | None = None) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=defs.get_repository_def()
        )
        return model_retraining_sensor.evaluate_tick(context)


def test_a_model_is_judged_by_matured_labels_and_proposed_once_when_they_turn(
    home: Settings, lake: Lake, champion: Decider
) -> None:
    decided, fraud = live_decisions(champion, days=DAYS, a_day=A_DAY)
    decided = [msgspec.structs.replace(one, customer_id=f"c{n}") for n, one in enumerate(decided)]
    land(lake, [*decided, *decided[:50]])
    frauds = [one for one, is_fraud in zip(decided, fraud, strict=True) if is_fraud]
    say(lake, frauds, READY - timedelta(days=1), is_fraud=True)

    assert "is known of model 1 yet" in tick().skip_message
    assert judge(READY - timedelta(days=1), READY) == [True]
    ((*who, transactions, count, flagged, ap),) = query(
        home, f"{FIGURES} WHERE as_of = %s AND segment = 'all'", [READY]
    )
    assert who == ["champion", "1", "all", "all"]
    assert (transactions, count) == (DAYS * A_DAY, len(frauds))
    assert flagged == sum(one.decision is not Decision.APPROVE for one in decided)
    scores = np.array([one.fraud_probability for one in decided])
    assert ap == pytest.approx(average_precision_score(fraud, scores))
    sums = "SELECT sum(transactions), sum(frauds) FROM warehouse.model_performance WHERE as_of = %s"
    for segment in ("amount", "merchant", "time"):
        found = query(home, f"{sums} AND segment = %s", [READY, segment])
        assert found == [(DAYS * A_DAY, len(frauds))]
    before = "SELECT transactions FROM warehouse.model_performance WHERE as_of = %s AND segment = 'all'"
    assert query(home, before, [READY - timedelta(days=1)]) == [((DAYS - 1) * A_DAY,)]
    assert "is not below" in tick().skip_message

    # All frauds are taken back, and as many others are frauds: of what the model did not see.
    say(lake, frauds, READY, is_fraud=False)
    others = [one for one, is_fraud in zip(decided, fraud, strict=True) if not is_fraud][: len(frauds)]
    say(lake, others, READY, is_fraud=True)
    stood = [query(home, table) for table in TABLES]
    assert judge(READY - timedelta(days=1), READY) == [True]
    assert [query(home, table) for table in TABLES] == stood, (
        "what becomes known later changes no earlier midnight"
    )

    assert judge(TURNED, TURNED) == [False]
    proposed = tick()
    assert [request.run_key for request in proposed.run_requests] == [f"retrain 1 {TURNED}"]
    assert proposed.run_requests[0].tags["dagster/partition"]
    assert "Proposed already" in tick(proposed.cursor).skip_message

"""Every panel's query, asked of the real Prometheus and PostgreSQL beside a small platform with live traffic.

Queries of logs are asked of the real Loki in `test_loki.py`. Grafana itself is not there: its macros are
written out here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.operations import migrations, start
from bdp_assets.operations.dashboards.catalog import FOLDER
from bdp_assets.operations.dashboards.panels import Source
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import monitoring, ports
from bdp_assets.runtime import platform as runtime
from bdp_assets.runtime.health import json_answer
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration import dashboard_figures
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.running_api import post, wait_until
from bdp_assets_tests.integration.stream import Stream
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.watching import NAMED, hurry, require_programs

pytestmark = [pytest.mark.services, pytest.mark.drill]

NUMBERS, HOURS = count(), count()


def queries(source: Source) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is asked -> the query, and its panel."""
    found = {}
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            if panel["datasource"]["uid"] == source:
                for target in panel["targets"]:
                    asked = target.get("expr") or target["rawSql"]
                    found[f"{file.stem}: {panel['title']} ({target['refId']})"] = (asked, panel)
    return found


@pytest.fixture
def stream(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    home = tmp_path_factory.mktemp("dashboards")
    homes.prepare(home)
    tiny_bundle(home / "models" / dashboard_figures.VERSION)
    LocalBundles(home / "models").activate(dashboard_figures.VERSION)
    return Stream(platform, home)


@pytest.fixture
def watched(platform: Platform, stream: Stream) -> Iterator[Settings]:
    """API, workers and who watches them, as `bdp up --monitoring` has them, on the systems of the tests."""
    require_programs()
    own = {
        **ports.choose_free([*NAMED, "api_port", "stream_metrics_port"]),
        "kafka_bootstrap": platform.kafka,
        "postgres_url": platform.postgres,
        "api_auth": "open",
        "monitoring": True,
    }
    settings = stream.settings.model_copy(update=own)
    migrations.upgrade(settings)
    try:
        start.up(settings, ["api", *monitoring.WORKERS, *monitoring.NAMES])
        hurry(settings)
        yield settings
    finally:
        runtime.down(settings)
        migrations.downgrade(settings, "base")


def play(stream: Stream, settings: Settings) -> None:
    """Some calls, labels, an attack that is an alert, and something to refuse; an hour after those before."""
    api = f"http://127.0.0.1:{settings.api_port}/api/v1"
    moment = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(hours=next(HOURS))
    at = {
        "timestamp": moment.isoformat(),
        "merchant_category": "grocery",
        "country": "US",
        "channel": "online",
    }
    for number in (next(NUMBERS) for _ in range(10)):
        made = json.loads(body(f"api-{number}", f"c-{number % 5}", amount=10 + number, **at))
        assert post(f"{api}/predict", json=made).status_code == 200
        label = {"transaction_id": f"api-{number}", "customer_id": f"c-{number % 5}", "is_fraud": False}
        assert post(f"{api}/labels", json=label).status_code == 202
    attack = [
        ("c-attacked", body(f"raw-{next(NUMBERS)}", "c-attacked", amount=6_000, **at)) for _ in range(10)
    ]
    stream.send([*attack, ("c-1", b"{")])


def last_words(settings: Settings) -> str:
    """Of every program: why a panel is empty is often there."""
    files = sorted((settings.home / "logs").glob("*"))
    return "\n".join(f"{file.name}: {file.read_text(errors='replace')[-800:]}" for file in files)


def empty(settings: Settings, asked: str) -> bool:
    """Whether Prometheus answers without one number. An error is never waited for."""
    query = quote(asked.replace("$__rate_interval", "30s"))
    answer = json_answer(settings.prometheus_port, f"/api/v1/query?query={query}")
    assert answer["status"] == "success", (asked, answer)
    return not any(math.isfinite(float(series["value"][1])) for series in answer["data"]["result"])


def test_every_panel_of_metrics_has_live_data(stream: Stream, watched: Settings) -> None:
    dashboard_figures.leave(watched)
    asked = {name: query for name, (query, _) in queries(Source.PROMETHEUS).items()}
    assert len(asked) > 60

    missing = list(asked)

    def has_all() -> bool:
        play(stream, watched)
        missing[:] = [name for name in missing if empty(watched, asked[name])]
        return not missing

    try:
        wait_until(has_all, patience_s=60)
    except AssertionError:
        pytest.fail(f"no data: {missing}\n{last_words(watched)}")

    lake = Lake(str(stream.home / "world"))
    world.fill(lake)
    load(watched, lake, world.FIRST, world.LABELS_LAST)
    check_warehouse(watched)


def check_warehouse(settings: Settings) -> None:
    """Every panel of SQL has rows, in the form that its kind of panel needs."""
    from bdp_assets.clients.postgres import connect

    first, last = (f"'{day}T00:00:00Z'" for day in dashboard_figures.days())
    faults = []
    with connect(settings) as connection:
        for name, (query, panel) in queries(Source.WAREHOUSE).items():
            sql = query.replace("$__timeFrom()", first).replace("$__timeTo()", last)
            assert not re.search(r"\$__", sql)
            cursor = connection.execute(sql)
            columns = [column.name for column in cursor.description or []]
            faults += [f"{name}: {fault}" for fault in unfit(panel, columns, cursor.fetchall())]
    assert not faults


def unfit(panel: dict[str, Any], columns: list[str], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """What Grafana could not draw."""
    numbers = [value for row in rows for value in row if isinstance(value, int | float | Decimal)]
    if not rows or not numbers:
        yield "no data"
    if panel["type"] == "stat" and (len(rows), len(columns)) != (1, 1):
        yield "not one number"
    if panel["type"] == "timeseries":
        if columns[0] != "time" or not all(isinstance(row[0], datetime) for row in rows):
            yield "its first column is not a time"
        if [row[0] for row in rows] != sorted(row[0] for row in rows):
            yield "not in order"
        texts = {i for row in rows for i, value in enumerate(row) if isinstance(value, str)}
        if texts - {columns.index("metric") if "metric" in columns else -1}:
            yield "a text that is not its series' name"
    overridden = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
    if not overridden <= set(columns):
        yield "a unit of a column that is not there"

"""A real Loki with our configuration takes our log lines, finds them, and answers every dashboard's queries.

`make test-loki`: Go builds it once, from deploy/monitoring/loki/build, which takes minutes. The agent between
containers and Loki is not here.
"""

from __future__ import annotations

import io
import json
import logging
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bdp_assets.decisions.champion import Champion
from bdp_assets.observability.logging import JsonFormatter
from bdp_assets.operations.dashboards.panels import Kind, Source
from bdp_assets.runtime import ports
from bdp_assets.runtime.monitoring import CONFIGURATION
from bdp_assets.settings import Settings
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.go_programs import BUILD_TIMEOUT_S, built, kept
from bdp_assets_tests.integration.running_api import get, post, wait_until
from bdp_assets_tests.integration.test_dashboards import queries
from bento.access.mode import is_open

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_TIMEOUT_S + 300)]

VERSION = "v3.7.8"
FILE = CONFIGURATION / "loki" / "loki.yaml"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01".encode())
PAN = "4111111111111111"
HOUR_NS = 3_600 * 10**9


@pytest.fixture(scope="session")
def program() -> Path:
    found = kept(f"loki-{VERSION}") / "loki"
    if found.exists():
        return found
    build = ("build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", str(found))
    package = "github.com/grafana/loki/v3/cmd/loki"
    return built(found, *build, package, source=CONFIGURATION / "loki" / "build", otherwise="Go builds Loki")


def test_the_module_is_of_that_version() -> None:
    module = (CONFIGURATION / "loki" / "build" / "go.mod").read_text()
    compose = (CONFIGURATION.parent / "compose" / "docker-compose.monitoring.yml").read_text()
    assert f"github.com/grafana/loki/v3 {VERSION}" in module
    assert f"image: grafana/loki:{VERSION.removeprefix('v')}\n" in compose


class Loki:
    def __init__(self, url: str) -> None:
        self._url = f"{url}/loki/api/v1"

    def push(self, program: str, lines: list[str]) -> None:
        """As the agent does: the one label is the program's name."""
        now = time.time_ns()
        values = [[str(now + at), line] for at, line in enumerate(lines)]
        sent = post(
            f"{self._url}/push", json={"streams": [{"stream": {"program": program}, "values": values}]}
        )
        assert sent.status_code == 204, sent.text

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Streams or series of the last hour."""
        now = time.time_ns()
        span = {"start": now - HOUR_NS, "end": now + HOUR_NS // 60, "step": "60s", "limit": 500}
        answer = get(f"{self._url}/query_range", params={"query": query, **span}, timeout=30)
        assert answer.status_code == 200, (query, answer.text)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def lines(self, query: str) -> list[str]:
        return [line for stream in self.ask(query) for _, line in stream["values"]]


@pytest.fixture(scope="session")
def loki(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """With our file, but for its folder and port."""
    folder, chosen = tmp_path_factory.mktemp("loki"), ports.choose_free(["http", "grpc"])
    file = folder / "loki.yaml"
    text = FILE.read_text().replace("/loki", str(folder))
    text = text.replace("common:\n", "common:\n  instance_addr: 127.0.0.1\n")
    file.write_text(text.replace("http_listen_port: 3100", f"http_listen_port: {chosen['http']}"))
    here = ("-server.http-listen-address=127.0.0.1", "-server.grpc-listen-address=127.0.0.1")
    own = (*here, f"-server.grpc-listen-port={chosen['grpc']}")
    url = f"http://127.0.0.1:{chosen['http']}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, f"-config.file={file}", *own], stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(url), patience_s=120)
        assert process.poll() is None, (folder / "log").read_text()[-3_000:]
        found = Loki(url)
        found.push("scoring", of_the_worker(folder))
        found.push("api", of_the_api())
        found.push("postgres", ["LOG:  a line that is not JSON"])
        yield found
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def is_ready(url: str) -> bool:
    try:
        return get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def logged(service: str) -> Iterator[list[str]]:
    """Lines as that process of ours writes them; there when the block has ended."""
    stream, lines, root = io.StringIO(), list[str](), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(JsonFormatter(service))
    root.addHandler(handler)
    root.setLevel("INFO")
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        lines += stream.getvalue().splitlines()


def of_the_worker(folder: Path) -> list[str]:
    """A champion is taken up, an alert raised, and a message refused that has a card number in it."""
    store = FakeStore()
    scoring = Scoring(store, FakeDecider(), lambda: "TOPIC", alerts=store.alerts, pan_key=PAN_KEY)  # type: ignore[arg-type]
    values = (body("t-alert", amount=5_000), body("t-pan", merchant_id=PAN), body("t-bad", amount=-5))
    with logged("scoring-0") as lines:
        Champion(tiny_bundle(folder / "champion"), 1_000).load()
        scoring([raw(value, offset, 0, (TRACEPARENT,)) for offset, value in enumerate(values)])
    return lines


def of_the_api() -> list[str]:
    with logged("api") as lines:
        is_open(Settings(_env_file=None, api_auth="open"), ())  # type: ignore[call-arg]
    return lines


def test_our_configuration_is_valid(program: Path) -> None:
    told = subprocess.run(
        [program, "-verify-config", f"-config.file={FILE}"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert "config is valid" in told.stderr


def test_a_line_is_found_by_its_trace_and_by_its_transaction_and_never_by_a_card_number(loki: Loki) -> None:
    by_trace = [
        json.loads(line) for line in loki.lines(f'{{program="scoring"}} | json | trace_id="{TRACE_ID}"')
    ]
    assert sorted(line["message"] for line in by_trace) == ["alert", "message refused", "message refused"]
    assert {line.get("error") for line in by_trace} == {None, "pan_in_field", "out_of_range"}
    [alert] = loki.lines('{program="scoring"} | json | transaction_id="t-alert"')
    assert json.loads(alert)["message"] == "alert"
    assert loki.lines('{program=~".+"} |= "not JSON"')
    assert not loki.lines(f'{{program=~".+"}} |= "{PAN}"')


@pytest.mark.parametrize(
    ("query", "panel"), [pytest.param(*one, id=name) for name, one in queries(Source.LOKI).items()]
)
def test_every_panel_of_logs_has_data(loki: Loki, query: str, panel: dict[str, Any]) -> None:
    found = loki.ask(query.replace("$__auto", "5m"))
    assert found
    if panel["type"] == Kind.LOGS:
        assert all("__error__" not in stream["stream"] for stream in found)
    else:
        assert any(float(value) > 0 for series in found for _, value in series["values"])

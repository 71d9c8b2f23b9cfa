"""One trace of a live transaction, from the caller to the prediction, as a collector gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.clients.kafka import Message, Publisher
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import TRACEPARENT
from bdp_assets.contracts.topics import PREDICTIONS, RAW
from bdp_assets_tests.fakes.collector import Taken, collector
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform, free_ports
from bdp_assets_tests.integration.running_api import post, serving, transaction, wait_until
from bdp_assets_tests.integration.stream import Stream

pytestmark = [pytest.mark.services, pytest.mark.drill]

API_TRACE, TOPIC_TRACE, UNSEEN_TRACE = "a" * 32, "b" * 32, "c" * 32
CALLER = "00f067aa0ba902b7"
PREDICT, SEND, PROCESS = "POST /api/v1/predict", "send transactions-raw-v1", "process transactions-raw-v1"
Tree = dict[tuple[str, str], str]
"""(service, span) -> the span that it is a part of."""


def context(trace: str, flags: str = "01") -> str:
    return f"00-{trace}-{CALLER}-{flags}"


@pytest.fixture
def taken() -> Iterator[Taken]:
    with collector() as taken:
        yield taken


@pytest.fixture
def predictions(platform: Platform, tmp_path: Path, taken: Taken) -> list[Message]:
    """Of two calls, of which one is sampled, and of a sampled message that came by the topic."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion").symlink_to(tiny_bundle(tmp_path / "models" / "1"))
    stream = Stream(platform, tmp_path)
    stream._environment["BDP_TRACES_ENDPOINT"] = taken.endpoint
    own = {"api_port": free_ports()["api_port"], "api_auth": "open", "traces_endpoint": taken.endpoint}
    reached = {"kafka_bootstrap": platform.kafka}
    with serving(stream.settings.model_copy(update={**own, **reached})) as (url, _), stream.worker():
        for name, traceparent in (("seen", context(API_TRACE)), ("unseen", context(UNSEEN_TRACE, "00"))):
            answer = post(
                f"{url}/api/v1/predict", json=transaction(name), headers={"traceparent": traceparent}
            )
            assert (answer.status_code, answer.json()["degraded"]) == (200, False)
        # A micro-batch of its own: of one that it shared, both would tell all steps.
        wait_until(lambda: len(stream.records(PREDICTIONS.name)) == 2)
        headers = [schema_version_header(RAW), (TRACEPARENT, context(TOPIC_TRACE).encode())]
        publisher = Publisher(stream.settings)
        publisher.send(RAW.name, key="c-1", value=body("by-topic"), headers=headers)
        publisher.flush()
        wait_until(lambda: len(stream.records(PREDICTIONS.name)) == 3)
        return stream.records(PREDICTIONS.name)


def tree(spans: list[dict[str, Any]]) -> Tree:
    names = {span["spanId"]: span["name"] for span in spans}
    found = {
        (one["service"], one["name"]): names.get(one["parentSpanId"], one["parentSpanId"]) for one in spans
    }
    assert len(found) == len(spans) == len(names)
    return found


def of(taken: Taken, trace: str) -> list[dict[str, Any]]:
    return [span for span in taken.spans if span["traceId"] == trace]


def attributes(span: dict[str, Any]) -> dict[str, str]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def worker(*more: tuple[str, str]) -> Tree:
    steps = [(name, PROCESS) for name in ("validate", "enrich", "score", "encode", "publish")]
    return {("scoring", name): parent for name, parent in (*steps, *more)}


def test_a_sampled_transaction_is_one_trace_from_caller_to_prediction(
    predictions: list[Message], taken: Taken
) -> None:
    """Both programs have ended: all that they had to tell is told."""
    by_api = of(taken, API_TRACE)
    steps = ("validate", "spool arrival", "claim", "decide", "keep", "spool outcome")
    assert tree(by_api) == {
        ("api", PREDICT): CALLER,
        ("api", "predict"): PREDICT,
        **{("api", step): "predict" for step in steps},
        ("api", "model"): "decide",
        ("api", SEND): PREDICT,
        ("scoring", PROCESS): SEND,
        **worker(),  # Without the model: the API's decision stands.
    }
    about = {span["name"]: attributes(span) for span in by_api}
    assert about[PREDICT]["http.response.status_code"] == "200"
    assert about["predict"]["bdp.transaction_id"] == about[PROCESS]["bdp.transaction_id"] == "seen"
    began = {span["name"]: int(span["startTimeUnixNano"]) for span in by_api}
    ended = {span["name"]: int(span["endTimeUnixNano"]) for span in by_api}
    assert began[PREDICT] <= began["claim"] <= ended["claim"] <= began["decide"] <= ended[PREDICT]
    assert began[SEND] <= began[PROCESS] <= began["publish"] <= ended[PROCESS]

    by_topic = of(taken, TOPIC_TRACE)
    assert tree(by_topic) == {("scoring", PROCESS): CALLER, **worker(("model", "score"))}
    assert {span["traceId"] for span in taken.spans} == {API_TRACE, TOPIC_TRACE}
    assert all(span["status"] == {"code": 0} for span in taken.spans)

    [sent] = [span["spanId"] for span in by_api if span["name"] == SEND]
    assert {one.header(TRACEPARENT) for one in predictions} == {
        f"00-{API_TRACE}-{sent}-01".encode(),
        context(UNSEEN_TRACE, "00").encode(),
        context(TOPIC_TRACE).encode(),
    }

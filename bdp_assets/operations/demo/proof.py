"""What the demo ends with: evidence that each part did its work."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from bdp_assets.clients import dagster
from bdp_assets.operations import materialize
from bdp_assets.operations.landing_lag import not_landed
from bdp_assets.operations.ledger import Ledger
from bdp_assets.operations.progress import Bar, Screen
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings

QUESTION = {
    "transaction_id": "test-123",
    "customer_id": "customer-456",
    "amount": 1500.00,
    "timestamp": "2024-01-15T10:30:00Z",
    "merchant_id": "merchant-789",
}
TIMEOUT_S, LANDING_S = 10.0, 90.0


@dataclass(frozen=True)
class Proof:
    """The ledger of the stream, the API's answer to `QUESTION`, and what Dagster says of its assets."""

    ledger: Ledger
    answer: dict[str, Any]
    control_plane: dagster.ControlPlaneState
    not_landed: int
    """Offsets of the topics that the lake had not got in time."""

    @property
    def holds(self) -> bool:
        plane = self.control_plane
        open_ends = (plane.missing, plane.checks_failed, plane.checks_open, self.not_landed)
        return self.ledger.balanced and not any(open_ends)


def gather(settings: Settings, ledger: Ledger, screen: Screen) -> Proof:
    """Ask the API, then Dagster, once the traffic has landed and its scheduled checks have seen it.

    Raises Problem, ControlPlaneUnavailable, KafkaUnavailable, KafkaRefused.
    """
    answer = _ask(settings)
    behind = _wait_for_landing(settings, screen)
    if _is_open(dagster.state(settings)):
        materialize.last_scores(settings, screen)
        materialize.scheduled(settings, screen)
    return Proof(ledger, answer, _settled(settings, screen), not_landed=behind)


def _wait_for_landing(settings: Settings, screen: Screen) -> int:
    deadline, most = time.monotonic() + LANDING_S, 0
    while (left := not_landed(settings)) and time.monotonic() < deadline:
        most = max(most, left)
        screen.bars([Bar("wait for Dagster to land it", "", most - left, most, "offsets")])
        time.sleep(1)
    return left


def _is_open(state: dagster.ControlPlaneState) -> bool:
    return bool(state.missing or state.checks_open)


def _settled(settings: Settings, screen: Screen) -> dagster.ControlPlaneState:
    """The control plane once every asset is there and every check evaluated."""
    deadline = time.monotonic() + LANDING_S
    while True:
        state = dagster.state(settings)
        if not _is_open(state) or time.monotonic() > deadline:
            screen.bars(())
            return state
        there = len(state.materialised)
        screen.bars([Bar("wait for Dagster to follow", "", there, there + len(state.missing), "assets")])
        time.sleep(1)


def _ask(settings: Settings) -> dict[str, Any]:
    url = f"http://{LOOPBACK}:{settings.api_port}/api/v1/predict"
    body = json.dumps(QUESTION).encode()
    request = Request(url, data=body, headers={"Content-Type": "application/json", **settings.api_headers})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
            return content
    except (OSError, HTTPException, ValueError) as error:
        raise Problem(f"The API did not answer at {url}: {error}.", "`bdp logs api` tells why.") from error

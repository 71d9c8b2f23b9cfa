"""What the demo ends with: evidence that each part did its work."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from bdp_assets.clients import dagster
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

    @property
    def holds(self) -> bool:
        return (
            self.ledger.balanced and not self.control_plane.checks_failed and not self.control_plane.missing
        )


def gather(settings: Settings, ledger: Ledger, screen: Screen) -> Proof:
    """Ask the API, then Dagster once the traffic has landed. Raises Problem, ControlPlaneUnavailable."""
    answer = _ask(settings)
    return Proof(ledger=ledger, answer=answer, control_plane=_landed(settings, screen))


def _landed(settings: Settings, screen: Screen) -> dagster.ControlPlaneState:
    """The control plane once every asset and check is there: the traffic's first landing brings the last."""
    deadline = time.monotonic() + LANDING_S
    while _is_open(state := dagster.state(settings)) and time.monotonic() < deadline:
        there = len(state.materialised)
        screen.bars([Bar("wait for Dagster to land it", "", there, there + len(state.missing), "assets")])
        time.sleep(1)
    screen.bars(())
    return state


def _is_open(state: dagster.ControlPlaneState) -> bool:
    return bool(state.missing or state.checks_open)


def _ask(settings: Settings) -> dict[str, Any]:
    url = f"http://{LOOPBACK}:{settings.api_port}/api/v1/predict"
    body = json.dumps(QUESTION).encode()
    request = Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
            return content
    except (OSError, HTTPException, ValueError) as error:
        raise Problem(f"The API did not answer at {url}: {error}.", "`bdp logs api` tells why.") from error

"""One question to Dagster's GraphQL (no import of dagster)."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from bdp_assets.settings import LOOPBACK, Settings

TIMEOUT_S = 30.0
LOCATION = {"repositoryLocationName": "bdp_assets.definitions", "repositoryName": "__repository__"}


class ControlPlaneUnavailable(Exception):  # noqa: N818 - reads as what it is
    """Dagster's webserver does not answer."""


def ask(settings: Settings, query: str, **variables: Any) -> Any:
    """The data of the answer. Raises ControlPlaneUnavailable."""
    url = f"http://{LOOPBACK}:{settings.dagster_port}/graphql"
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise ControlPlaneUnavailable(
            f"Dagster does not answer at {url}: {error}. `bdp logs dagster-webserver` tells more."
        ) from error
    if content.get("errors"):
        raise ControlPlaneUnavailable(f"Dagster refused a query: {content['errors'][0]['message']}")
    return content["data"]


def expected(answer: Any, field: str) -> Any:
    """A field of an answer that may be a refusal instead. Raises ControlPlaneUnavailable."""
    if field not in answer:
        raise ControlPlaneUnavailable(f"Dagster refused: {answer.get('message', 'no such asset or job')}")
    return answer[field]


def name(node: Any) -> str:
    """`layer/noun` of something with an asset key."""
    return "/".join(node["assetKey"]["path"])

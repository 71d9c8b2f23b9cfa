"""Messages to a webhook: JSON by POST."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr

TIMEOUT_S = 5
TRIES = 3
FIRST_WAIT_S = 1.0


class WebhookRefused(Exception):  # noqa: N818 - reads as what it is
    """The webhook did not take a message. The text does not hold its URL, which is a secret."""


def post(url: SecretStr, message: Mapping[str, Any]) -> None:
    """Send a message, again where nobody answers or the server has trouble. Raises WebhookRefused."""
    reason = ""
    for tried in range(TRIES):
        if tried:
            time.sleep(FIRST_WAIT_S * 2 ** (tried - 1))
        try:
            answer = httpx.post(url.get_secret_value(), json=message, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = type(error).__name__
            continue
        if answer.is_success:
            return
        reason = f"status {answer.status_code}"
        if answer.is_client_error:
            break
    raise WebhookRefused(f"The webhook did not take the message: {reason}.")

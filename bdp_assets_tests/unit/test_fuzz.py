"""What `make fuzz` takes for a fault, and what it keeps of one."""

from __future__ import annotations

import json

import pytest

from bdp_assets_tests.fakes.hostile import CANARY, PAN
from bdp_assets_tests.fuzz.__main__ import keep
from bdp_assets_tests.fuzz.calls import JSON, Answer, Call
from bdp_assets_tests.fuzz.judge import fault


def _unknown(name: str, **more: str) -> Answer:
    error = {"code": "unknown_field", "field": name, "message": f"{name} is not in the contract. Remove it."}
    return Answer(200, b"", json.dumps([{"error": error, **more}]).encode())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, b"", b"{}"), None),
        (Answer(200, b"", f'{{"transaction_id": "{CANARY}"}}'.encode()), None),
        (Answer(503, b"", b""), "it answered 503"),
        (Answer(200, b"", PAN.encode()), "a card number came back"),
        (Answer(404, b"X-Request-Id: 4111-1111-1111-1111", b""), "a card number came back"),
        (Answer(422, b"", CANARY.encode()), "a refusal says what was sent"),
        (Answer(200, b"", f'[{{"error": "{CANARY}"}}]'.encode()), "a refusal says what was sent"),
        (Answer(200, b"", f'[{{"transaction_id": "{CANARY}"}}]'.encode()), None),
        (_unknown(f"{CANARY}NaNld"), None),
        (_unknown(f"{CANARY}NaNld", transaction_id=CANARY), "a refusal says what was sent"),
        (_unknown(f"{CANARY} field"), "a refusal says what was sent"),
    ],
)
def test_what_is_a_fault(answer: Answer, said: str | None) -> None:
    assert fault(answer) == said


def test_what_is_kept_of_a_fault_holds_no_card_number() -> None:
    call = Call("POST", b"/", JSON, f'{{"merchant_id": "{PAN}"}}'.encode())
    file = keep("it answered 500", call, "the log")
    text = file.read_text()
    file.unlink()
    assert PAN not in text
    assert text.startswith("it answered 500\n\nPOST / HTTP/1.1\n")
    assert '"merchant_id"' in text
    assert text.endswith("the log")

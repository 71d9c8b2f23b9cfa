"""What may stand on the raw topic, and what has to become of it: one table for the step and for the stream.

All of it comes as one customer's messages, in this order: some refer to those before them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from bdp_assets.contracts.wire import FORMS
from bdp_assets_tests.fakes.messages import NOW_MS, body

CUSTOMER = "c-1"
PAN = "4111111111111111"


class Input(NamedTuple):
    """`error` None: accepted, with these flags and, where the case is about money, these minor units."""

    name: str
    value: bytes | None
    error: str | None = None
    field: str | None = None
    step: str = "validate"
    flags: tuple[str, ...] = ()
    amount_minor: int | None = None


def inputs(now_ms: int) -> list[Input]:
    """The table, for messages that arrive at `now_ms` (within a minute; UTC epoch milliseconds)."""
    now = datetime.fromtimestamp(now_ms // 1000, UTC)

    def tx(name: str, *, at: datetime = now, **fields: object) -> bytes:
        return body(name, **{"timestamp": at.isoformat(), **fields})  # type: ignore[arg-type]

    cases = [
        Input("json_cut_off", tx("t")[:-1], "not_json"),
        Input("json_with_something_behind", tx("t") + b"}", "not_json"),
        Input("nothing_at_all", b"", "not_json"),
        Input("nested_without_end", b'{"amount": ' + b"[" * 100_000, "not_json"),
        Input("broken_utf8", tx("t").replace(b"m-1", b"m-\xff"), "not_utf8"),
        Input("half_a_surrogate", tx("t").replace(b"m-1", rb"m-\ud800"), "bad_format", "merchant_id"),
        Input("null_tombstone", None, "tombstone"),
        Input("body_of_2_mb", tx("t", device_id="d" * 2_000_000), "too_large"),
        Input("json_list", b"[" + tx("t") + b"]", "not_object"),
        Input("json_text", b'"transaction"', "not_object"),
        *(
            Input(f"missing_{name}", _without(tx("t"), name), "missing_field", name)
            for name in ("transaction_id", "customer_id", "amount", "timestamp")
        ),
        Input("null_where_it_is_required", _with(tx("t"), amount=None), "wrong_type", "amount"),
        Input("null_where_it_is_optional", _with(tx("null-optional"), merchant_id=None)),
        Input("extra_field", tx("t", colour="red"), "unknown_field", "colour"),
        Input("field_twice", tx("t")[:-1] + b', "amount": 12.5}', "duplicate_field", "amount"),
        Input("number_as_text", tx("t", amount="12"), "wrong_type", "amount"),
        Input("time_as_number", tx("t", timestamp=now_ms), "wrong_type", "timestamp"),
        Input("id_as_number", tx("t", customer_id=17), "wrong_type", "customer_id"),
        Input("object_as_id", tx("t", merchant_id={"id": "m-1"}), "wrong_type", "merchant_id"),
        Input("empty_id", tx(""), "bad_format", "transaction_id"),
        Input("nan", tx("t", amount=float("nan")), "not_json", "amount"),
        Input("infinity", tx("t", amount=float("inf")), "not_json", "amount"),
        Input("minus_infinity", tx("t", latitude=float("-inf")), "not_json", "latitude"),
        Input(
            "number_beyond_doubles",
            tx("t", latitude=0).replace(b'"latitude": 0', b'"latitude": 1e999'),
            "out_of_range",
            "latitude",
        ),
        Input("negative_amount", tx("t", amount=-0.01), "out_of_range", "amount"),
        Input("zero_amount", tx("zero", amount=0), amount_minor=0),
        Input("amount_without_end", tx("t", amount=10**15), "amount_too_large", "amount"),
        Input("third_decimal_of_dollars", tx("t", amount=1.001), "amount_excess_digits", "amount"),
        Input("three_decimal_currency", tx("dinars", currency="KWD", amount=1.001), amount_minor=1001),
        Input("currency_without_decimals", tx("yen", currency="JPY", amount=12), amount_minor=12),
        Input("decimal_of_yen", tx("t", currency="JPY", amount=0.5), "amount_excess_digits", "amount"),
        Input("unknown_currency", tx("t", currency="XYZ"), "currency_unknown", "currency"),
        Input("naive_timestamp", tx("t", at=now.replace(tzinfo=None)), "bad_format", "timestamp"),
        Input("date_only", tx("t", timestamp=f"{now:%Y-%m-%d}"), "bad_format", "timestamp"),
        Input("no_such_day", tx("t", timestamp="2026-02-30T00:00:00Z"), "timestamp_invalid", "timestamp"),
        Input("future_timestamp", tx("t", at=now + timedelta(minutes=7)), "timestamp_future", "timestamp"),
        Input("a_little_ahead", tx("ahead", at=now + timedelta(minutes=3))),
        Input("ancient_timestamp", tx("ancient", timestamp="1999-01-01T00:00:00+02:00"), flags=("very_old",)),
        Input("before_1970", tx("t", timestamp="1969-12-31T23:59:59Z"), "timestamp_invalid", "timestamp"),
        Input("duplicate_same_body", tx("zero", amount=0), "duplicate", "transaction_id", "enrich"),
        Input(
            "duplicate_spelled_otherwise",
            _respelled(tx("ahead", at=now + timedelta(minutes=3))),
            "duplicate",
            "transaction_id",
            "enrich",
        ),
        Input("same_id_other_body", tx("zero", amount=0.01), "conflict", "transaction_id", "enrich"),
        *(Input(f"pan_in_{name}", _with(tx("t"), **{name: PAN}), "pan_in_field", name) for name in FORMS),
        Input("pan_as_amount", _with(tx("t"), amount=int(PAN)), "amount_too_large", "amount"),
        Input("pan_in_an_extra_field", tx("t", card=PAN), "pan_in_field", "card"),
        Input("pan_deeper_down", tx("t", card={"number": PAN}), "pan_in_field"),
        Input("pan_as_a_name", tx("t", **{PAN: "x"}), "pan_in_field"),
        Input(
            "pan_with_spaces",
            tx("t", merchant_category="4111 1111 1111 1111"),
            "pan_in_field",
            "merchant_category",
        ),
        Input("pan_in_broken_json", b'{"device_id": "' + PAN.encode(), "not_json"),
        Input(
            "pan_in_escapes",
            tx("t", device_id="D").replace(b'"D"', _escaped(PAN)),
            "pan_in_field",
            "device_id",
        ),
        Input(
            "pan_beside_an_escape",
            tx("t", device_id="D").replace(b"D", rb"\u0044" + PAN.encode()),
            "pan_in_field",
            "device_id",
        ),
        Input("masked_pan_sent_again", tx("t", device_id="411111******1111"), "pan_in_field", "device_id"),
        Input("a_good_one_after_all_that", tx("good")),
    ]
    assert len({case.name for case in cases}) == len(cases)
    return cases


def _with(value: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(value), **fields}).encode()


def _without(value: bytes, name: str) -> bytes:
    return json.dumps({key: one for key, one in json.loads(value).items() if key != name}).encode()


def _respelled(value: bytes) -> bytes:
    """The same instant and money in other words, and null for absent."""
    record = json.loads(value)
    moved = (
        datetime.fromisoformat(record["timestamp"])
        .astimezone(timezone(timedelta(hours=5, minutes=30)))
        .isoformat()
    )
    text = json.dumps({**record, "timestamp": moved, "currency": "USD", "channel": None}, indent=1)
    return text.replace("12.5", "1.250e1").encode()


def _escaped(digits: str) -> bytes:
    return b'"' + b"".join(b"\\u00%02x" % ord(digit) for digit in digits) + b'"'


NAMES = [case.name for case in inputs(NOW_MS)]
"""For the ids of parametrised tests."""

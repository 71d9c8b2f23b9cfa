"""Requests that nobody in good faith sends; the unit tests say what each gets, `make fuzz` sends them all."""

from __future__ import annotations

from bdp_assets_tests.unit.bento.conftest import body

CANARY = "c4n4ry"
PAN = "4111111111111111"


def raw(amount: str) -> bytes:
    """A transaction whose amount is any text, JSON or not."""
    return body(1, amount=0.0).replace(b"0.0", amount.encode(), 1)


NOT_JSON = {
    "nothing": b"",
    "blank": b"   ",
    "cut off": body(1)[:-1],
    "trailing comma": body(1)[:-1] + b",}",
    "two objects": body(1) + body(2),
    "single quotes": body(1).replace(b'"', b"'"),
    "not utf-8": body(1, channel=CANARY).replace(CANARY.encode(), b"\xff\xfe" + CANARY.encode()),
    "utf-16": body(1).decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + body(1),
    "zero byte": body(1) + b"\x00",
    "bare control character": body(1, channel=CANARY).replace(CANARY.encode(), b"\n" + CANARY.encode()),
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "form": b"transaction_id=c4n4ry&amount=1",
    "xml": b"<transaction>c4n4ry</transaction>",
    "NaN": raw("NaN"),
    "Infinity": raw("Infinity"),
    "-Infinity": raw("-Infinity"),
    "leading zero": raw("0123"),
    "plus sign": raw("+1"),
    "hexadecimal": raw("0x10"),
    "only a point": raw("."),
    "comment": body(1)[:-1] + b"/* c4n4ry */}",
}
BROKEN: dict[str, bytes] = {
    "null": b"null",
    "a number": b"17",
    "a text": b'"c4n4ry"',
    "an array": b"[" + body(1) + b"]",
    "an empty object": b"{}",
    **{
        f"no {name}": body(1, **{name: None})
        for name in ("transaction_id", "customer_id", "amount", "timestamp")
    },
    "amount null": raw("null"),
    "amount as text": raw('"c4n4ry"'),
    "amount as array": raw('["c4n4ry"]'),
    "amount true": raw("true"),
    "amount negative": raw("-1500.00"),
    "amount too precise": raw("1.005"),
    "amount too large": raw("1e300"),
    "amount endless": raw("9" * 5_000),
    "amount tiny exponent": raw("1e-999999999"),
    "amount huge exponent": raw("1e999999999"),
    "id empty": body(1, transaction_id=""),
    "id a number": body(1, transaction_id=17),
    "id an object": body(1, transaction_id={CANARY: CANARY}),
    "id too long": body(1, transaction_id=CANARY * 50),
    "id with markup": body(1, transaction_id=f"<script>{CANARY}</script>"),
    "id with line break": body(1, customer_id=f"a\r\nX-Header: {CANARY}"),
    "id with zero": body(1, customer_id=f"{CANARY}\x00"),
    "id right to left": body(1, customer_id=f"\u202e{CANARY}"),
    "id sql": body(1, customer_id=f"'; drop table {CANARY}; --"),
    "timestamp naive": body(1, timestamp="2024-01-15T10:30:00"),
    "timestamp a number": body(1, timestamp=1705314600),
    "timestamp of no day": body(1, timestamp="2024-02-30T10:30:00Z"),
    "timestamp of no hour": body(1, timestamp="2024-02-20T24:30:00Z"),
    "timestamp ahead": body(1, timestamp="2999-01-01T00:00:00Z"),
    "timestamp before 1970": body(1, timestamp="1969-12-31T23:59:59Z"),
    "timestamp words": body(1, timestamp=CANARY),
    "currency unknown": body(1, currency="ZZZ"),
    "currency small": body(1, currency="usd"),
    "country words": body(1, country=CANARY),
    "latitude far": body(1, latitude=91),
    "longitude text": body(1, longitude=CANARY),
    "ip words": body(1, ip=CANARY),
    "lone surrogate": body(1, channel=CANARY).replace(CANARY.encode(), rb"\ud800"),
    "field unknown": body(1, **{f"{CANARY} field": 1}),
    "field unknown object": body(1, extra={CANARY: [CANARY]}),
    "card number in id": body(1, transaction_id=PAN),
    "card number in merchant": body(1, merchant_id=f"m-{PAN}"),
    "card number in groups": body(1, device_id="4111-1111-1111-1111"),
    "card number as amount text": raw(f'"{PAN}"'),
    "card number in a name": body(1, **{PAN: 1}),
}

DOUBLED = {
    "twice the same": body(1)[:-1] + b',"amount":100.0}',
    "twice another": body(1)[:-1] + b',"amount":1e300}',
    "twice an id": body(1)[:-1] + b',"transaction_id":"c4n4ry"}',
    "once hidden": body(1)[:-1] + rb',"\u0061mount":-1}',
}

UNTYPED = [
    ("Content-Type", b"application/json\xff"),
    ("Content-Length", b"9" * 30),
    ("X-Request-Id", b"\xff\xfe"),
    ("X-Request-Id", b"4111111111111111"),
    ("traceparent", b"\xf0\x9f\x92\xa9"),
    ("Authorization", b"Bearer \xc3\x28"),
    ("X-API-Key", b"\x80" * 10_000),
    ("Accept", b"*/*;q=nan"),
    ("Cookie", b"a=\xed\xa0\x80"),
]

PATHS = [
    "/api/v1/predict/",
    "/api/v1//predict",
    "/API/V1/PREDICT",
    "/api/v1/predict%00",
    "/api/v1/predict;x=1",
    "/%ff%fe",
    "/%",
    "/" + "a" * 20_000,
    "/docs/static/..%2f..%2fserver.py",
    "/docs/static/%00",
    "/docs/static/" + "a" * 5_000,
    "/docs/static/" + "a/" * 3_000,
]

SCRAPS = [
    b"\x00",
    b"\xff",
    b'"',
    b"{",
    b"]",
    b"1e400",
    b"-0",
    b"NaN",
    b"null",
    rb"\ud800",
    rb"\u0000",
    b"9" * 400,
    b"[" * 2_000,
]

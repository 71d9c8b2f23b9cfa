"""A quick yes is never wrong, and the usual transaction gets one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.contracts.wire import RawTransaction
from bdp_assets.ingest.surely_valid import surely_valid
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import any_record

NOW_MS = 1_750_000_000_000
ODD = {
    "device_id": ['"4111111111111111"', '"4111-1111-1111-1111"', '"x-411111111111"', '"a\\u0034"'],
    "merchant_category": ['"4111 1111 1111 1111"', '"41111111111111"'],
    "amount": [
        "12.345",
        "1.5",
        "999999999.99",
        "9999999999.99",
        "99999999999.99",
        "1.",
        ".5",
        "01",
        "-1",
        "null",
    ],
    "currency": ['"JPY"', '"EUR"', '"KWD"', '"XXX"'],
    "latitude": ["90.01", "-90", "89.9"],
    "longitude": ["180.5", "-179.9", "190"],
}


def verdicts(texts: list[str], times: list[str | None]) -> list[bool]:
    frame = pl.DataFrame({"value": texts, "time": times}, {"value": pl.String, "time": pl.String})
    return frame.select(surely_valid(pl.col("value"), pl.col("time"), now_ms=NOW_MS)).to_series().to_list()


def taken(text: str) -> bool:
    try:
        decode_transaction(text.encode(), received_ms=NOW_MS)
    except ContractError:
        return False
    return True


def any_time(rng: Random) -> str:
    near = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(seconds=rng.randint(-400, 400))
    old = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 90_000))
    text = (
        rng.choice([near, old]).isoformat().replace("+00:00", rng.choice(["Z", "+05:30", "-00:00", "+14:59"]))
    )
    at = rng.randint(0, len(text) - 1)
    return text if rng.random() < 0.5 else text[:at] + rng.choice("0123456789") + text[at + 1 :]


def candidate(rng: Random) -> tuple[str, str | None]:
    """Canonical spelling (see `ingest.encode`) of a record that is good, or odd somewhere."""
    record = any_record(rng)
    if "timestamp" in record and rng.random() < 0.7:
        record["timestamp"] = f'"{any_time(rng)}"'
    if rng.random() < 0.5:
        name = rng.choice(list(ODD))
        record[name] = rng.choice(ODD[name])
    order = {name: place for place, name in enumerate(RawTransaction.__struct_fields__)}
    members = sorted(record.items(), key=lambda member: order.get(member[0], 99))
    time = json.loads(record.get("timestamp", "null"))
    # A column holds no half of a pair of surrogates, so no source's row has one.
    is_text = isinstance(time, str) and time.isprintable()
    return "{" + ",".join(f'"{n}":{t}' for n, t in members) + "}", time if is_text else None


def test_what_gets_a_quick_yes_is_taken_by_the_contract() -> None:
    rng = Random(5)
    found = [candidate(rng) for _ in range(cases(20_000))]
    sure = verdicts([text for text, _ in found], [time for _, time in found])
    assert sum(sure) > len(sure) / 50
    assert [text for (text, _), yes in zip(found, sure, strict=True) if yes and not taken(text)] == []


def test_the_usual_transaction_gets_one_and_what_is_to_be_looked_at_does_not() -> None:
    time = "2024-01-15T10:30:00.125Z"
    usual = (
        f'{{"transaction_id":"T1","customer_id":"C1","amount":12.50,"timestamp":"{time}","currency":"EUR"}}'
    )
    others = [
        usual.replace("T1", "4111111111111111"),
        usual.replace("EUR", "JPY"),
        usual.replace("12.50", "-1"),
        usual.replace(':"EUR"', ':"EUR","currency":"EUR"'),
        usual + "\n",
    ]
    assert verdicts([usual, *others], [time] * 6) == [True, *[False] * 5]
    assert verdicts([usual], [None]) == [False]

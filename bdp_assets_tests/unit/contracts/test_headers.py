from __future__ import annotations

import random

import pytest

from bdp_assets.contracts.headers import may_go_on

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PAN = "4000056655665556"


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_a_trace_goes_on_under_what_is_by_the_standard(flags: str) -> None:
    assert may_go_on(f"00-{TRACE}-{SPAN}-{flags}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}٣-{SPAN}-01",
    ],
)
def test_none_does_under_what_is_not(text: str) -> None:
    assert not may_go_on(text)


@pytest.mark.parametrize(
    "ids", [f"{'a' * 16}{PAN}-{SPAN}", f"{TRACE}-{PAN}", f"{'a' * 24}{PAN[:8]}-{PAN[8:]}{'b' * 8}"]
)
def test_nor_under_ids_that_hold_a_card_number(ids: str) -> None:
    assert not may_go_on(f"00-{ids}-00")


def test_random_ids_look_so_at_the_documented_rate() -> None:
    rng = random.Random(1)
    drawn = (f"{rng.getrandbits(192):048x}" for _ in range(100_000))
    broken = sum(not may_go_on(f"00-{digits[:32]}-{digits[32:]}-01") for digits in drawn)
    assert 1 / 1_700 < broken / 100_000 < 1 / 1_000

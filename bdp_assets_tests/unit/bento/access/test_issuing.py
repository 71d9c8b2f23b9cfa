"""Keys are created, rotated and revoked; of their secrets only digests stay."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.access.issuing import DAY_MS, HOUR_MS, Issued, KeyRefused, Wish, create, revoke, rotate
from bento.access.keys import Keys, id_of
from bento.access.scopes import Scope

NOW = 1_800_000_000_000
PAN = "4111111111111111"


def issued(name: str = "shop", keys: Keys | None = None, **wish: int) -> Issued:
    return create(keys or Keys(), Wish(name=name, scopes=[Scope.PREDICT], **wish), NOW)


def opens(keys: Keys, shown: str, now_ms: int) -> bool:
    return any(key.id == id_of(shown) and key.is_opened_by(shown, now_ms) for key in keys.keys)


def test_a_key_has_256_random_bits_and_only_their_digest_is_kept() -> None:
    first, second = issued("a"), issued("b")
    assert re.fullmatch(r"bdp_[0-9a-f]{12}_[0-9a-f]{64}", first.shown)
    assert first.shown != second.shown
    assert first.shown.rpartition("_")[2].encode() not in msgspec.json.encode(first.keys)
    assert opens(first.keys, first.shown, NOW)
    assert not opens(first.keys, second.shown, NOW)


def test_scopes_are_kept_once_in_order() -> None:
    wish = Wish(name="a", scopes=[Scope.ADMIN, Scope.PREDICT, Scope.ADMIN])
    assert create(Keys(), wish, NOW).keys.keys[0].scopes == (Scope.PREDICT, Scope.ADMIN)


@given(st.integers(min_value=0, max_value=63), st.sampled_from("0123456789abcdef"))
def test_one_changed_digit_opens_nothing(place: int, digit: str) -> None:
    made = issued()
    at = len(made.shown) - 64 + place
    changed = made.shown[:at] + digit + made.shown[at + 1 :]
    assert opens(made.keys, changed, NOW) == (changed == made.shown)


def test_it_ends_when_it_expires() -> None:
    made = issued(expires_days=2)
    assert opens(made.keys, made.shown, NOW + 2 * DAY_MS - 1)
    assert not opens(made.keys, made.shown, NOW + 2 * DAY_MS)
    with pytest.raises(KeyRefused, match="expired"):
        rotate(made.keys, "shop", 1, NOW + 2 * DAY_MS)


def test_after_a_rotation_both_secrets_work_for_the_overlap() -> None:
    made = issued()
    rotated = rotate(made.keys, "shop", 24, NOW)
    assert id_of(rotated.shown) == id_of(made.shown), "limits go on"
    for shown in (made.shown, rotated.shown):
        assert opens(rotated.keys, shown, NOW + 24 * HOUR_MS - 1)
    assert not opens(rotated.keys, made.shown, NOW + 24 * HOUR_MS)
    assert opens(rotated.keys, rotated.shown, NOW + 24 * HOUR_MS)


def test_another_rotation_never_prolongs_an_older_secret() -> None:
    made = issued()
    once = rotate(made.keys, "shop", 1, NOW)
    twice = rotate(once.keys, "shop", 100, NOW)
    assert not opens(twice.keys, made.shown, NOW + HOUR_MS)
    assert opens(twice.keys, once.shown, NOW + HOUR_MS)
    later = rotate(twice.keys, "shop", 0, NOW + HOUR_MS)
    assert [key.secrets[1:] for key in later.keys.keys] == [()], "what has ended is forgotten"


def test_without_an_overlap_the_old_secret_ends_at_once() -> None:
    made = issued()
    rotated = rotate(made.keys, "shop", 0, NOW)
    assert not opens(rotated.keys, made.shown, NOW)
    assert opens(rotated.keys, rotated.shown, NOW)


def test_a_revoked_key_is_gone_and_no_other() -> None:
    first = issued("a")
    second = issued("b", first.keys)
    left = revoke(second.keys, "a")
    assert not opens(left, first.shown, NOW)
    assert opens(left, second.shown, NOW)


def test_a_name_is_taken_once_and_only_known_ones_change() -> None:
    made = issued()
    with pytest.raises(KeyRefused, match="rotate"):
        issued("shop", made.keys)
    for change in (lambda: rotate(made.keys, "other", 1, NOW), lambda: revoke(made.keys, "other")):
        with pytest.raises(KeyRefused, match="keys list"):
            change()


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "<b>", "a\n", f"card-{PAN}"])
def test_a_name_is_plain_and_no_card_number(name: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        issued(name)
    assert PAN not in str(refused.value)

"""A process follows its key file, and a bad one never opens anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from bento.access import issuing
from bento.access.file import change
from bento.access.keyring import Keyring
from bento.access.keys import Keys
from bento.access.scopes import Scope

NOW = 1_800_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def keyring(path: Path) -> Keyring:
    return Keyring(path)


def add(path: Path, name: str) -> str:
    def edit(keys: Keys) -> tuple[Keys, str]:
        made = issuing.create(keys, issuing.Wish(name=name, scopes=[Scope.PREDICT]), NOW)
        return made.keys, made.shown

    return change(path, edit)


def unreadable() -> float | None:
    return REGISTRY.get_sample_value("bdp_api_keys_unreadable_info")


def test_keys_come_and_go_with_the_file(path: Path, keyring: Keyring) -> None:
    first = add(path, "a")
    keyring.look()
    second = add(path, "b")
    assert keyring.find(first, NOW) is not None
    assert keyring.find(second, NOW) is None
    keyring.look()
    assert keyring.find(second, NOW) is not None
    change(path, lambda keys: (issuing.revoke(keys, "a"), None))
    keyring.look()
    assert keyring.find(first, NOW) is None
    assert keyring.find(second, NOW) is not None


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"version":1,"keys":[{}]}'])
def test_at_first_a_bad_file_lets_nobody_in(
    path: Path, keyring: Keyring, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    if content is not None:
        path.write_bytes(content)
    keyring.look()
    keyring.look()
    assert [record.levelname for record in caplog.records] == ["ERROR"], "told once"
    assert "every call is refused" in caplog.text
    assert keyring.find("", NOW) is None
    assert unreadable() == 1
    path.unlink(missing_ok=True)
    shown = add(path, "a")
    keyring.look()
    assert keyring.find(shown, NOW) is not None
    assert unreadable() == 0


def test_later_the_last_good_state_stays(
    path: Path, keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    shown = add(path, "a")
    keyring.look()
    good = path.read_bytes()
    for spoil in (lambda: path.write_bytes(good[:-20]), path.unlink):
        spoil()
        keyring.look()
        assert keyring.find(shown, NOW) is not None
        assert keyring.find(shown.replace(shown[-1], "x"), NOW) is None
        assert unreadable() == 1
    assert caplog.text.count("the 1 known before stay") == 2
    path.write_bytes(good)
    keyring.look()
    assert unreadable() == 0


def test_it_follows_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the file lets the test go on: nothing is timed."""
    monkeypatch.setattr("bento.access.keyring.EVERY_S", 0.001)
    keyring = Keyring(path)
    keyring.start()
    shown = add(path, "a")
    while keyring.find(shown, NOW) is None:
        keyring._stopped.wait(0.001)
    keyring.stop()
    assert not keyring._thread.is_alive()

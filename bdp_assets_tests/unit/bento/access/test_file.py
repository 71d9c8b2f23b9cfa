"""The key file: for its owner only, whole or not at all, and no change is lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bento.access.file import KeyFileError, change, load
from bento.access.issuing import Wish, create
from bento.access.keys import Keys
from bento.access.scopes import Scope

DAMAGED = {
    "empty": b"",
    "cut off": b'{"version":1,"keys":[{"name":"a"',
    "no utf-8": b'\xff\xfe{"keys":[]}',
    "an array": b"[]",
    "deep": b"[" * 100_000,
    "another version": b'{"version":2,"keys":[]}',
    "a field of the future": b'{"version":1,"keys":[],"more":1}',
    "a key without scopes": b'{"version":1,"keys":[{"name":"a","id":"0123456789ab","scopes":[],"secrets":[],'
    b'"created_ms":1}]}',
    "an unknown scope": b'{"version":1,"keys":[{"name":"a","id":"0123456789ab","scopes":["all"],"secrets":[],'
    b'"created_ms":1}]}',
    "a plain secret": b'{"version":1,"keys":[{"name":"a","id":"0123456789ab","scopes":["predict"],'
    b'"secrets":[{"sha256":"hunter2"}],"created_ms":1}]}',
}


def add(path: Path, name: str) -> str:
    def edit(keys: Keys) -> tuple[Keys, str]:
        made = create(keys, Wish(name=name, scopes=[Scope.PREDICT]), 1)
        return made.keys, made.shown

    return change(path, edit)


def test_what_is_written_is_read_and_others_can_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    shown = add(path, "a")
    (key,) = load(path).keys
    assert key.is_opened_by(shown, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_of_writers_at_once_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add(path, f"key-{number}"), range(40)))
    assert {key.name for key in load(path).keys} == {f"key-{number}" for number in range(40)}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_told_and_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(DAMAGED[name])
    for attempt in (lambda: load(path), lambda: add(path, "a")):
        with pytest.raises(KeyFileError, match="damaged") as told:
            attempt()
        assert "hunter2" not in str(told.value)
    assert path.read_bytes() == DAMAGED[name]


def test_a_pipe_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may ever write into it: no change would arrive, and a stop would wait for who reads it."""
    path = tmp_path / "keys.json"
    os.mkfifo(path)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it is read"))
    with pytest.raises(KeyFileError, match="no regular file"):
        load(path)


def test_two_keys_of_one_name_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    add(path, "a")
    add(path, "b")
    path.write_text(path.read_text().replace('"name": "b"', '"name": "a"'))
    with pytest.raises(KeyFileError, match="two keys"):
        load(path)


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="Can not write the API keys"):
        add(tmp_path / "file" / "keys.json", "a")

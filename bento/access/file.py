"""The key file: JSON, read by every API process, written whole or not at all, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from bento.access.issuing import Issued
from bento.access.keys import Keys

T = TypeVar("T")


class KeyFileError(Exception):
    """The key file can not be read or written. The message says why, and holds nothing that is in it."""


def load(path: Path) -> Keys:
    """Raises KeyFileError."""
    try:
        keys = msgspec.json.decode(_read(path), type=Keys)
    except OSError as error:
        raise KeyFileError(f"Can not read the API keys in {path}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise KeyFileError(f"{path} is damaged: it is no file of API keys.") from None
    names, ids = {key.name for key in keys.keys}, {key.id for key in keys.keys}
    if not len(names) == len(ids) == len(keys.keys):
        raise KeyFileError(f"{path} is damaged: two keys have one name or one id.")
    return keys


def change(path: Path, edit: Callable[[Keys], tuple[Keys, T]]) -> T:
    """Write what `edit` makes of the keys; others wait meanwhile. Raises KeyFileError."""
    try:
        with _alone(path):
            keys, result = edit(load(path) if path.exists() else Keys())
            _write(path, msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
    except OSError as error:
        raise KeyFileError(f"Can not write the API keys to {path}: {error.strerror}.") from error
    return result


def issue(path: Path, how: Callable[[Keys], Issued]) -> str:
    """Write the keys with a new one, which is returned as its owner gets it.

    Raises KeyFileError, and what `how` does.
    """

    def edit(keys: Keys) -> tuple[Keys, str]:
        issued = how(keys)
        return issued.keys, issued.shown

    return change(path, edit)


def _read(path: Path) -> bytes:
    """Of a pipe, a reader may wait for ever. Raises OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return path.read_bytes()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

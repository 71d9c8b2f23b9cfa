"""A folder that is there whole or not at all: made under another name, which takes its own at the end."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bdp_assets.runtime.problems import DiskFull, Problem

_UNFINISHED = ".unfinished"
"""In a draft, locked by who makes it: the kernel drops the lock when that one dies."""


@contextmanager
def draft(target: Path, suffix: str) -> Iterator[Path]:
    """Yields a new folder beside `target`, which is renamed to it at the end and removed when that fails.

    `target` must not be there by then, or be an empty folder. What a killed one left is removed first.
    Raises Problem: another process makes it just now, or it can not be written.
    """
    folder = target.with_name(target.name + suffix)
    try:
        _remove_leftover(folder)
        folder.mkdir(mode=0o700, parents=True)
        with (folder / _UNFINISHED).open("x") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield folder
                os.sync()
                (folder / _UNFINISHED).unlink()
                folder.rename(target)
                _sync(target.parent)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except OSError as error:
        if error.errno is None:  # a client's own kind, with words of its own
            raise
        raise unwritable(target.parent, error) from error


def require_room(parent: Path, needed: int) -> None:
    """Raises DiskFull where the disk that the folder is on, or will be, has less bytes."""
    there = next(folder for folder in (parent, *parent.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DiskFull(
            f"{needed / 2**20:,.0f} MiB are needed in {parent}, and {free / 2**20:,.0f} MiB are free there.",
            "Make room, or name a folder on a larger disk.",
        )


def unwritable(place: Path, error: OSError) -> Problem:
    """What to tell when something under that folder could not be read or written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"The disk of {place} is full. What was begun there is removed.",
            "Make room, or name a folder on a larger disk.",
        )
    return Problem(
        f"Could not read or write {error.filename or place}: {error.strerror}. What was begun is removed.",
        "Fix the rights of that place, or name another folder.",
    )


def _remove_leftover(folder: Path) -> None:
    if not folder.exists():
        return
    if folder.is_dir() and not any(folder.iterdir()):  # killed before it held anything
        folder.rmdir()
        return
    if not (folder / _UNFINISHED).is_file():
        raise Problem(f"{folder} is in the way, and no leftover of ours.", "Move it, or name another folder.")
    with (folder / _UNFINISHED).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(f"Another `bdp` writes {folder} just now.", "Wait until it is done.") from error
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Have the new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""BDP_HOME: the one folder that holds the local profile's state, and the rules for touching it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bdp_assets.runtime.problems import DiskFull, Problem

MARKER = ".bdp-home"
ROOM_NEEDED_BYTES = 2 * 1024**3
# sockaddr_un holds 107 characters; supervisord first binds a name that is longer by a dot and its pid.
LONGEST_SOCKET_PATH = 95


def prepare(home: Path) -> None:
    """Make the folder ours. Raises Problem: it is not ours, not writable, or the disk is nearly full."""
    if home.exists() and not (home / MARKER).exists() and any(home.iterdir()):
        raise Problem(
            f"{home} has other files in it, so it can not become the platform's home.",
            "Set BDP_HOME to a new or empty folder.",
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        check_room(home)
        (home / MARKER).write_text("State of the fraud platform. `bdp down --wipe` removes this folder.\n")
        for folder in ("run", "logs", "secrets"):
            (home / folder).mkdir(exist_ok=True)
        (home / "secrets").chmod(0o700)
    except OSError as error:
        raise unwritable(home, error) from error


def check_room(home: Path, seen: str = "") -> None:
    """Raises DiskFull, with what was `seen` of it, when the disk has less than ROOM_NEEDED_BYTES left."""
    free = shutil.disk_usage(home).free
    if free < ROOM_NEEDED_BYTES:
        raise DiskFull(
            f"Only {_size(free)} are free on the disk of {home}; the platform needs 2 GiB. {seen}".rstrip(),
            "Make room there, or set BDP_HOME to a folder on a larger disk.",
        )


@contextmanager
def lack_of_room_told(home: Path) -> Iterator[None]:
    """A Problem that comes of a full disk says so, in whatever words it came."""
    try:
        yield
    except DiskFull:
        raise
    except Problem as problem:
        check_room(home, f"What came of it: {problem.what}")
        raise


def unwritable(home: Path, error: OSError) -> Problem:
    """What to tell when a file of the home could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = _size(shutil.disk_usage(home).free)
        return DiskFull(
            f"Can not write in {home}: {error.strerror}, with {free} free there.",
            "Make room (space, inodes or quota), or set BDP_HOME to a folder on a larger disk.",
        )
    return Problem(
        f"Can not write in {home}: {error.strerror}.",
        "Make room or fix the folder's owner, or set BDP_HOME to another folder.",
    )


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count // 1024**2} MiB"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One starter or stopper at a time; the kernel drops the lock when its holder dies."""
    with (home / "run" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                f"Another `bdp` is starting or stopping the platform of {home} just now.",
                "Wait until it is done, then try again.",
            ) from error
        yield


def socket_path(home: Path) -> Path:
    """Where the supervisor listens: in the home, or in a private short folder when that path is too long."""
    inside = home / "run" / "supervisor.sock"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"bdp-{os.geteuid()}-{digest}" / "supervisor.sock"


def prepare_socket(home: Path) -> Path:
    """`socket_path`, its folder made and known to be ours alone."""
    path = socket_path(home)
    if path.is_relative_to(home):
        return path
    path.parent.mkdir(mode=0o700, exist_ok=True)
    status = path.parent.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077 or path.parent.is_symlink():
        raise Problem(
            f"{path.parent} belongs to somebody else or is open to others.",
            "Remove it, or use a shorter BDP_HOME.",
        )
    return path


def wipe(home: Path) -> None:
    """Remove the folder with everything in it; only one that carries our marker."""
    if not home.exists():
        return
    if not (home / MARKER).is_file():
        raise Problem(
            f"{home} was not made by the platform: it has no {MARKER} file.",
            "Remove it by hand if you mean it.",
        )
    shutil.rmtree(home)
    if not socket_path(home).is_relative_to(home):
        shutil.rmtree(socket_path(home).parent, ignore_errors=True)

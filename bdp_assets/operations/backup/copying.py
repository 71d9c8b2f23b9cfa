"""Copies of files that are hashed on their way, with their holes, modes and times."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bdp_assets.operations.backup.contents import Found

BLOCK = 2**20
_NOTHING = bytes(BLOCK)


def copy_file(source: Path, target: Path) -> str:
    """Copy into a new file; SHA-256 (hex) of what was read.

    Blocks of zeros become holes: Kafka sets 20 MB of them aside for each partition. Raises OSError.
    """
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as reader, target.open("xb", buffering=0) as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            if block == _NOTHING[: len(block)]:
                writer.seek(len(block), os.SEEK_CUR)
            else:
                _write(writer.fileno(), block)
        writer.truncate(writer.tell())
    return digest.hexdigest()


def place(root: Path, found: Found) -> None:
    """Make a folder or a link, without what only `finish` can give it."""
    if found.kind == "folder":
        (root / found.path).mkdir(mode=0o700, exist_ok=found.path == ".")
    elif found.kind == "link":
        (root / found.path).symlink_to(found.target)


def finish(root: Path, found: Found) -> None:
    """Mode, time and (for root, who alone can) owner as they were. Folders after what is in them."""
    path = root / found.path
    if os.geteuid() == 0:
        os.chown(path, *found.owner, follow_symlinks=False)
    if found.kind != "link":
        path.chmod(found.mode)
    os.utime(path, ns=(found.mtime_ns, found.mtime_ns), follow_symlinks=False)


def _write(descriptor: int, block: bytes) -> None:
    """All of it: a nearly full disk takes a part, and says at the next attempt why."""
    left = memoryview(block)
    while left:
        left = left[os.write(descriptor, left) :]

"""Lines of a text file, compressed or not, a few at a time; and what tells one file from another."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from bdp_assets.ingest.file_format import compression
from bdp_assets.runtime.problems import Problem

HEAD_BYTES = 4096
BOM = b"\xef\xbb\xbf"


def lines(file: Path, *, growing: bool) -> Iterator[bytes]:
    """Each line with its end, without a byte-order mark.

    `growing`: somebody may be writing still, so that a last line without its end is left for later.
    Raises Problem when the compressed stream is damaged or not all there.
    """
    with reading(file), _opened(file) as stream:
        for number, line in enumerate(stream):
            if growing and not line.endswith(b"\n"):
                return
            yield line.removeprefix(BOM) if number == 0 else line


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into a Problem that names it."""
    try:
        yield
    except (EOFError, zlib.error, pa.ArrowException) as error:
        raise Problem(
            f"{file} is damaged or not all there ({type(error).__name__}).",
            "Was it still being written? Write it under another name, then rename it. Then run this again.",
        ) from None
    except OSError as error:
        raise Problem(
            f"{file} can not be read: {error.strerror or error}.", "Mend that, then run this again."
        ) from None


def _opened(file: Path) -> io.BufferedIOBase:
    match compression(file):
        case ".gz":
            return gzip.open(file, "rb")
        case ".zst":
            return io.BufferedReader(pa.input_stream(str(file), compression="zstd"))
    return file.open("rb")


def head_of(file: Path, size: int = HEAD_BYTES) -> tuple[int, str]:
    """So many bytes a file begins with (or all it has), and their hash."""
    with reading(file), file.open("rb") as stream:
        head = stream.read(size)
    return len(head), blake2b(head, digest_size=16).hexdigest()

"""What a file's name says of how to read it: its format, and how it is compressed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class FileFormat(StrEnum):
    csv = "csv"
    ndjson = "ndjson"
    json = "json"
    """One array of objects."""
    parquet = "parquet"


COMPRESSED = (".gz", ".zst")
_ENDINGS = {f".{form}": form for form in FileFormat} | {".jsonl": FileFormat.ndjson}
READ = ", ".join(_ENDINGS)


def compression(file: Path) -> str | None:
    """`.gz`, `.zst`, or None."""
    ending = file.suffix.lower()
    return ending if ending in COMPRESSED else None


def file_format(file: Path) -> FileFormat | None:
    """The format by the name's ending, before that of its compression; None: it is none that we read."""
    plain = file.with_suffix("") if compression(file) else file
    return _ENDINGS.get(plain.suffix.lower())

"""The questions of docs/warehouse.md: their SQL, and the indexes that they are answered by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "warehouse.md"


@dataclass(frozen=True)
class Question:
    """`indexes` are those that the page says its plan uses."""

    number: int
    sql: str
    indexes: frozenset[str]


def questions() -> list[Question]:
    found = re.findall(r"^### (\d+)\. .*?^```sql\n(.*?)^```\nIndex: (.*?)$", PAGE.read_text(), re.M | re.S)
    return [Question(int(n), sql, frozenset(re.findall(r"`(\w+)`", named))) for n, sql, named in found]

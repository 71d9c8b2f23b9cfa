from __future__ import annotations

import pytest

from bdp_assets.ingest.meanings import meanings
from bdp_assets.ingest.tables import TABLES


@pytest.mark.parametrize("table", TABLES)
def test_each_column_of_a_table_is_explained(table: str) -> None:
    told = meanings(table)
    assert list(told) == TABLES[table].names()
    assert all(text.endswith(".") for text in told.values())


def test_a_table_of_a_topic_speaks_as_its_schema() -> None:
    assert meanings("labels")["known_at_ms"] != meanings("predictions")["decided_at_ms"]
    assert meanings("features")["customer_id"] == meanings("validated")["customer_id"]

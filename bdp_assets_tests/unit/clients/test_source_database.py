"""What the driver says of a URL that it misreads holds parts of the password: none of it is told."""

from __future__ import annotations

from typing import Any

import pytest

from bdp_assets.clients import source_mysql, source_postgresql
from bdp_assets.clients.source_database import SourceUnavailable, Table

TABLE = Table("payments", "seen", "id", ("id",))


POSTGRESQL = ("secret", "postgresql://me@127.0.0.1:secret/db", "postgresql://me@[secret/db", "a=secret")
MYSQL = (
    *("secret", "mysql://me@127.0.0.1:secret/db", "mysql://me@[secret/db", "mysql://me:secret@127.0.0.1:1/"),
    *("mysql://me@127.0.0.1:1/db?secret", "mysql://me@h/db?secret=1"),
)


@pytest.mark.parametrize(
    ("opened", "url"),
    [(source_postgresql.opened, url) for url in POSTGRESQL] + [(source_mysql.opened, url) for url in MYSQL],
)
def test_a_url_that_is_none_is_told_without_it(opened: Any, url: str) -> None:
    with pytest.raises(SourceUnavailable, match="is the URL right") as told, opened(url, TABLE):
        pass
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None

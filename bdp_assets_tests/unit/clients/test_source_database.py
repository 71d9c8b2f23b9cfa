"""What the driver says of a URL that it misreads holds parts of the password: none of it is told."""

from __future__ import annotations

import pytest

from bdp_assets.clients.source_database import SourceUnavailable, Table, opened

TABLE = Table("payments", "seen", "id", ("id",))


@pytest.mark.parametrize(
    "url",
    [
        "secret",
        "postgresql://me@127.0.0.1:secret/db",
        "postgresql://me@[secret/db",
        "a=secret",
    ],
)
def test_a_url_that_is_none_is_told_without_it(url: str) -> None:
    with pytest.raises(SourceUnavailable, match="is the URL right") as told, opened(url, TABLE):
        pass
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None

"""A copy has the bytes of the file, wherever its zeros are."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.operations.backup.copying import BLOCK, copy_file
from bdp_assets_tests.effort import cases

PIECES = st.one_of(st.integers(1, 2 * BLOCK).map(bytes), st.binary(min_size=1, max_size=50))


@settings(max_examples=cases(100), deadline=None)
@given(st.lists(PIECES, max_size=4).map(b"".join))
def test_a_copy_is_the_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(content)
        assert copy_file(source, target) == hashlib.sha256(content).hexdigest()
        assert target.read_bytes() == content

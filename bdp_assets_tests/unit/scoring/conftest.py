from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle to read; copy it to change it."""
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))

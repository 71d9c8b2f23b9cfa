"""What the developer's shell and this checkout's running platform say is nothing to the tests.

Here and not in a fixture: the daily partitions, for one, are settled when a module is first imported.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

RECORD = "BDP_RECORD"
"""Asks tests to write their snapshots anew."""

for name in [name for name in os.environ if name.startswith("BDP_") and name != RECORD]:
    del os.environ[name]
os.environ["BDP_HOME"] = str(Path(tempfile.gettempdir()) / f"bdp-tests-without-home-{os.getpid()}")

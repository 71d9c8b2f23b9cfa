from __future__ import annotations

from bdp_assets_tests.unit.defs.conftest import history, home, instance, lake

__all__ = ["history", "home", "instance", "lake"]

"""For every test: how hard property tests that do not say so themselves try."""

from __future__ import annotations

from hypothesis import settings

from bdp_assets_tests.effort import cases

# No deadline: other work on the machine would fail a test that is right.
settings.register_profile("bdp", max_examples=cases(100), deadline=None)
settings.load_profile("bdp")

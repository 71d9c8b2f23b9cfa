"""The model that a Bento brings along. A checkout has none: there the champion of BDP_HOME serves.

    packed/champion/    the bundle
    packed/policies/    the policy that served with it, if it was tuned since training (see `local_policies`)

In a Bento this model serves, whatever is in BDP_HOME: its tag says what it answers with.
"""

from __future__ import annotations

from pathlib import Path

from bdp_assets.settings import Settings

PACKED = Path(__file__).with_name("packed")


def models_dir(settings: Settings) -> Path:
    """The folder whose `champion` serves."""
    return PACKED if PACKED.is_dir() else settings.models_dir

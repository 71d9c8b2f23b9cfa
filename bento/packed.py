"""What is different in a Bento: it brings its model along, and its folder is no place for state.

    packed/champion/    the bundle
    packed/policies/    the policy that served with it, if it was tuned since training (see `local_policies`)

A checkout has no `packed`: there the champion of BDP_HOME serves. In a Bento the packed model does, whatever
BDP_HOME has: its tag says what it answers with. BentoML works in the Bento's own folder, which the next build
replaces: a spool there would be lost with it.
"""

from __future__ import annotations

from pathlib import Path

from bdp_assets.settings import InvalidSettings, Settings

PACKED = Path(__file__).with_name("packed")
HOME = {"name": "BDP_HOME", "value": "~/.bdp", "stage": "runtime"}


def environment() -> list[dict[str, str]]:
    """Variables that BentoML sets where they are not."""
    return [HOME] if PACKED.is_dir() else []


def checked(settings: Settings) -> Settings:
    """Raises InvalidSettings where a Bento's state would be in its own folder."""
    if PACKED.is_dir() and settings.home.is_relative_to(PACKED.parents[1]):
        raise InvalidSettings("BDP_HOME: it must be an absolute path, outside of the Bento.")
    return settings


def models_dir(settings: Settings) -> Path:
    """The folder whose `champion` serves."""
    return PACKED if PACKED.is_dir() else settings.models_dir

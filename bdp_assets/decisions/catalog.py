"""The rules that decide: `rules.yaml`, read and checked once, when a process starts."""

from __future__ import annotations

from bdp_assets.decisions.rules import load_rules

RULES = load_rules()

"""Where the code lies, and the files that it reads which are not code: schemas, migrations, configurations.

A checkout has those at its root. A wheel carries them inside the package (pyproject.toml says which), so that
an installed platform needs no checkout.
"""

from __future__ import annotations

from pathlib import Path

_CARRIED = Path(__file__).resolve().parent / "_carried"

PROJECT = Path(__file__).resolve().parents[1]
"""What Python imports us from: the checkout's root, or site-packages."""

FILES = _CARRIED if _CARRIED.is_dir() else PROJECT
"""schemas/, deploy/, dagster.yaml, workspace.yaml and requirements.lock are here."""

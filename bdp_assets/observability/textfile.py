"""Metrics of a run that has ended: a text file that a collector beside Prometheus reads."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile


def leave(folder: Path, name: str, registry: CollectorRegistry) -> Path:
    """Replace the file `name`.prom in one step, so that nobody reads a half; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.prom"
    write_to_textfile(str(path), registry)
    return path

"""Runs every notebook on the data in BDP_HOME, as somebody who opens it would: `make notebooks`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from bdp_assets.project import PROJECT

FOLDER = PROJECT / "notebooks"
TIMEOUT_S = 300
"""For one cell."""


def main() -> int:
    """Write executed copies into the folder that is asked for; 1 where a cell failed or nothing was drawn."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, required=True, help="folder for the executed copies")
    output: Path = arguments.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    failed = [path.name for path in sorted(FOLDER.glob("*.ipynb")) if not _run(path, output)]
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return bool(failed)


def _run(path: Path, output: Path) -> bool:
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(FOLDER)}}
    quiet = ["--IPKernelApp.log_level=ERROR"]  # That it listens on loopback is what we want.
    client = NotebookClient(notebook, timeout=TIMEOUT_S, resources=where, extra_arguments=quiet)
    try:
        client.execute()
    except CellExecutionError as error:
        sys.stderr.write(f"{path.name}: {error}\n")
        return False
    finally:
        nbformat.write(notebook, output / path.name)
    pictures = _pictures(notebook)
    sys.stdout.write(f"{path.name}: {len(notebook.cells)} cells, {pictures} pictures\n")
    return pictures > 0


def _pictures(notebook: NotebookNode) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


if __name__ == "__main__":
    sys.exit(main())

"""Runs every block of shell in the docs that is marked as runnable: `make docs-run`, after `make demo`."""

from __future__ import annotations

import argparse
import sys

from bdp_assets_tests.docs.blocks import Block, blocks
from bdp_assets_tests.docs.pages import pages
from bdp_assets_tests.docs.shell import run


def main() -> int:
    """1 where a block failed; each is shown with its place, a failed one with all that it printed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--without-platform", action="store_true", help="only blocks that need nothing started"
    )
    alone: bool = arguments.parse_args().without_platform
    found = [block for page in pages() for block in blocks(page) if not block.of_lesson]
    chosen = [block for block in found if not (alone and block.needs_platform)]
    failed = [block.place for block in chosen if not _works(block)]
    sys.stdout.write(f"{len(chosen) - len(failed)} of {len(chosen)} blocks work\n")
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return bool(failed)


def _works(block: Block) -> bool:
    outcome = run(block)
    sys.stdout.write(f"{'ok    ' if outcome.ok else 'FAILED'} {block.place}\n")
    if not outcome.ok:
        sys.stderr.write(f"{block.script}{outcome.output}\n")
    return outcome.ok


if __name__ == "__main__":
    sys.exit(main())

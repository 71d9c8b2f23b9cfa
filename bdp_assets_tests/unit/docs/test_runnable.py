"""Marked blocks are found, run strictly, and a mark that marks nothing is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bdp_assets_tests.docs.blocks import Block, MarkError, blocks
from bdp_assets_tests.docs.pages import pages
from bdp_assets_tests.docs.shell import run

TEXT = """# Page
<!-- runnable -->
```bash
echo one
echo two
```
```
not marked
```
<!-- runnable: platform -->
```
bdp status
```
"""


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


def script(text: str) -> Block:
    return Block("page.md", 1, text, needs_platform=False)


def test_marked_blocks_are_found_and_others_are_not(tmp_path: Path) -> None:
    page = page_of(tmp_path, TEXT)
    assert blocks(page) == [
        Block(str(page), 4, "echo one\necho two\n", needs_platform=False),
        Block(str(page), 12, "bdp status\n", needs_platform=True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- runnable -->\n\n```bash\necho\n```\n",
        "<!-- runnable -->\n```python\npass\n```\n",
        "<!-- runnable -->\n```bash\necho\n",
        "<!-- runnable: platfrom -->\n```bash\necho\n```\n",
        "<!-- runnable, later -->\n```bash\necho\n```\n",
        "<!-- runnable -->",
    ],
)
def test_a_mark_that_marks_nothing_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(MarkError, match=r"page\.md:1: write"):
        blocks(page_of(tmp_path, text))


def test_the_docs_have_blocks_of_both_kinds() -> None:
    found = [block for page in pages() for block in blocks(page)]
    assert {block.needs_platform for block in found} == {False, True}


def test_a_block_sees_the_checkout_and_its_programs() -> None:
    outcome = run(script("test -f mkdocs.yml\ncommand -v mkdocs\n"))
    assert outcome.ok, outcome.output


@pytest.mark.parametrize("text", ["false\ntrue\n", "false | cat\n", "echo $BDP_NOT_SET_ANYWHERE\n"])
def test_the_first_failure_fails_the_block(text: str) -> None:
    outcome = run(script(f"echo before\n{text}echo after\n"))
    assert not outcome.ok
    assert outcome.output.startswith("before\n")
    assert "after" not in outcome.output


def test_what_does_not_end_is_ended_with_all_that_it_started() -> None:
    outcome = run(script("echo begun\nsleep 600 | cat\n"), timeout_s=0.2)
    assert not outcome.ok
    assert "still at work" in outcome.output


@pytest.fixture
def refusing() -> Iterator[str]:
    """URL of a server that answers 503 to everything."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
def test_a_call_that_is_refused_fails_the_block(refusing: str) -> None:
    outcome = run(script(f"curl --noproxy '*' {refusing}\n"))
    assert not outcome.ok
    assert "503" in outcome.output

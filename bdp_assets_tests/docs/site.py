"""The built site needs no network: no page of it fetches anything from elsewhere (`make docs` asks)."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
_IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")


class _Fetches(HTMLParser):
    """Addresses that a browser loads with the page; where a link leads is not one."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(_FETCHED.get(tag, "")) or ""
        if address.startswith(("http:", "https:", "//")):
            self.elsewhere.append(address)


def fetched_from_elsewhere(site: Path) -> Iterator[tuple[Path, str]]:
    """Files of the site with the addresses on other machines that they load."""
    for page in sorted(site.rglob("*.html")):
        fetches = _Fetches()
        fetches.feed(page.read_text())
        yield from ((page, address) for address in fetches.elsewhere)
    for style in sorted(site.rglob("*.css")):
        yield from ((style, address) for address in _IN_STYLE.findall(style.read_text()))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("site", type=Path, help="folder of the built site")
    site: Path = arguments.parse_args().site
    if not (site / "index.html").exists():
        sys.stderr.write(f"There is no site in {site}: `make docs` builds it.\n")
        return 1
    found = list(fetched_from_elsewhere(site))
    for page, address in found:
        sys.stderr.write(f"{page} needs the network: {address}\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

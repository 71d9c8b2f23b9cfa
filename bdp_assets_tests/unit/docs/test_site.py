"""What a built page would fetch from elsewhere is found; what it merely links to is not."""

from __future__ import annotations

from pathlib import Path

from bdp_assets_tests.docs.site import fetched_from_elsewhere

PAGE = """<link rel="stylesheet" href="//fonts.example/a.css"><link rel="icon" href="assets/icon.png">
<script src="https://cdn.example/b.js"></script><script src="assets/b.js"></script><a href="https://example.org">there</a>
<img src="images/c.svg"><p>src="https://only.example/text"</p>"""


def test_what_a_page_or_a_style_fetches_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "main.css").write_text(
        '@import "https://d.example/e.css"; a { background: url(data:image/png,1) url(f.png) }'
    )
    found = [(path.name, address) for path, address in fetched_from_elsewhere(tmp_path)]
    assert found == [
        ("index.html", "//fonts.example/a.css"),
        ("index.html", "https://cdn.example/b.js"),
        ("main.css", "https://d.example/e.css"),
    ]

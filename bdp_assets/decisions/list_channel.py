"""How the allow and block lists are published."""

from __future__ import annotations

from bdp_assets.decisions.lists import NO_LISTS, PublishedLists
from bdp_assets.decisions.publication import Publication
from bdp_assets.observability.list_metrics import LISTS_PUBLISHED, LISTS_UNREADABLE

LISTS = Publication(
    name="lists",
    kind=PublishedLists,
    nothing=NO_LISTS.published,
    nobody="nobody is listed",
    anew="bdp lists publish",
    published_gauge=LISTS_PUBLISHED,
    unreadable_gauge=LISTS_UNREADABLE,
)

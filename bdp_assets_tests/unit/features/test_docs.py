"""What docs/features.md shows works, and what it says the engine refuses is refused with these words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bdp_assets.cli.feature_tables import page
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.checks import SpecError
from bdp_assets.features.layout import Layout
from bdp_assets.features.spec import CUSTOMER, MERCHANT, Catalog, WindowFeature
from bdp_assets.features.times import ALL_HISTORY, DAY, HOUR
from bdp_assets_tests.unit.features.frames import batch_vectors, bits
from bdp_assets_tests.unit.features.oracle import as_corrected
from bdp_assets_tests.unit.features.strategies import START, transaction

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "features.md").read_text()


def test_the_page_of_the_catalog_is_the_catalog() -> None:
    """Made anew by `bdp features describe --markdown > docs/feature-catalog.md`."""
    assert (DOCS / "feature-catalog.md").read_text() == page(CATALOG)


def test_the_example_is_a_feature() -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, names)  # noqa: S102 - our own docs
    catalog = Catalog((*CATALOG.features, names["countries"], names["abroad"]))  # type: ignore[arg-type]
    stream = [transaction(i, START + i * HOUR, device=f"d{i % 3}") for i in range(12)]
    assert batch_vectors(stream, [], catalog) == bits(as_corrected(stream, [], catalog))
    Layout(catalog, "")


COUNT = WindowFeature(
    name="f", entity=CUSTOMER, aggregate="count", window=DAY, unit="transactions", description="-"
)
DISTINCT = {"aggregate": "distinct", "column": "country"}
RISK = {"entity": MERCHANT, "filter": "known_fraud"}
REFUSED = (
    lambda: replace(COUNT, window=HOUR, hop=DAY),
    lambda: replace(COUNT, aggregate="sum", column="price"),
    lambda: Catalog((COUNT, COUNT)),
    lambda: replace(COUNT, **RISK),
    lambda: replace(COUNT, **RISK, delay=DAY, include_current=True),
    lambda: replace(COUNT, delay=-1),
    lambda: replace(COUNT, **DISTINCT, entity=MERCHANT),
    lambda: replace(COUNT, **DISTINCT, window=ALL_HISTORY),
    lambda: Layout(HANDBOOK, ""),
    lambda: Layout(Catalog((replace(COUNT, entity=MERCHANT, hop=HOUR),)), ""),
)
SENTENCES = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", TEXT.partition("with a sentence:")[2], re.MULTILINE)[1:]


@pytest.mark.parametrize(("refused", "sentence"), list(zip(REFUSED, SENTENCES, strict=True)))
def test_a_refusal_says_what_the_docs_say(refused, sentence: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpecError, match=re.escape(sentence.strip())):
        refused()

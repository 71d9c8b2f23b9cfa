"""How metrics look on their page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bdp_assets.operations.metric_catalog import LABELS, Metric


def page(metrics: Sequence[Metric]) -> str:
    """All metrics as a page of Markdown, by the process that shows them."""
    used = sorted({label for metric in metrics for label in metric.labels})
    return "\n".join(
        [
            "# Metrics",
            "",
            "Made by `bdp metrics page > docs/metrics.md` from `bdp_assets/observability/`. "
            "[monitoring.md](monitoring.md) says who collects them, and what is an alert.",
            "",
            f"{len(metrics)} metrics. Names end in their unit: `_seconds` (of a point in time: Unix time), "
            "`_bytes`, `_messages`, `_ratio` (0 to 1), `_total` (a count since the process began), `_info` "
            "(1: yes, 0: no). A histogram has `_bucket`, `_sum` and `_count`.",
            "",
            *_sections(metrics),
            "## Labels",
            "No label is ever what a caller sent: all values come from the code, so their number is bounded.",
            "",
            "| label | values | at most |",
            "|---|---|---|",
            *(f"| `{name}` | {_values(LABELS[name])} | {len(LABELS[name])} |" for name in used),
            "",
        ]
    )


def _sections(metrics: Iterable[Metric]) -> Iterator[str]:
    for place, group in groupby(metrics, lambda metric: metric.place):
        yield from (f"## {place}", "", "| name | type | unit | labels | meaning |", "|---|---|---|---|---|")
        for metric in group:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
            yield f"| `{metric.name}` | {metric.type} | {metric.unit} | {labels} | {metric.meaning} |"
        yield ""


def _values(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)

"""Queries of Prometheus that many panels ask. `$__rate_interval` is Grafana's: at least four scrapes."""

from __future__ import annotations


def per_second(metric: str, by: str = "", where: str = "") -> str:
    """A counter's rate, added up, or for each value of a label."""
    return f"sum{_grouped(by)}(rate({_selected(metric, where)}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "", where: str = "") -> str:
    """Of a histogram (its name without `_bucket`): bounded by its buckets, interpolated within one."""
    buckets = per_second(f"{histogram}_bucket", f"le, {by}" if by else "le", where)
    return f"histogram_quantile({share:g}, {buckets})"


def or_zero(query: str) -> str:
    """One nameless 0 where nothing was counted yet: a labelled counter begins with its first event."""
    return f"{query} or on () vector(0)"


def _selected(metric: str, where: str) -> str:
    return f"{metric}{{{where}}}" if where else metric


def _grouped(by: str) -> str:
    return f" by ({by}) " if by else ""

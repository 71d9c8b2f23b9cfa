"""Steps that try again by themselves when what they need is away for a moment. A defect fails at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar

import dagster as dg

F = TypeVar("F", bound=Callable[..., Any])

TRIES = 3
"""How often a step is tried again."""
FIRST_WAIT_S = 5
"""Before the first of them; each wait is twice as long as the one before."""


def retried(compute: F) -> F:
    """For what computes an asset or a check."""

    @wraps(compute)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with outages():
            yield from compute(*args, **kwargs)

    @wraps(compute)
    def step(*args: Any, **kwargs: Any) -> Any:
        with outages():
            return compute(*args, **kwargs)

    found: Any = steps if isgeneratorfunction(compute) else step
    found.is_retried = True
    return found  # type: ignore[no-any-return]


@contextmanager
def outages() -> Iterator[None]:
    """Raises dagster.RetryRequested in place of what says that a system is away; else what came."""
    try:
        yield
    except Exception as error:
        if not _passes(error):
            raise
        tried = dg.OpExecutionContext.get().retry_number
        raise dg.RetryRequested(max_retries=TRIES, seconds_to_wait=FIRST_WAIT_S * 2**tried) from error


def _passes(error: Exception) -> bool:
    """Whether the work is sound, and can be done once the system is back."""
    from bdp_assets.clients.kafka import KafkaUnavailable  # drivers: after something failed there is time
    from bdp_assets.clients.lake import LakeUnavailable
    from bdp_assets.clients.outage import Outage
    from bdp_assets.clients.registry import RegistryUnavailable
    from bdp_assets.clients.source_database import SourceUnavailable

    return isinstance(
        error, (Outage, KafkaUnavailable, LakeUnavailable, RegistryUnavailable, SourceUnavailable)
    )

"""What can go wrong with Kafka, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

_UNREACHABLE = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._WAIT_COORD,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)


class KafkaUnavailable(Exception):  # noqa: N818
    """The broker does not answer; the same call may succeed later."""

    def __init__(self, bootstrap: str, detail: str) -> None:
        super().__init__(
            f"Kafka at {bootstrap} does not answer ({detail}). Start it with `bdp up`, "
            "or set BDP_KAFKA_BOOTSTRAP to the address of your own broker."
        )


class KafkaRefused(Exception):  # noqa: N818
    """The broker answered, and refused: a topic that is not there, no authorisation, a bad setting."""


class DeliveryFailed(Exception):  # noqa: N818
    """At least one message was not written, for example because it is larger than the topic allows."""


class OffsetsGone(Exception):  # noqa: N818
    """The asked offsets are no longer (or not yet) in the topic: retention, or a topic that was made anew."""


class TransactionAborted(Exception):  # noqa: N818
    """The transaction cannot commit: abort it, go back to the committed offsets, redo."""


class ProducerFenced(Exception):  # noqa: N818
    """Another process took over this worker's slot, or the pause was too long: this producer is dead."""


def translate(bootstrap: str, error: KafkaError) -> Exception:
    """Our exception for the driver's error."""
    if error.code() in _UNREACHABLE:
        return KafkaUnavailable(bootstrap, error.str())
    return KafkaRefused(f"Kafka at {bootstrap} refused: {error.name()}: {error.str()}")


@contextmanager
def translated(bootstrap: str) -> Iterator[None]:
    """Raise the driver's `KafkaException`, and the time-out of its futures, as one of ours."""
    try:
        yield
    except KafkaException as exception:
        raise translate(bootstrap, exception.args[0]) from exception
    except TimeoutError as exception:
        raise KafkaUnavailable(bootstrap, "no answer in time") from exception

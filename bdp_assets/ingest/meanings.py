"""What the columns of the lake's tables mean, in the words of the topics' schemas where these have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from bdp_assets.contracts.topics import DLQ, ENRICHED, PREDICTIONS, TOPICS, VALIDATED, Topic
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.landing import DESTINATIONS
from bdp_assets.ingest.tables import TABLES

_EVERYWHERE = {
    "event_date": "UTC day of the row's own time, and its partition.",
    "door": "How the row came: `history`, from a file, or `stream`, through Kafka.",
    "source_topic_id": "Identity of the raw topic that it came from; null from a file.",
    "source_partition": "Partition of the raw message; null from a file.",
    "source_offset": "Offset of the raw message; null from a file.",
}
_OWN: Mapping[str, Mapping[str, str]] = {
    "raw": {
        "topic": "Topic of the message; `correction` of what people released, null of a row of a file.",
        "partition": "Partition of the message; null without one.",
        "offset": "Offset of the message; null without one.",
        "received_ms": "When it was received. UTC, milliseconds since 1970.",
        "value": "The message as it came, card numbers masked; null where it is no text.",
        "value_base64": "The message as it came, in Base64, where it is no text.",
        "pan_hashes": "Keyed hashes of the card numbers that were masked.",
    },
    "shadow_scores": {
        "champion_version": "Version of the model that decided.",
        "champion_policy_version": "Version of the policy that decided.",
        "champion_score": "Fraud probability by the model that decided.",
        "champion_decision": "The decision that was answered.",
        "challenger_version": "Version of the challenger.",
        "challenger_policy_version": "Version of the challenger's own policy.",
        "challenger_score": "Fraud probability by the challenger, of the same features.",
        "challenger_decision": "What the challenger's policy, and the rules of that time, make of it.",
    },
    "corrections": {
        "action": "What was done: `fixed` or `released`.",
        "act_id": "Names the act: all rows of one command have the same.",
        "acted_ms": "When it was done. UTC, milliseconds since 1970.",
        "acted_by": "Who did it.",
        "copy": "Which of several rows with the same bytes.",
        "value": "What it was corrected to, card numbers masked.",
    },
}
# Where a table has no topic of its own, its columns are named as in these.
_LIKE = (DLQ, VALIDATED, ENRICHED, PREDICTIONS)


@cache
def meanings(table: str) -> Mapping[str, str]:
    """Column -> a sentence or two, of each column of the table."""
    topic = [TOPICS[topic] for topic, to in DESTINATIONS.items() if to.table == table]
    told = {
        **_EVERYWHERE,
        **{feature["name"]: f"{feature['description']}." for feature in CATALOG.describe()},
    }
    for one in (*_LIKE, *topic):
        told |= _described(one)
    told |= _OWN.get(table, {})
    return {column: told[column] for column in TABLES[table]}


def _described(topic: Topic) -> Mapping[str, str]:
    fields = msgspec.json.decode(topic.schema_path.read_bytes())["properties"]
    return {name: field["description"] for name, field in fields.items()}

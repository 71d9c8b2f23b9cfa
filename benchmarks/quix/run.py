"""Measures the chain and a pass-through in Quix Streams beside ours, on one backlog; prints a JSON line."""

from __future__ import annotations

import json
import sys
from contextlib import closing

from bdp_assets.clients.kafka import TopicSpec, ensure_topics, topic_ids
from bdp_assets.contracts.topics import RAW
from bdp_assets.operations.topics import specs
from bdp_assets.streaming.groups import SCORING
from benchmarks.quix import groups
from benchmarks.services import own_services
from benchmarks.stream import workers
from benchmarks.stream.backlog import Committed, produce, settle
from benchmarks.stream.effort import Effort
from benchmarks.stream.pass_through import GROUP, OUTPUT
from benchmarks.stream.world import prepare

MESSAGES = 20_000


def _say(what: str) -> None:
    sys.stderr.write(what + "\n")


def run(python: str) -> dict[str, dict[str, float]]:
    found = {}
    with own_services("kafka", "redis") as settings:
        ensure_topics(settings, [*specs(), TopicSpec(OUTPUT, RAW.partitions, {})])
        records = prepare(settings, Effort(repeats=0, messages=MESSAGES), _say).records
        topic_id = topic_ids(settings, [RAW.name])[RAW.name]
        chain = ["benchmarks.quix.chain"]
        sides = {
            "ours": (SCORING, workers.scoring(1), sys.executable),
            "quix_chain": (groups.CHAIN, [[*chain, "chain", topic_id]], python),
            "pass_through": (GROUP, workers.pass_through(1), sys.executable),
            "quix_pass_through": (groups.PASS_THROUGH, [[*chain, "pass-through", OUTPUT]], python),
        }
        produce(settings, records, MESSAGES)
        for name, (group, commands, interpreter) in sides.items():
            _say(name)
            with (
                closing(Committed(settings, group)) as done,
                workers.running(settings, commands, interpreter) as processes,
            ):
                settled = settle(done, MESSAGES, MESSAGES, {"worker": processes})
            cpu = 1_000 * settled.cpu_s["worker"] / settled.messages
            found[name] = {"per_s": round(settled.per_s), "worker_cpu_s_per_1000": round(cpu, 4)}
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1])) + "\n")

"""`make fuzz [CALLS=n]`: calls an API of its own, beside a Kafka and a Valkey of its own; says what came."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bdp_assets.clients.kafka import ensure_topics
from bdp_assets.operations.topics import specs
from bdp_assets.runtime.ports import choose_free
from bdp_assets_tests.fakes.hostile import CANARY, PAN
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.fuzz.calls import Call
from bdp_assets_tests.fuzz.run import fuzz
from bdp_assets_tests.integration.running_api import fill, serving
from benchmarks.services import own_services


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--callers", type=int, default=3, help="processes, each with one connection")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="makes the same calls again")
    asked = parser.parse_args(arguments)
    with own_services("kafka", "redis") as settings:
        own = settings.model_copy(update={"api_port": choose_free(["api"])["api"]})
        ensure_topics(own, specs())
        tiny_bundle(own.models_dir / "tiny")
        (own.models_dir / "champion").symlink_to("tiny")
        fill(own)
        with serving(own) as (_, log):
            outcome = fuzz(own.api_port, asked.calls, asked.callers, asked.seed)
        said = log.read_text()
    echoed = [what for what, text in (("a card number", PAN), ("the canary", CANARY)) if text in said]
    kept = [str(keep(*one, said)) for one in outcome.faults]
    told = [f"{what} is in the log" for what in echoed]
    sys.stdout.write(" ".join([outcome.line(), f"(seed {asked.seed})", *kept, *told]) + "\n")
    return 1 if outcome.faults or echoed else 0


def keep(fault: str, call: Call, log: str) -> Path:
    """A fault in a file: what was wrong, the call with card numbers masked, and the log's end."""
    with tempfile.NamedTemporaryFile(prefix="bdp-fuzz-", suffix=".txt", delete=False) as file:
        file.write(f"{fault}\n\n".encode() + call.shown + b"\n\n" + log[-20_000:].encode())
    return Path(file.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Two customers in every store of the platform, one of them to be erased; and what is there, as text."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from bdp_assets.clients import model_run
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.model_run import ModelRun
from bdp_assets.clients.postgres import connect as connect_warehouse
from bdp_assets.clients.redis import connect
from bdp_assets.clients.registry import Registry
from bdp_assets.contracts.columns import event_date, to_frame
from bdp_assets.contracts.records import (
    Adjustment,
    AdjustmentType,
    Alert,
    DeadLetter,
    Decision,
    EnrichedTransaction,
    Label,
    ListKind,
    ListName,
    Prediction,
    Reason,
    Severity,
    ShadowScore,
    ValidatedTransaction,
)
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.ingest.tables import TABLES, from_no_topic
from bdp_assets.operations.lists import changes
from bdp_assets.operations.lists.wishes import Place, Why
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import body

VICTIM, OTHER = "zz.Erase-Me:42", "zz.Erase-Me:421"
"""One's id is a part of the other's: who is like the customer is not the customer."""
START = datetime(2026, 3, 30, 12, tzinfo=UTC)
DAYS = 4
"""Over the end of a month."""


def fill(settings: Settings) -> None:
    lake = Lake.of(settings)
    for day in range(DAYS):  # several commits, and files that others replace
        for customer in (VICTIM, OTHER):
            for table, frame in lake_rows(customer, day).items():
                lake.append(table, frame)
    for table in ("features", "raw"):
        lake.replace(table, lake.read(table), "event_date >= '2026-01-01'")
        lake.delta(table).create_checkpoint()
    assert all(lake.exists(table) for table in TABLES)
    load(settings, lake, START.date(), (START + timedelta(days=DAYS)).date())
    _fill_warehouse(settings)
    _fill_store(settings)
    _fill_registry(settings)


def lake_rows(customer: str, day: int) -> dict[str, pl.DataFrame]:
    """Of each table of the lake, one transaction's rows."""
    sent = body(f"t-{day}", customer)
    plain = _transaction(customer, day)
    made = to_frame([enriched(customer, day)], EnrichedTransaction, "ts_ms")
    letter = to_frame([_letter(customer, day)], DeadLetter, "received_ms")
    decided = to_frame([_prediction(customer, day)], Prediction, "ts_ms")
    return {
        "raw": pl.concat([_raw(day, sent, None), _raw(day, None, f"{customer} \xff".encode("latin-1"))]),
        "validated": from_no_topic(to_frame([plain], ValidatedTransaction, "ts_ms")),
        "quarantined": to_frame([_letter(customer, day), _garbage(customer, day)], DeadLetter, "received_ms"),
        "corrections": _correction(letter, sent, day),
        "enriched": made,
        "features": made.select(TABLES["features"].names()),
        "predictions": decided,
        "scores": decided.select(TABLES["scores"].names()),
        "shadow_scores": to_frame([_shadow(customer, day)], ShadowScore, "ts_ms"),
        "alerts": to_frame([_alert(customer, day)], Alert, "ts_ms"),
        "adjustments": to_frame([_refund(customer, day)], Adjustment, "ts_ms"),
        "labels": to_frame([label(customer, day)], Label, "known_at_ms").with_columns(door=pl.lit("stream")),
    }


def _correction(letter: pl.DataFrame, sent: bytes, day: int) -> pl.DataFrame:
    """Of a refused row, what somebody made of it."""
    kept = letter.select("source_offset", "error", "field", "value_base64", "event_date")
    made = {"value": sent.decode(), "customer_id": json.loads(sent)["customer_id"], "ts_ms": _ms(day)}
    act = {"action": "fixed", "act_id": f"a-{day}", "acted_ms": _ms(day), "acted_by": "somebody", "copy": 0}
    values = {**act, **made, "transaction_id": f"t-{day}"}
    return kept.with_columns(**{name: pl.lit(value) for name, value in values.items()}).select(
        pl.col(name).cast(dtype) for name, dtype in TABLES["corrections"].items()
    )


def _ms(day: int) -> int:
    return int((START + timedelta(days=day)).timestamp() * 1000)


def _raw(day: int, value: bytes | None, binary: bytes | None) -> pl.DataFrame:
    row = {
        "topic": "transactions-raw-v1",
        "partition": 0,
        "offset": day,
        "received_ms": _ms(day),
        "value": value.decode() if value else None,
        "value_base64": b64encode(binary).decode() if binary else None,
        "pan_hashes": [],
        "door": "stream",
    }
    schema = {name: dtype for name, dtype in TABLES["raw"].items() if name != "event_date"}
    return pl.DataFrame([row], schema).with_columns(event_date("received_ms"))


def _transaction(customer: str, day: int) -> ValidatedTransaction:
    return ValidatedTransaction(
        transaction_id=f"t-{day}",
        customer_id=customer,
        ts_ms=_ms(day),
        timestamp=(START + timedelta(days=day)).isoformat(),
        amount="12.50",
        currency="USD",
        amount_minor=1250,
        amount_base_minor=1250,
        rates_version="r",
        body_hash=f"{day:032x}",
        merchant_id="m-1",
        country="US",
        ip="192.0.2.7",
    )


def enriched(customer: str, day: int) -> EnrichedTransaction:
    plain = msgspec.structs.asdict(_transaction(customer, day))
    features = dict.fromkeys(CATALOG.names, 0.5)
    return EnrichedTransaction(**plain, catalog_version="c", apply_seq=day + 1, features=features)


def _prediction(customer: str, day: int) -> Prediction:
    return Prediction(
        transaction_id=f"t-{day}",
        customer_id=customer,
        ts_ms=_ms(day),
        amount_base_minor=1250,
        fraud_probability=0.95,
        decision=Decision.DECLINE,
        reasons=[Reason("score_at_decline", "text")],
        model_name="fraud_ensemble",
        model_version="1",
        policy_version="p",
        catalog_version="c",
        apply_seq=day + 1,
        features={"customer_count_1d": 1.0},
        degraded=False,
        decided_by="stream",
        decided_at_ms=_ms(day) + 40,
        merchant_id="m-1",
    )


def _shadow(customer: str, day: int) -> ShadowScore:
    return ShadowScore(
        transaction_id=f"t-{day}",
        customer_id=customer,
        ts_ms=_ms(day),
        amount_base_minor=1250,
        decided_by="stream",
        catalog_version="c",
        champion_version="1",
        champion_policy_version="p",
        champion_score=0.9,
        champion_decision=Decision.DECLINE,
        challenger_version="2",
        challenger_policy_version="p",
        challenger_score=0.1,
        challenger_decision=Decision.APPROVE,
    )


def _alert(customer: str, day: int) -> Alert:
    return Alert(
        alert_id=f"{customer}:{_ms(day)}",
        transaction_id=f"t-{day}",
        customer_id=customer,
        ts_ms=_ms(day),
        severity=Severity.HIGH,
        decision=Decision.DECLINE,
        fraud_probability=0.95,
        amount_at_risk_minor=1250,
        reasons=[Reason("score_at_decline", "text")],
    )


def _refund(customer: str, day: int) -> Adjustment:
    return Adjustment(
        adjustment_id=f"{customer}-refund-{day}"[:64],
        type=AdjustmentType.REFUND,
        customer_id=customer,
        original_transaction_id=f"t-{day}",
        ts_ms=_ms(day) + 1_000,
    )


def label(customer: str, day: int) -> Label:
    return Label(
        transaction_id=f"t-{day}",
        customer_id=customer,
        is_fraud=True,
        known_at_ms=_ms(day) + 9_000,
        merchant_id="m-1",
        ts_ms=_ms(day),
    )


def _letter(customer: str, day: int) -> DeadLetter:
    offset = day + (100 if customer == VICTIM else 200)
    return DeadLetter(
        source_topic="transactions-raw-v1",
        source_partition=0,
        source_offset=offset,
        received_ms=_ms(day),
        error="amount_format",
        field="amount",
        message="text",
        value_base64=b64encode(body(f"t-{day}", customer, amount="x")).decode(),
    )


def _garbage(customer: str, day: int) -> DeadLetter:
    """Not JSON, but somebody can read whom it is about."""
    letter = _letter(customer, day)
    return msgspec.structs.replace(
        letter,
        source_offset=letter.source_offset + 1_000,
        error="malformed_json",
        value_base64=b64encode(f"{{'customer':{customer}, ".encode()).decode(),
    )


def _fill_warehouse(settings: Settings) -> None:
    why = Why(f"called, customer {VICTIM}. Was rude", "ann")
    changes.add(settings, Place(ListName.BLOCK, ListKind.CUSTOMER, VICTIM), why, None)
    changes.add(
        settings, Place(ListName.ALLOW, ListKind.CUSTOMER, OTHER), Why(f"{OTHER} is good", "ann"), None
    )
    with connect_warehouse(settings) as connection:
        for customer in (VICTIM, OTHER):
            connection.execute(
                "INSERT INTO warehouse.window_transactions (customer_id, transaction_id, source, ts_ms, "
                "stream_ms, members, label) VALUES (%s, 't-0', 'x:0:0', %s, 0, '{\"country\": \"US\"}', 3)",
                [customer, _ms(0)],
            )
            connection.execute(
                "INSERT INTO warehouse.window_late (customer_id, transaction_id, window_name, start_ms, "
                "ts_ms, stream_ms) VALUES (%s, 't-0', 'tumbling_1m', 0, 0, 0)",
                [customer],
            )
            letter = _letter(customer, 0)
            connection.execute(
                "INSERT INTO warehouse.dead_letters VALUES ('dlq', 0, %s, %s, 0, %s, %s, now(), 'validate', "
                "'amount_format', 'amount', 'text', false, %s, 1, 'trace', NULL)",
                [
                    *(letter.source_offset, letter.source_topic, letter.source_offset),
                    datetime.fromtimestamp(letter.received_ms / 1000, UTC),
                    [f"card-of-{customer}"],
                ],
            )
        connection.execute("ANALYZE")
    with connect_warehouse(settings, "dagster") as connection:
        connection.execute("CREATE TABLE erasure_events (event text, extra jsonb)")
        preview = f'"| customer_id |\\n{VICTIM} | {OTHER} |\\n| {VICTIM} |"'
        connection.execute("INSERT INTO erasure_events VALUES (%s, %s)", [preview, preview])


def _fill_store(settings: Settings) -> None:
    client = connect(settings)
    store = OnlineStore(client)
    for customer in (VICTIM, OTHER):
        sent = [_transaction(customer, day) for day in range(DAYS)]
        store.enrich(sent, [f"topic:0:{n}" for n in range(DAYS)])
        store.save_decision(sent[0], b"approve")
        Alerts(client)([_prediction(customer, day) for day in range(DAYS)])


def _fill_registry(settings: Settings) -> None:
    """Two versions whose files are no model: nobody loads them."""
    lake, model = Lake.of(settings), settings.home / "bundle"
    model.mkdir()
    (model / "manifest.json").write_text("{}")
    names = ("features", "labels", "enriched")
    example = pl.DataFrame({"a": [3.0, 1.0], "b": [1.0, 2.0]})
    for tables in (names, ()):  # the second was trained on a file
        snapshot = " ".join(f"{name}@{lake.version(name)}" for name in tables)
        run = ModelRun(
            bundle=model,
            digest="d",
            loader_module="bdp_assets.training.pyfunc",
            requirements=["numpy"],
            example=example,
            output="fraud_probability",
            card="card",
            tags={"snapshot_version": snapshot or "sha256:1"},
        )
        with pytest.MonkeyPatch.context() as patch:  # as earlier releases did
            patch.setattr(model_run, "of_nobody", lambda rows: rows)
            Registry.of(settings).log_and_register(run)


def examples(settings: Settings) -> list[list[list[float]]]:
    """Rows of the examples that the registry has."""
    return [json.loads(file.read_text())["data"] for file in settings.home.rglob("input_example.json")]


def everything(settings: Settings) -> dict[str, str]:
    """Every file of the lake, row of the databases and key of the store, by place, as text."""
    return {**_lake(Path(settings.lake)), **_warehouse(settings), **_store(settings)}


def _lake(folder: Path) -> dict[str, str]:
    return {
        f"lake: {path.relative_to(folder)}": file_text(path.name, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def file_text(name: str, content: bytes) -> str:
    """A file of the lake as text: rows, or what its log says."""
    if not name.endswith(".parquet"):
        return content.decode(errors="replace")
    frame = pl.read_parquet(content, hive_partitioning=False)
    encoded = [name for name in frame.columns if name == "value_base64"]
    decoded = frame.with_columns(pl.col(name).str.decode("base64") for name in encoded)
    return str(decoded.to_dicts())


def _warehouse(settings: Settings) -> dict[str, str]:
    found = {}
    for database, schema in (("bdp", "warehouse"), ("bdp", "public"), ("dagster", "public")):
        with connect_warehouse(settings, database) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
                [schema],
            ).fetchall()
            for (table,) in tables:
                rows = connection.execute(f"SELECT t::text FROM {schema}.{table} AS t").fetchall()  # type: ignore[arg-type]  # noqa: S608
                found[f"{database}.{schema}.{table}"] = "\n".join(sorted(row for (row,) in rows))
    with connect_warehouse(settings) as connection:
        stats = connection.execute(
            "SELECT s::text FROM pg_stats AS s WHERE schemaname = 'warehouse'"
        ).fetchall()
    return {**found, "bdp: statistics": "\n".join(row for (row,) in stats)}


def _store(settings: Settings) -> dict[str, str]:
    client = connect(settings)
    read = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    return {f"store: {key.decode()}": str(read[client.type(key)](key)) for key in client.scan_iter()}

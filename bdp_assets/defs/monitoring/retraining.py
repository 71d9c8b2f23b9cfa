"""Proposes to train when the model that serves has decayed, or its data drifts; the gates decide the rest."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import dagster as dg

from bdp_assets.clients.postgres import WarehouseUnavailable
from bdp_assets.defs.jobs import retrain
from bdp_assets.defs.partitions import DAYS
from bdp_assets.scoring.bundle import BundleError
from bdp_assets.settings import get_settings

DRIFT = "drift"
"""Noun of the asset whose failed checks propose a training, too; where there is none, decay alone does."""
DRIFTED = "days with drift"
"""How many these checks say that they found: one that fails because nothing could be compared found none."""


class Reason(NamedTuple):
    """Why, and the day (UTC) since which it is known."""

    day: date
    says: str


@dg.sensor(
    job=retrain,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for one training a day and version while the model that serves has decayed more than "
    "`BDP_DECAY_BOUND` or a check of the drift asset fails. The cursor holds the last proposal.",
)
def model_retraining_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    from bdp_assets.operations.performance.proposal import serving  # loads drivers

    try:
        model = serving(get_settings())
    except (BundleError, WarehouseUnavailable) as error:
        return dg.SkipReason(str(error))
    decay, reasons = model.decay, list(_drifts(context, model.trained_at_ms))
    if decay is not None and decay.is_decayed:
        reasons.append(Reason(decay.as_of, decay.says))
    if not reasons:
        return dg.SkipReason(decay.says if decay else f"Nothing is known of model {model.version} yet.")
    return _propose(context, model.version, reasons)


def _propose(
    context: dg.SensorEvaluationContext, version: str, reasons: list[Reason]
) -> dg.SensorResult | dg.SkipReason:
    key = f"retrain {version} {max(reasons).day}"
    if context.cursor == key:
        return dg.SkipReason(f"Proposed already: {key}.")
    says = "; ".join(reason.says for reason in reasons)
    context.log.warning("%s: %s", key, says)
    request = dg.RunRequest(
        run_key=key, partition_key=DAYS.get_last_partition_key(), tags={"bdp/why": says[:250]}
    )
    return dg.SensorResult(run_requests=[request], cursor=key)


def _drifts(context: dg.SensorEvaluationContext, trained_at_ms: int) -> Iterator[Reason]:
    """Checks of the drift asset that failed when they were last evaluated, with the model that serves."""
    for key in _drift_checks(context):
        record = context.instance.get_latest_asset_check_evaluation_record(key)
        found = record.event.asset_check_evaluation if record and record.event else None
        if not record or not found or found.passed or not _drifted(found):
            continue
        if record.create_timestamp * 1000 > trained_at_ms:
            day = datetime.fromtimestamp(record.create_timestamp, UTC).date()
            yield Reason(day, f"the check {key.name} failed")


def _drifted(found: dg.AssetCheckEvaluation) -> bool:
    days = found.metadata.get(DRIFTED)
    return isinstance(days, dg.IntMetadataValue) and bool(days.value)


def _drift_checks(context: dg.SensorEvaluationContext) -> list[dg.AssetCheckKey]:
    keys = context.repository_def.asset_graph.asset_check_keys if context.repository_def else ()
    return sorted(key for key in keys if key.asset_key.path[-1] == DRIFT)

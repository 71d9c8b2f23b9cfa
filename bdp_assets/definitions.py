"""Everything that Dagster knows: what `defs/` defines, one folder a group, and the policies for all of it."""

import warnings
from types import ModuleType

import dagster as dg

# Single-run backfills and windows over days: in beta for years.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from bdp_assets.defs import enrich, features, ingest, monitoring, serving, training, validate  # noqa: E402
from bdp_assets.defs.failures import run_failures  # noqa: E402
from bdp_assets.defs.ingest.landing import land_kafka_ranges  # noqa: E402
from bdp_assets.defs.ingest.sensors import kafka_transactions_landing_sensor  # noqa: E402
from bdp_assets.defs.jobs import BATCH_LANE, JOBS  # noqa: E402
from bdp_assets.defs.monitoring.retraining import model_retraining_sensor  # noqa: E402
from bdp_assets.io_managers.delta import DeltaIOManager  # noqa: E402
from bdp_assets.resources.lake import LakeResource  # noqa: E402

GROUPS = (ingest, validate, enrich, features, training, serving, monitoring)
automation = dg.AutomationConditionSensorDefinition(
    "default_automation_condition_sensor",
    target=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    run_tags=BATCH_LANE,
    description="Materialises what declares an automation condition, when its condition holds.",
)


def _assets(group: ModuleType) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """A folder's assets, in the group that is named after it."""
    name = group.__name__.rpartition(".")[2]
    return list(dg.map_asset_specs(lambda spec: spec.replace_attributes(group_name=name), group.ASSETS))


defs = dg.Definitions(
    assets=[asset for group in GROUPS for asset in _assets(group)],
    asset_checks=[check for group in GROUPS for check in getattr(group, "CHECKS", ())],
    jobs=[land_kafka_ranges, *JOBS],
    sensors=[kafka_transactions_landing_sensor, model_retraining_sensor, automation, run_failures],
    resources={"lake": LakeResource(), "tables": DeltaIOManager()},
    executor=dg.in_process_executor,
)

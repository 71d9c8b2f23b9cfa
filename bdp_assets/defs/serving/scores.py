"""The lake's features through the champion, in batch."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bdp_assets.defs.partitions import ONE_RUN, days_of
from bdp_assets.defs.presentation import image, markdown_table
from bdp_assets.defs.retries import retried
from bdp_assets.defs.serving.tables import BATCH_SCORES
from bdp_assets.defs.tables import publish, schema_check
from bdp_assets.resources.lake import LakeResource
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import get_settings


@dg.multi_asset(specs=[BATCH_SCORES], check_specs=[schema_check(BATCH_SCORES)], backfill_policy=ONE_RUN)
@retried
def batch_scores(context: dg.AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
    from bdp_assets.decisions.decider import Decider  # loads ONNX Runtime
    from bdp_assets.monitoring.pictures import scores_png  # loads matplotlib
    from bdp_assets.operations.batch_scores import score_days

    decider = Decider.load(LocalBundles(get_settings().models_dir).find(None))
    context.log.info("score with model %s", decider.info.version)
    scores = score_days(lake.open(), decider, *days_of(context))
    metadata = {
        "model version": decider.info.version,
        "policy version": decider.policy.version,
        "decisions": markdown_table(scores.group_by("decision").len("rows").sort("decision")),
        "scores": image(scores_png(scores)),
    }
    yield from publish(context, BATCH_SCORES, scores, metadata)

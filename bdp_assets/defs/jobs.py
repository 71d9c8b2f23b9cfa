"""Jobs: what is materialised together, in one run."""

import dagster as dg

BATCH_LANE = {"bdp/lane": "batch"}
"""Runs of this lane take turns (dagster.yaml), so that there is always room to land live data."""

history_backfill = dg.define_asset_job(
    "history_backfill",
    selection=(
        dg.AssetSelection.groups("ingest", "validate", "enrich", "features").materializable()
        - dg.AssetSelection.key_prefixes("sources")
        | dg.AssetSelection.assets(["monitoring", "daily_summary"])
    ),
    tags=BATCH_LANE,
    description="Days of the history file, from raw to features. Many days are one run and one pass.",
)

train_and_serve = dg.define_asset_job(
    "train_and_serve",
    selection=dg.AssetSelection.assets(
        ["models", "fraud_ensemble"],
        ["serving", "model_bundle"],
        ["serving", "bento"],
        ["serving", "online_store"],
    ),
    tags={**BATCH_LANE, "dagster/priority": "1"},
    description="Train on the lake, promote if good enough, bring the champion to this machine, pack it as a "
    "Bento, and rebuild the online store (with the API and the stream worker stopped).",
)

decide_history = dg.define_asset_job(
    "decide_history",
    selection=dg.AssetSelection.assets(["serving", "predictions"]),
    tags=BATCH_LANE,
    description="Decide days of history with the champion, as the API would.",
)

score_features = dg.define_asset_job(
    "score_features",
    selection=dg.AssetSelection.assets(["serving", "batch_scores"]),
    tags=BATCH_LANE,
    description="Score days of features with the champion: all rows of the lake, whichever door they took.",
)

score_shadow = dg.define_asset_job(
    "score_shadow",
    selection=dg.AssetSelection.assets(["serving", "shadow_scores"], ["serving", "shadow_comparison"]),
    tags=BATCH_LANE,
    description="Have the challenger score days of live decisions, and compare it with the champion.",
)

judge_drift = dg.define_asset_job(
    "judge_drift",
    selection=dg.AssetSelection.assets(["monitoring", "drift"]),
    tags=BATCH_LANE,
    description="Compare days that ended with the days that the champion was made of.",
)

scheduled_work = dg.define_asset_job(
    "scheduled_work",
    selection=dg.AssetSelection.assets(
        ["serving", "dead_letters"],
        ["serving", "window_figures"],
        ["serving", "shadow_comparison"],
        ["monitoring", "lake_upkeep"],
        ["monitoring", "quality_report"],
    ),
    tags=BATCH_LANE,
    description="What follows the clock and not the data, with its checks: now instead of at its hour.",
)

# A job of its own: one that is asked for by its assets brings the checks of those alone.
compare_served_features = dg.define_asset_job(
    "compare_served_features",
    selection=dg.AssetSelection.checks(
        dg.AssetCheckKey(dg.AssetKey(["clean", "enriched_transactions"]), "online_offline_skew"),
        dg.AssetCheckKey(dg.AssetKey(["serving", "predictions"]), "predictions_replay"),
    ),
    tags=BATCH_LANE,
    description="The checks of served features against the lake, and of decisions made again, now instead of "
    "at their hour.",
)

judge_models = dg.define_asset_job(
    "judge_models",
    selection=dg.AssetSelection.assets(["monitoring", "model_performance"]),
    tags=BATCH_LANE,
    description="How models do on the transactions whose labels are due, as of days' midnights.",
)

retrain = dg.define_asset_job(
    "retrain",
    selection=dg.AssetSelection.assets(
        ["models", "fraud_ensemble"], ["serving", "model_bundle"], ["serving", "bento"]
    ),
    tags=BATCH_LANE,
    description="Train on the lake as it is, promote if good enough, bring the champion to this machine and "
    "pack it as a Bento, while API and stream go on. `model_retraining_sensor` asks for it.",
)

JOBS = [
    history_backfill,
    train_and_serve,
    decide_history,
    score_features,
    score_shadow,
    judge_drift,
    scheduled_work,
    compare_served_features,
    judge_models,
    retrain,
]

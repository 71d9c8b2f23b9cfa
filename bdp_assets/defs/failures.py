"""Tells a webhook of runs that failed."""

import dagster as dg

from bdp_assets.settings import get_settings

MOST_TOLD = 500
"""Characters of the error."""


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
    description="Tells `BDP_RUN_FAILURE_WEBHOOK` of each run that failed: which job, which assets, why, and "
    "where to look. Without one, failures are in these pages alone.",
)
def run_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    from bdp_assets.clients.webhook import post  # loads httpx

    settings, run = get_settings(), context.dagster_run
    if settings.run_failure_webhook is None:
        return dg.SkipReason(f"Run {run.run_id} failed; BDP_RUN_FAILURE_WEBHOOK is not set.")
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    url = f"http://localhost:{settings.dagster_port}/runs/{run.run_id}"
    error = context.failure_event.message or ""
    post(
        settings.run_failure_webhook,
        {
            "text": f"Dagster run failed: {run.job_name} ({', '.join(assets) or 'all of it'}). {url}",
            "run_id": run.run_id,
            "job": run.job_name,
            "assets": assets,
            "error": error[:MOST_TOLD],
            "url": url,
        },
    )
    return None

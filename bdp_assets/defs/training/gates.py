"""The gates of a new model as checks of its asset."""

import dagster as dg

from bdp_assets.defs.presentation import markdown_table
from bdp_assets.training.gate import ASKED, GRAVE, Gate

KEY = dg.AssetKey(["models", "fraud_ensemble"])
GATES = [
    dg.AssetCheckSpec(f"fraud_ensemble_{name}", asset=KEY, description=asked) for name, asked in ASKED.items()
]


def check(gate: Gate) -> dg.AssetCheckResult:
    """A model that does not pass stays challenger, which is a warning; a defect of its export is an error.

    Dagster knows no verdict of "not judged": that is a warning, too, since green would be read as a pass.
    """
    table = {} if gate.table is None else {"table": markdown_table(gate.table)}
    severity = dg.AssetCheckSeverity.ERROR if gate.name in GRAVE else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=f"fraud_ensemble_{gate.name}",
        passed=bool(gate.passed),
        severity=severity,
        metadata={
            "reason": gate.says if gate.passed is not None else f"not judged: {gate.says}",
            **gate.figures,
            **table,
        },
    )

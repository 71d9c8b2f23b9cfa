from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.frames import FAILURES
from bdp_assets.monitoring.quality import faults
from bdp_assets.monitoring.quality.findings import Check, Finding, scores

DAY = date(2026, 3, 1)
findings = st.lists(
    st.builds(
        lambda check, checked, share: Finding("t", DAY, check, "rows", checked, int(checked * share)),
        st.sampled_from(Check),
        st.integers(0, 10**6),
        st.floats(0, 1),
    ),
    min_size=1,
    unique_by=lambda finding: finding.check,
)


@given(findings)
def test_a_table_is_as_good_as_the_check_that_is_worst_off(found: list[Finding]) -> None:
    [score] = scores(found)
    judged = {finding.check: 1 - finding.failed / finding.checked for finding in found if finding.checked}
    if score.score is None:
        assert not judged
        return
    assert score.score == pytest.approx(100 * min(judged.values()))
    assert (score.worst is None) == all(finding.passed is not False for finding in found)
    assert score.worst is None or judged[score.worst] == min(judged.values())


def test_what_failed_is_of_one_kind_and_a_whole_column_is_all_rows() -> None:
    named = [
        ("column_in_dataframe", "ip", 1, None),
        ("dtype('Int64')", "amount_minor", 1, None),
        ("not_nullable", "customer_id", 3, 0),
        ("multiple_fields_uniqueness", None, 4, 7),
        ("in_range(0, 1)", "fraud_probability", 6, 1),
        ("isin(['a', 'b'])", "decision", 7, 1),
    ]
    found = faults.findings("t", DAY, 10, pl.DataFrame(named, FAILURES, orient="row"), has_key=True)
    assert {check: finding.failed for check, finding in found.items()} == {
        Check.SCHEMA: 10,
        Check.NULLS: 3,
        Check.UNIQUENESS: 4,
        Check.RANGES: 10,
    }
    assert found[Check.SCHEMA].detail == "ip: column_in_dataframe; amount_minor: dtype('Int64')"
    assert found[Check.UNIQUENESS].detail == "key: multiple_fields_uniqueness (4 rows)"
    sound = faults.findings("t", DAY, 10, FAILURES.to_frame(), has_key=False)
    assert {check: finding.failed for check, finding in sound.items()} == dict.fromkeys(
        (Check.SCHEMA, Check.NULLS, Check.RANGES), 0
    )

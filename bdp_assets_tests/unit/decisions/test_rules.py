from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import Decision, Severity
from bdp_assets.decisions.catalog import RULES
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import make_policy
from bdp_assets.decisions.rules import (
    LEAST,
    NO_RULES,
    Action,
    Entry,
    Rule,
    RuleCatalog,
    RuleError,
    load_rules,
)
from bdp_assets.decisions.ruling import STRICTNESS, URGENCY
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction

WIDTH = len(CATALOG.names)
ROWS, _ = tiny_rows(WIDTH, rows=120, seed=5)
TRANSACTIONS = [transaction(i, country="FR" if i % 3 else None) for i in range(len(ROWS))]


def rule(name: str = "big", when: str = "amount_value >= 1", **fields: Any) -> Rule:
    made = {"severity": Severity.HIGH, "action": Action.REVIEW, "reason": "why", **fields}
    return Rule.of(Entry(name=name, when=when, **made))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"), policy=make_policy(0.3, 0.7))


entries = st.builds(
    rule,
    name=st.sampled_from(["one", "two", "three", "four"]),
    when=st.sampled_from(
        ["amount_value >= 0.5", "amount_value <= -1", 'country == "FR"', "is_night > 0 or amount_scaled > 1"]
    ),
    severity=st.sampled_from(Severity),
    action=st.sampled_from(Action),
)
catalogs = st.lists(entries, unique_by=lambda one: one.name, max_size=4).map(
    lambda rules: RuleCatalog(tuple(rules))
)


@settings(max_examples=cases(60))
@given(catalog=catalogs)
def test_rules_raise_decisions_as_far_as_the_strictest_says_and_never_lower_them(
    bundle: Path, catalog: RuleCatalog
) -> None:
    plain = Decider.load(bundle, NO_RULES).verdicts(TRANSACTIONS, ROWS)
    for before, after, row, tx in zip(
        plain, Decider.load(bundle, catalog).verdicts(TRANSACTIONS, ROWS), ROWS, TRANSACTIONS, strict=True
    ):
        hits = [one for one in catalog.rules if naive(one.entry.when, row, tx.country)]
        asked = [before.decision, *(LEAST[one.entry.action] for one in hits)]
        assert after.decision is max(asked, key=list(Decision).index)
        assert after.probability == before.probability
        codes = [reason.code for reason in after.reasons if reason.code.startswith("rule:")]
        assert codes == [f"rule:{one.name}" for one in hits]
        assert after.reasons[0].code.startswith("rule:") == (after.decision is not before.decision)
        if after.decision is Decision.APPROVE:
            assert after.severity is None
        else:
            assert after.severity is not None
            assert all(URGENCY[after.severity] >= URGENCY[one.entry.severity] for one in hits)


def naive(when: str, row: np.ndarray, country: str | None) -> bool:
    names = dict(zip(CATALOG.names, row.tolist(), strict=True))
    return bool(eval(when, {}, {**names, "country": country}))  # noqa: S307 - the tests' own conditions


def test_a_record_alone_is_decided_again_alike(bundle: Path) -> None:
    catalog = RuleCatalog(
        (rule(when='country == "FR" and amount_value > 0', reason="{amount_value} abroad"),)
    )
    decider = Decider.load(bundle, catalog)
    records = decider.decide_many(TRANSACTIONS, ROWS, range(len(ROWS)), decided_by="stream", decided_at_ms=1)
    assert {record.rules_version for record in records} == {catalog.version}
    hit = [record for record in records if record.reasons[0].code == "rule:big"]
    assert hit
    for record in records:
        read = msgspec.json.decode(msgspec.json.encode(record), type=type(record))
        again = decider.decide_again(read)
        assert (again.decision, again.severity, again.probability) == (
            record.decision,
            record.severity,
            record.fraud_probability,
        )
        assert again.reasons == record.reasons
    (alone,) = decider.decide_many([TRANSACTIONS[1]], ROWS[1:2], [1], decided_by="stream", decided_at_ms=1)
    assert msgspec.json.encode(alone) == msgspec.json.encode(records[1])


def test_a_reason_shows_threshold_and_numbers(bundle: Path) -> None:
    told = rule(
        when="amount_value >= threshold", threshold=1000, reason="{amount_value} is {threshold} or more"
    )
    row = np.zeros((1, WIDTH))
    row[0, 0] = 12_345.5
    (verdict,) = Decider.load(bundle, RuleCatalog((told,))).verdicts([transaction()], row)
    assert "12,345.5 is 1,000 or more" in [reason.text for reason in verdict.reasons]


def test_braces_that_are_meant_stay_braces(bundle: Path) -> None:
    told = rule(when="hour < threshold", threshold=5, reason="{{threshold}} {{hour}} {threshold}")
    (verdict,) = Decider.load(bundle, RuleCatalog((told,))).verdicts([transaction()], np.zeros((1, WIDTH)))
    assert "{threshold} {hour} 5" in [reason.text for reason in verdict.reasons]


def test_the_version_is_what_rules_do_and_say() -> None:
    def version(*rules: Rule) -> str:
        return RuleCatalog(rules).version

    first = version(rule(), rule("other"))
    assert first == version(rule(when="(amount_value>=1.0)"), rule("other"))
    assert first == version(rule(when="amount_value >= threshold", threshold=1), rule("other"))
    both = "amount_value >= {} and hour >= {}"
    one = rule(when=both.format("threshold", 7), threshold=5, reason="{threshold}")
    two = rule(when=both.format(5, "threshold"), threshold=7, reason="{threshold}")
    assert version(one) != version(two), "they do the same, and say something else"
    others = [
        version(rule("other"), rule()),
        version(rule()),
        version(rule(when="amount_value >= 2"), rule("other")),
        version(rule(severity=Severity.MEDIUM), rule("other")),
        version(rule(action=Action.FLAG), rule("other")),
        version(rule(reason="another why"), rule("other")),
    ]
    assert len({first, *others}) == 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [", "is no rule catalog"),
        ("rules:\n- {name: big}", "missing required field"),
        ("{}", "missing required field"),
        (
            ENTRY
            := "rules:\n- {name: big, when: amount_value > 1, severity: high, action: review, reason: r",
            None,
        ),
        (f"{ENTRY}, colour: red}}", "unknown field"),
        (f"{ENTRY}}}".replace("review", "accept"), "Invalid enum value 'accept'"),
        (f"{ENTRY}}}".replace("high", "low"), "Invalid enum value 'low'"),
        (f"{ENTRY}}}".replace("big", "Big One"), "matching regex"),
        (f"{ENTRY}}}".replace("amount_value", "amount"), "rule big: there is no field `amount`"),
        (f"{ENTRY}}}\n" + f"{ENTRY}}}".removeprefix("rules:\n"), "two rules have the name big"),
        (f"{ENTRY} '{{hour}}'}}".replace("reason: r", "reason:"), "rule big: the reason shows"),
        (f"{ENTRY} '{{amount_value.real}}'}}".replace("reason: r", "reason:"), "rule big: the reason shows"),
        (
            f"{ENTRY} '{{amount_value'}}".replace("reason: r", "reason:"),
            "rule big: the reason cannot be read",
        ),
    ],
)
def test_a_catalog_that_can_not_be_used_says_what_is_wrong(
    tmp_path: Path, text: str, says: str | None
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text if says else f"{text}}}")
    if says is None:
        assert load_rules(file).rules[0].name == "big"
        return
    with pytest.raises(RuleError, match=re.escape(says)):
        load_rules(file)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file"):
        load_rules(tmp_path / "nowhere.yaml")


def test_our_catalog_hits_what_it_is_there_for_and_leaves_quiet_customers_alone(bundle: Path) -> None:
    decider = Decider.load(bundle)
    assert decider.rules is RULES
    quiet = np.zeros((1, WIDTH))
    (verdict,) = decider.verdicts([transaction()], quiet)
    assert not [reason for reason in verdict.reasons if reason.code.startswith("rule:")]
    testing = {"customer_count_10min": 6, "amount_value": 1, "customer_amount_max_1d": 1}
    (verdict,) = decider.verdicts([transaction()], row_of(testing))
    assert (verdict.decision, verdict.severity) == (Decision.DECLINE, Severity.CRITICAL)
    assert "rule:card_testing" in [reason.code for reason in verdict.reasons]


def row_of(values: dict[str, float]) -> np.ndarray:
    return np.array([[values.get(name, 0.0) for name in CATALOG.names]])


def test_the_example_of_the_docs_is_a_rule(tmp_path: Path) -> None:
    docs = Path(__file__).parents[3] / "docs" / "rules.md"
    [example] = re.findall(r"```yaml\n(.*?)```", docs.read_text(), re.DOTALL)
    file = tmp_path / "rules.yaml"
    file.write_text(example)
    assert [one.name for one in load_rules(file).rules] == ["high_value_abroad"]


def test_orders_are_those_of_the_records() -> None:
    assert list(STRICTNESS) == [Decision.APPROVE, Decision.REVIEW, Decision.DECLINE]
    assert list(URGENCY) == [Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]

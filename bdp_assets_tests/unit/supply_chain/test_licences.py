"""A licence that nobody allowed, or that nobody knows, is told with the distribution's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bdp_assets_tests.supply_chain.__main__ import differences, main
from bdp_assets_tests.supply_chain.licences import Rules, faults

RULES = Rules(frozenset({"MIT", "Apache-2.0"}), {})


def component(*said: Mapping[str, Any], name: str = "Thing") -> Mapping[str, Any]:
    return {"name": name, "version": "1.0", "licenses": list(said)}


def licence(identifier: str) -> Mapping[str, Any]:
    return {"license": {"id": identifier}}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([licence("MIT")], None),
        ([{"license": {"name": "MIT"}}], None),
        ([{"expression": "GPL-3.0-only OR MIT"}], None),
        ([{"expression": "MIT AND Apache-2.0"}], None),
        ([{"expression": "MIT AND GPL-3.0-only"}], "thing 1.0: MIT AND GPL-3.0-only"),
        ([{"expression": "(MIT OR GPL-3.0-only)"}], "thing 1.0: (MIT OR GPL-3.0-only)"),
        ([licence("MIT"), licence("AGPL-3.0-only")], "thing 1.0: MIT, AGPL-3.0-only"),
        ([], "thing 1.0: says no licence"),
    ],
)
def test_what_is_allowed_and_what_is_told(said: list[Mapping[str, Any]], told: str | None) -> None:
    assert list(faults([component(*said)], RULES)) == ([] if told is None else [told])


def test_one_that_is_known_passes_and_is_forgotten_when_it_is_gone() -> None:
    rules = Rules(RULES.allowed, {"thing": "LGPL-3.0-only"})
    assert list(faults([component(licence("LGPL-3.0-only"))], rules)) == []
    assert list(faults([], rules)) == ["thing: is not installed any more; take it out of tool.licences.known"]


def test_a_bill_that_is_not_the_lock_is_told() -> None:
    lock = "thing==1.0 \\\n    --hash=sha256:aa\nother==2 ; sys_platform == 'never'\n"
    assert list(differences([component()], lock)) == []
    assert list(differences([component(), component(name="new")], lock)) == [
        "new: not in the lock, 1.0 in the bill"
    ]
    assert list(differences([], lock)) == ["thing: 1.0 in the lock, not in the bill"]


def test_an_empty_bill_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sbom.json"
    file.write_text(json.dumps({"components": []}))
    assert main(file) == 1
    assert "bentoml: " in capsys.readouterr().err

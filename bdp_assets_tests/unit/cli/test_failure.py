from __future__ import annotations

import pytest
import typer

from bdp_assets.cli.failure import interruptible, told


def test_an_exception_of_the_kind_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, told(LookupError):
        raise KeyError("no such thing")
    assert left.value.exit_code == 2
    assert "no such thing" in capsys.readouterr().err


def test_any_other_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="a bug"), told(LookupError):
        raise ValueError("a bug")


def test_an_interruption_says_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, interruptible("It goes on."):
        raise KeyboardInterrupt
    assert left.value.exit_code == 130
    assert "It goes on." in capsys.readouterr().err

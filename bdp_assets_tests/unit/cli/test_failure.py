from __future__ import annotations

import signal

import pytest
import typer

from bdp_assets.cli.failure import interruptible, stop_asked, told


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_interrupts(number: int) -> None:
    before = signal.getsignal(number)
    with stop_asked() as asked:
        assert not asked.is_set()
        signal.raise_signal(number)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) == before

"""A home without programs: what is in its stores of data is not opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdp_assets.operations.backup import quiet
from bdp_assets.runtime import home as homes
from bdp_assets.settings import Settings


class Silent:
    """A Screen that nobody sees."""

    def line(self, text: str) -> None:
        pass

    def bars(self, bars: object) -> None:
        pass


@pytest.fixture
def screen() -> Silent:
    return Silent()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Its home has a file, a hollow file, an empty folder, a link, a journal, and what is no state."""
    counts = {"postgres": {"bdp.public.t": 1}, "topics": {}, "groups": {}, "lake": {}, "store": {}}
    monkeypatch.setattr(quiet, "counted", lambda *_: (counts, {}))
    home = tmp_path / "home"
    homes.prepare(home)
    (home / "lake" / "raw").mkdir(parents=True)
    (home / "lake" / "raw" / "rows").write_bytes(b"rows" * 1_000)
    (home / "postgres" / "pg_notify").mkdir(mode=0o700, parents=True)
    (home / "models" / "1").mkdir(parents=True)
    (home / "models" / "champion").symlink_to("1")
    (home / "secrets" / "postgres").touch(mode=0o600)
    with (home / "index").open("wb") as hollow:
        hollow.truncate(8 * 2**20)
    (home / "run" / "traffic-1.jsonl").write_text("{}\n")
    (home / "run" / "supervisord.conf").write_text("made anew")
    (home / "logs" / "api.log").write_text("said")
    return Settings(_env_file=None, home=home)  # type: ignore[call-arg]

"""`bdp backup | restore`: the local profile's data into a folder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, best on another disk.")],
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait, with the API stopped, until nothing is on its way.")
    ] = 0,
) -> None:
    """Copy the platform's data, with its programs stopped meanwhile. Keep it safe: it holds secrets."""
    from bdp_assets.cli.backup_lines import taken_line
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import ended_by_signals, interruptible, told
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.outage import Outage
    from bdp_assets.operations.backup.taking import back_up
    from bdp_assets.settings import get_settings

    ended = "Ended. There is no backup, and what ran before runs again."
    with (
        told(KafkaUnavailable, KafkaRefused, Outage),
        interruptible(ended),
        ended_by_signals(),
        BarScreen() as screen,
    ):
        made = back_up(get_settings(), folder.expanduser().absolute(), screen, wait_s=wait)
    show(taken_line(made, folder), markup=False)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `bdp backup` has made.")],
    wipe: Annotated[bool, typer.Option("--wipe", help="Replace the data that is in BDP_HOME.")] = False,
) -> None:
    """Make BDP_HOME what it was: every file by its digest, every store of data by its counts."""
    from bdp_assets.cli.backup_lines import restored_line
    from bdp_assets.cli.bars import BarScreen
    from bdp_assets.cli.display import show
    from bdp_assets.cli.failure import ended_by_signals, interruptible
    from bdp_assets.operations.backup.restoring import bring_back, prove
    from bdp_assets.settings import get_settings

    ended = (
        "Ended. The backup is as it was: the same command (with --wipe, if its files are there) begins anew."
    )
    with interruptible(ended), ended_by_signals(), BarScreen() as screen:
        taken = bring_back(get_settings(), folder.expanduser().absolute(), screen, wipe=wipe)
        get_settings.cache_clear()  # the home that came back remembers settings of its own
        prove(get_settings(), taken, screen)
    show(restored_line(taken), markup=False)

"""`bdp up | down | run | healthy | status | logs | restart | setup`: the platform's programs."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

app = typer.Typer()

Names = Annotated[list[str] | None, typer.Argument(help="Programs; all when none is named.")]
Name = Annotated[str, typer.Argument(help="A program, as `bdp status` lists them.")]


@app.command()
def up(
    names: Names = None,
    monitoring: Annotated[
        bool | None,
        typer.Option(
            "--monitoring/--no-monitoring",
            help="With Prometheus, Alertmanager and the exporter; BDP_HOME remembers it.",
        ),
    ] = None,
) -> None:
    """Start the platform, or the named programs and what they need."""
    from bdp_assets.cli.display import progress
    from bdp_assets.operations import start
    from bdp_assets.settings import get_settings

    with progress() as report:
        start.up(get_settings(), names or [], watched=monitoring, report=report)


@app.command()
def down(
    names: Names = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove all data too (BDP_HOME).")] = False,
) -> None:
    """Stop the platform, or the named programs and what needs them; data stays unless --wipe."""
    from bdp_assets.cli.display import progress
    from bdp_assets.runtime import home, platform
    from bdp_assets.settings import get_settings

    if wipe and names:
        raise typer.BadParameter("--wipe removes the data of all programs: name none with it")
    settings = get_settings()
    with progress() as report:
        platform.down(settings, names or (), report=report)
    if wipe:
        home.wipe(settings.home)
        typer.echo(f"Removed {settings.home}.")


@app.command()
def restart(name: Name) -> None:
    """Stop one program and start it with the settings of now; replicas of the API one after the other."""
    from bdp_assets.cli.display import progress
    from bdp_assets.operations import start
    from bdp_assets.settings import get_settings

    with progress() as report:
        start.restart(get_settings(), name, report=report)


@app.command()
def run(name: Name) -> None:
    """Be one program, in the foreground and without the supervisor: what a container does."""
    from bdp_assets.runtime import foreground
    from bdp_assets.settings import get_settings

    foreground.become(get_settings(), name, lambda text: typer.echo(text, err=True))


@app.command()
def healthy(name: Name) -> None:
    """Exit code 0 where a program answers on this machine, else 1: the health check of a container."""
    from bdp_assets.runtime import services
    from bdp_assets.settings import get_settings

    raise typer.Exit(0 if services.find(name).healthy(get_settings()) else 1)


@app.command()
def status(
    watch: Annotated[
        bool, typer.Option(help="The operator's screen: topics, rates, latency, alerts and assets too.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --watch: one picture, and end.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two pictures.")] = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON array; with --watch, one object a line and picture.")
    ] = False,
) -> None:
    """Show each program: state, uptime, memory, address."""
    from bdp_assets.cli import status_view
    from bdp_assets.runtime.status import Status
    from bdp_assets.settings import get_settings

    if once and not watch:
        raise typer.BadParameter("--once goes with --watch; `bdp status` alone looks once")
    if watch:
        _watch(every, once=once, as_json=as_json)
        return
    rows = Status(get_settings()).rows()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    else:
        status_view.show(rows)


def _watch(every: float, *, once: bool, as_json: bool) -> None:
    import logging

    from bdp_assets.cli import watch_view
    from bdp_assets.operations.watching.screen import Watcher
    from bdp_assets.settings import get_settings

    logging.disable()  # What is away is on the screen, which lines of a driver's would tear apart.
    watcher = Watcher(get_settings(), every)
    if once or as_json:
        watcher.settle()
    if as_json:
        watch_view.tell(watcher.screen, every, once=once)
    elif once:
        watch_view.show(watcher.screen())
    else:
        watch_view.watch(watcher.screen, every)


@app.command()
def env() -> None:
    """Print variables for commands of Dagster's that ask for a home: eval "$(bdp env)", dagster run list."""
    import shlex

    from bdp_assets.project import FILES
    from bdp_assets.settings import get_settings

    # Not BDP_HOME/dagster: `dagster dev` warns of a dagster.yaml that is not DAGSTER_HOME's own file.
    for name, value in {"BDP_HOME": get_settings().home, "DAGSTER_HOME": FILES}.items():
        typer.echo(f"export {name}={shlex.quote(str(value))}")


@app.command()
def logs(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
) -> None:
    """Show a program's log."""
    from bdp_assets.runtime import logs, services
    from bdp_assets.settings import get_settings

    file = logs.path(get_settings().home, services.find(name).name)
    typer.echo(logs.tail(file, lines) or f"{name} has written nothing yet: `bdp up {name}` starts it.")
    if follow:
        for text in logs.follow(file):
            typer.echo(text, nl=False)


@app.command()
def setup() -> None:
    """Get what pip can not: Java and Maven where they are missing, and Kafka's jars."""
    from bdp_assets.runtime import jars
    from bdp_assets.settings import get_settings

    jars.fetch(get_settings(), typer.echo)

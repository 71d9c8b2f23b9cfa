"""Start and stop the local platform."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from bdp_assets.runtime import home as homes
from bdp_assets.runtime import ordered, orphans, ports, services
from bdp_assets.runtime.parts import Program, Step
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.starter import Report, Stage, Starter
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings


def quietly(_name: str, _stage: Stage, _detail: str) -> None:
    """A Report that says nothing."""


def up(
    settings: Settings, names: Sequence[str] = (), *, steps: Sequence[Step] = (), report: Report = quietly
) -> None:
    """Start the named programs and what they need (all when none is named), each after its needs are healthy.

    Idempotent: what runs already is left alone. Raises Problem.
    """
    for name in names:
        _require_asked_for(settings, services.find(name))
    homes.prepare(settings.home)
    with homes.locked(settings.home):
        _report_replaced(settings, names, report)
        programs = _startable(settings, names, report)
        mine = [name for name in _with_members(names) if not services.find(name).is_replaced(settings)]
        if names and not mine:
            return
        Starter(settings, Supervisor(settings.home), report).run(
            services.selection([*programs, *steps], mine)
        )


def require_ports(settings: Settings) -> None:
    """The ports of all programs that do not run, also of those that wait for a model. Raises Problem."""
    states = Supervisor(settings.home).states()
    idle = [
        program
        for program in services.embedded(settings)
        if program.name not in states or not states[program.name].running
    ]
    ports.require(port for program in idle for port in program.listens(settings).items())


def down(settings: Settings, names: Sequence[str] = (), *, report: Report = quietly) -> None:
    """Stop the named programs and what needs them; without names everything: programs, last started first,
    then the supervisor, then what a crash left. Raises Problem.
    """
    known = [services.find(name).name for name in names]
    named = {found for name in _with_members(known) for found in (name, *services.dependants(name))}
    if not (settings.home / "run").is_dir():
        return
    with homes.locked(settings.home):
        supervisor = Supervisor(settings.home)
        states = [state for state in supervisor.states().values() if state.state != "stopped"]
        _stop(supervisor, [state.name for state in states if not names or state.name in named], report)
        if not names:
            supervisor.shutdown()
            orphans.end(orphans.find(settings.home))


def restart(settings: Settings, name: str, *, steps: Sequence[Step] = (), report: Report = quietly) -> None:
    """Stop one program and start it with the settings of now.

    Where others are part of it, those first, one after the other: the rest answers meanwhile, and what stands
    before them is told to look anew. Raises Problem.
    """
    program, members = services.find(name), services.members(name)
    supervisor = Supervisor(settings.home)
    for member in members:
        if member.asked_for(settings):
            member.admit(settings, False)
            try:
                _stop_if_running(supervisor, [member.name], report)
                up(settings, [member.name], steps=steps, report=report)
            finally:
                member.admit(settings, True)
    if not _is_reloaded(settings, program, report):
        _stop_if_running(supervisor, [name], report)
    up(settings, [name], steps=steps, report=report)
    surplus = [member.name for member in members if not member.asked_for(settings)]
    _stop_if_running(supervisor, surplus, report)


def _is_reloaded(settings: Settings, program: Program, report: Report) -> bool:
    supervisor = Supervisor(settings.home)
    if not supervisor.alive():
        return False
    with homes.locked(settings.home):
        return Starter(settings, supervisor, report).reload(program)


def _require_asked_for(settings: Settings, program: Program) -> None:
    if program.asked_for(settings):
        return
    if program.part_of is None:
        raise Problem(f"There is no {program.name}: monitoring is off.", "`bdp up --monitoring` turns it on.")
    raise Problem(
        f"There is no {program.name}: BDP_API_REPLICAS is {settings.api_replicas}.",
        "Set it to more, then `bdp restart api`.",
    )


def _with_members(names: Sequence[str]) -> list[str]:
    return [found for name in names for found in (name, *(one.name for one in services.members(name)))]


def _stop_if_running(supervisor: Supervisor, names: Sequence[str], report: Report) -> None:
    states = supervisor.states()
    _stop(supervisor, [name for name in names if name in states and states[name].state != "stopped"], report)


def _stop(supervisor: Supervisor, names: Sequence[str], report: Report) -> None:
    def stop(name: str, _cancelled: Event) -> None:
        report(name, "stopping", "")
        supervisor.stop(name)
        report(name, "stopped", "")

    ordered.run({name: services.dependants(name) for name in names}, stop)


def _report_replaced(settings: Settings, names: Sequence[str], report: Report) -> None:
    for program in services.PROGRAMS:
        if program.is_replaced(settings) and (not names or program.name in names):
            report(program.name, "yours", f"BDP_{str(program.replaced_by).upper()} is set")


def _startable(settings: Settings, names: Sequence[str], report: Report) -> list[Program]:
    """Embedded programs that have what they serve. Raises Problem for a named one that has not."""
    startable = []
    for program in services.embedded(settings):
        if program.wanted(settings):
            startable.append(program)
        elif program.name in names:
            raise Problem(f"{program.name} can not start: {program.waits_for}.", "`make demo` trains one.")
        elif not names:
            report(program.name, "waits", program.waits_for)
    return startable

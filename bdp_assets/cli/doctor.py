"""`bdp doctor`: is this machine and this platform all right?"""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """Check versions, ports, disk, connections, topics, migrations, model; exit code 1 if one fails."""
    from bdp_assets.cli import display
    from bdp_assets.operations.doctor import examine
    from bdp_assets.settings import get_settings

    findings = []
    for finding in examine(get_settings()):
        findings.append(finding)
        if not as_json:
            display.show(display.finding_rows(finding))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    else:
        display.show(display.summary(findings))
    raise typer.Exit(any(finding.status == "fail" for finding in findings))

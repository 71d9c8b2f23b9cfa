"""Kafka's jars: resolved once by Maven, with the machine's own configuration, from deploy/kafka/pom.xml."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from bdp_assets.project import FILES
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import java
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

KAFKA = FILES / "deploy" / "kafka"
LIBS = KAFKA / "libs"
"""Beside the pom: of a checkout, or of the virtual environment that the wheel is in."""


def are_current() -> bool:
    """Whether the jars are those of the pom.xml as it is now."""
    stamp = LIBS / "pom.sha256"
    return stamp.exists() and stamp.read_text() == _pom_hash()


def fetch(settings: Settings, say: Say) -> None:
    """Have the jars in LIBS; at once when they are there. Raises Problem."""
    if are_current():
        return
    if not os.access(KAFKA, os.W_OK):
        raise Problem(
            f"Kafka's jars are not there yet, and their folder, {KAFKA}, can not be written.",
            "Run `bdp setup` once as the owner of that folder, or set BDP_KAFKA_BOOTSTRAP.",
        )
    java.require_java(settings, say)
    fresh = KAFKA / f"libs.{os.getpid()}"
    command = _maven(settings, fresh, say)
    say("fetching Kafka's jars with Maven")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Problem(
            f"Maven could not fetch Kafka's jars:\n{done.stdout.strip()[-3000:]}",
            "Check the network and Maven's settings.xml, then try again; or set BDP_KAFKA_BOOTSTRAP.",
        )
    (fresh / "pom.sha256").write_text(_pom_hash())
    shutil.rmtree(LIBS, ignore_errors=True)
    fresh.rename(LIBS)


def _maven(settings: Settings, output: Path, say: Say) -> list[str]:
    command = [java.require_maven(settings, say), "-q", "-B", "-f", str(KAFKA / "pom.xml")]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={output}"]
    if not _has_writable_home():
        homes.prepare(settings.home)
        command.append(f"-Dmaven.repo.local={settings.home / 'maven'}")
    return command


def _has_writable_home() -> bool:
    """Maven keeps its cache in the home of the user data base, which a user in a container may not have."""
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return False
    return os.access(home, os.W_OK)


def _pom_hash() -> str:
    return hashlib.sha256((KAFKA / "pom.xml").read_bytes()).hexdigest()

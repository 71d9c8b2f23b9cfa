"""Java 17+ and Maven: found, or installed where that is allowed, or asked for in so many words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

OLDEST = 17
# Newest first; the first one that the machine's release has is taken.
_JAVA_PACKAGES = ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "default-jre-headless")


def find_java() -> str | None:
    """`$JAVA_HOME/bin/java`, else `java` on the path."""
    home = os.environ.get("JAVA_HOME")
    inside = Path(home) / "bin" / "java" if home else None
    return str(inside) if inside and inside.exists() else shutil.which("java")


def version(java: str) -> int:
    """Major version, 0 when it does not say one (8 says `1.8`, which is 1 here: too old all the same)."""
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', shown.stderr + shown.stdout)
    return int(found.group(1)) if found else 0


def require_java(settings: Settings, say: Say) -> str:
    """Path of a Java that is new enough; installs one where it may. Raises Problem."""
    java = find_java()
    if java is None or version(java) < OLDEST:
        state = "Java is not installed" if java is None else f"{java} is Java {version(java)}"
        _install(settings, f"{state}; Kafka needs Java {OLDEST} or newer", _JAVA_PACKAGES, say)
        java = find_java()
    if java is None or version(java) < OLDEST:
        raise Problem(
            f"There is still no Java {OLDEST} or newer: found {java or 'none'}.",
            "Set JAVA_HOME to one, or remove the older one from PATH.",
        )
    return java


def require_maven(settings: Settings, say: Say) -> str:
    """Path of `mvn`; installs it where it may. Raises Problem."""
    if shutil.which("mvn") is None:
        _install(settings, "Maven is not installed; it fetches Kafka's jars", ("maven",), say)
    found = shutil.which("mvn")
    if found is None:
        raise Problem("Maven is still not on the PATH.", "Put the folder of `mvn` on the PATH.")
    return found


def _install(settings: Settings, reason: str, choices: tuple[str, ...], say: Say) -> None:
    if shutil.which("apt-get") is None:
        by_hand = f"Install it with your system's package manager (on Debian: apt-get install {choices[-1]})."
        raise Problem(f"{reason}.", by_hand)
    root = _root_prefix()
    if root is None or not settings.auto_install:
        by_hand = f"sudo apt-get install {_best(choices)}"
        raise Problem(f"{reason}.", f"Type: {by_hand}   (or set BDP_KAFKA_BOOTSTRAP to a Kafka of yours)")
    say(f"{reason}: installing it with apt-get (BDP_AUTO_INSTALL=0 forbids that)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _apt([*root, "apt-get", "update", "-qq"], environment)
    package = _best(choices)
    say(f"apt-get install {package}")
    _apt([*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", package], environment)


def _best(choices: tuple[str, ...]) -> str:
    """The first package that this machine's release offers."""
    return next((name for name in choices if _is_offered(name)), choices[-1])


def _root_prefix() -> list[str] | None:
    """How to become root without a question; None when there is no way."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    return None


def _is_offered(package: str) -> bool:
    shown = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False)
    return "Candidate:" in shown.stdout and "Candidate: (none)" not in shown.stdout


def _apt(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(
            f"`{' '.join(command)}` failed:\n{(done.stderr or done.stdout).strip()[-2000:]}",
            "Install it by hand, then try again.",
        )

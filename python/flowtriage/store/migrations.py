"""Creating the tables, and bringing those of an earlier version up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flowtriage.errors import StoreError
from flowtriage.store.tables import TABLES, create_table, create_view

_VERSIONS = "flowtriage_schema"
_HISTORY = "flow_storyboard_history"
_OF_SPOT = [name for name in TABLES if name != _HISTORY]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        *map(create_table, _OF_SPOT),
        *(f"CREATE INDEX {name}_day ON {name} (day)" for name in _OF_SPOT),
        *map(create_view, _OF_SPOT),
        "CREATE TABLE flow_run (day DATE PRIMARY KEY, run TEXT NOT NULL, finished TEXT NOT NULL)",
    ),
    (create_table(_HISTORY), f"CREATE INDEX {_HISTORY}_day ON {_HISTORY} (day)"),
)
"""Statements that lead from each version of the schema to the next one."""


def version_of(ask: Callable[..., Any]) -> int:
    """Return the version of the schema of a database, 0 if there is none.

    Parameters
    ----------
    ask
        Runs a query and returns its table.
    """
    found = ask(
        "SELECT count(*) AS n FROM information_schema.tables "
        "WHERE table_name = $1 AND table_schema = current_schema()",
        (_VERSIONS,),
    )
    if not found["n"][0].as_py():
        return 0
    versions = ask(f"SELECT version FROM {_VERSIONS}")["version"].to_pylist()  # noqa: S608
    return max(versions, default=0)


def check_version(version: int, shown: str, migrations: Sequence[Sequence[str]]) -> None:
    """Refuse a database of a later version than this one knows."""
    if version > len(migrations):
        raise StoreError(
            f"store {shown} has version {version} of the schema, and this flowtriage knows "
            f"{len(migrations)}: update flowtriage"
        )


def migrate(
    ask: Callable[..., Any],
    execute: Callable[..., None],
    migrations: Sequence[Sequence[str]],
) -> None:
    """Bring a database up to date, within the transaction that is open.

    Parameters
    ----------
    ask
        Runs a query and returns its table.
    execute
        Runs a statement.
    migrations
        Statements that lead from each version to the next one.
    """
    execute(f"CREATE TABLE IF NOT EXISTS {_VERSIONS} (version INTEGER PRIMARY KEY)")
    for version in range(version_of(ask), len(migrations)):
        execute(f"INSERT INTO {_VERSIONS} (version) VALUES ($1)", (version + 1,))  # noqa: S608
        for statement in migrations[version]:
            execute(statement)

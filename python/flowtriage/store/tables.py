"""Tables of the store and migrations of its schema.

Tables and columns are those of Spot's Flow OA; additional columns follow Spot's, `day` comes last.
Counters have 64 bits, as Spot's `int` overflows at 2 GB; scores are doubles, as single precision
cannot distinguish them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from flowtriage.errors import StoreError

_STRING, _INT, _BIGINT = pa.string(), pa.int32(), pa.int64()
_DOUBLE, _BOOL, _DATE = pa.float64(), pa.bool_(), pa.date32()
_SQL = {
    _STRING: "TEXT",
    _INT: "INTEGER",
    _BIGINT: "BIGINT",
    _DOUBLE: "DOUBLE PRECISION",
    _BOOL: "BOOLEAN",
    _DATE: "DATE",
}
SCORES = pa.schema(
    [
        ("tstart", _STRING),
        ("srcip", _STRING),
        ("dstip", _STRING),
        ("sport", _INT),
        ("dport", _INT),
        ("proto", _STRING),
        ("ipkt", _BIGINT),
        ("ibyt", _BIGINT),
        ("opkt", _BIGINT),
        ("obyt", _BIGINT),
        ("score", _DOUBLE),
        ("rank", _INT),
        ("srcip_internal", _BOOL),
        ("destip_internal", _BOOL),
        ("src_geoloc", _STRING),
        ("dst_geoloc", _STRING),
        ("src_domain", _STRING),
        ("dst_domain", _STRING),
        ("src_rep", _STRING),
        ("dst_rep", _STRING),
        ("src_context", _STRING),
        ("dst_context", _STRING),
        ("src_word", _STRING),
        ("dst_word", _STRING),
        ("src_score", _DOUBLE),
        ("dst_score", _DOUBLE),
        ("src_word_count", _BIGINT),
        ("dst_word_count", _BIGINT),
        ("day", _DATE),
    ]
)
EDGE = pa.schema(
    [
        ("tstart", _STRING),
        ("srcip", _STRING),
        ("dstip", _STRING),
        ("sport", _INT),
        ("dport", _INT),
        ("proto", _STRING),
        ("flags", _STRING),
        ("tos", _INT),
        ("ibyt", _BIGINT),
        ("ipkt", _BIGINT),
        ("pkts", _BIGINT),
        ("input", _INT),
        ("output", _INT),
        ("rip", _STRING),
        ("obyt", _BIGINT),
        ("opkt", _BIGINT),
        ("hh", _INT),
        ("md", _INT),
        ("day", _DATE),
    ]
)
CHORDS = pa.schema(
    [
        ("ip_threat", _STRING),
        ("srcip", _STRING),
        ("dstip", _STRING),
        ("ibyt", _BIGINT),
        ("ipkt", _BIGINT),
        ("day", _DATE),
    ]
)
INGEST_SUMMARY = pa.schema([("tdate", _STRING), ("total", _BIGINT), ("day", _DATE)])
THREAT_INVESTIGATION = pa.schema(
    [
        ("tstart", _STRING),
        ("srcip", _STRING),
        ("dstip", _STRING),
        ("srcport", _INT),
        ("dstport", _INT),
        ("score", _INT),
        ("scored", _STRING),
        ("day", _DATE),
    ]
)
STORYBOARD = pa.schema(
    [("ip_threat", _STRING), ("title", _STRING), ("text", _STRING), ("day", _DATE)]
)
STORYBOARD_HISTORY = pa.schema(
    [
        ("ip_threat", _STRING),
        ("title", _STRING),
        ("text", _STRING),
        ("saved", _STRING),
        ("day", _DATE),
    ]
)
TIMELINE = pa.schema(
    [
        ("ip_threat", _STRING),
        ("tstart", _STRING),
        ("tend", _STRING),
        ("srcip", _STRING),
        ("dstip", _STRING),
        ("proto", _STRING),
        ("sport", _INT),
        ("dport", _INT),
        ("ipkt", _BIGINT),
        ("ibyt", _BIGINT),
        ("day", _DATE),
    ]
)
TABLES: dict[str, pa.Schema] = {
    "flow_scores": SCORES,
    "flow_edge": EDGE,
    "flow_chords": CHORDS,
    "flow_ingest_summary": INGEST_SUMMARY,
    "flow_threat_investigation": THREAT_INVESTIGATION,
    "flow_storyboard": STORYBOARD,
    "flow_timeline": TIMELINE,
    "flow_storyboard_history": STORYBOARD_HISTORY,
}
"""Schema of each table, by name."""
MADE_BY_RUN = ("flow_scores", "flow_edge", "flow_chords", "flow_ingest_summary")
"""Tables that a run replaces for its day; analysts write the others."""
RENAMED = {
    "flow_scores": {
        "score": "ml_score",
        "destip_internal": "dstip_internal",
    },
    "flow_edge": {"md": "mn"},
}
"""Column names in Spot's code, where they differ from Spot's documentation and our tables."""


def create_table(name: str) -> str:
    """Return the SQL statement that creates a table.

    Examples
    --------
    >>> create_table("flow_ingest_summary")
    'CREATE TABLE flow_ingest_summary (tdate TEXT, total BIGINT, day DATE NOT NULL)'
    """
    columns = ", ".join(
        f"{field.name} {_SQL[field.type]}{' NOT NULL' if field.name == 'day' else ''}"
        for field in TABLES[name]
    )
    return f"CREATE TABLE {name} ({columns})"


def create_view(name: str) -> str:
    """Return the SQL statement that creates a view with the column names of Spot's code.

    The name of the view is that of the table with the prefix `spot_`; columns `y`, `m` and `d`
    replace `day`.

    Examples
    --------
    >>> create_view("flow_ingest_summary")
    'CREATE VIEW spot_flow_ingest_summary AS SELECT tdate, total, CAST(EXTRACT(YEAR FROM day) \
AS INTEGER) AS y, CAST(EXTRACT(MONTH FROM day) AS INTEGER) AS m, CAST(EXTRACT(DAY FROM day) \
AS INTEGER) AS d FROM flow_ingest_summary'
    """
    renamed = RENAMED.get(name, {})
    columns = [
        f"{column} AS {renamed[column]}" if column in renamed else column
        for column in TABLES[name].names[:-1]
    ]
    parts = {"YEAR": "y", "MONTH": "m", "DAY": "d"}
    columns += [
        f"CAST(EXTRACT({part} FROM day) AS INTEGER) AS {column}" for part, column in parts.items()
    ]
    return f"CREATE VIEW spot_{name} AS SELECT {', '.join(columns)} FROM {name}"  # noqa: S608


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
"""SQL statements that migrate each schema version to the next one."""


def schema_version(query: Callable[..., Any]) -> int:
    """Return the schema version of a database, 0 for an empty one.

    Parameters
    ----------
    query
        Function that runs a query and returns its rows as a table.
    """
    found = query(
        "SELECT count(*) AS n FROM information_schema.tables "
        "WHERE table_name = $1 AND table_schema = current_schema()",
        (_VERSIONS,),
    )
    if not found["n"][0].as_py():
        return 0
    versions = query(f"SELECT version FROM {_VERSIONS}")["version"].to_pylist()  # noqa: S608
    return max(versions, default=0)


def check_version(version: int, shown: str, migrations: Sequence[Sequence[str]]) -> None:
    """Raise `StoreError` if the schema is newer than the migrations."""
    if version > len(migrations):
        raise StoreError(
            f"store {shown} has schema version {version}; this flowtriage supports "
            f"{len(migrations)}: update flowtriage"
        )


def migrate(
    query: Callable[..., Any],
    execute: Callable[..., None],
    migrations: Sequence[Sequence[str]],
) -> None:
    """Migrate a database to the latest schema version within an open transaction.

    Parameters
    ----------
    query
        Function that runs a query and returns its rows as a table.
    execute
        Function that runs a statement.
    migrations
        SQL statements that migrate each version to the next one.
    """
    execute(f"CREATE TABLE IF NOT EXISTS {_VERSIONS} (version INTEGER PRIMARY KEY)")
    for version in range(schema_version(query), len(migrations)):
        execute(f"INSERT INTO {_VERSIONS} (version) VALUES ($1)", (version + 1,))  # noqa: S608
        for statement in migrations[version]:
            execute(statement)

"""The tables of the store: those of Spot's Flow OA, with its column names.

New columns stand after the seed's, `day` last of all. Counters are 64 bits wide, where Spot's `int`
overflows at 2 GB; `float` is double, since scores differ by less than single precision can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from flowtriage.errors import StoreError

_TEXT, _INT, _BIGINT = pa.string(), pa.int32(), pa.int64()
_DOUBLE, _BIT, _DATE = pa.float64(), pa.bool_(), pa.date32()
_SQL = {
    _TEXT: "TEXT",
    _INT: "INTEGER",
    _BIGINT: "BIGINT",
    _DOUBLE: "DOUBLE PRECISION",
    _BIT: "BOOLEAN",
    _DATE: "DATE",
}
SCORES = pa.schema(
    [
        ("tstart", _TEXT),
        ("srcip", _TEXT),
        ("dstip", _TEXT),
        ("sport", _INT),
        ("dport", _INT),
        ("proto", _TEXT),
        ("ipkt", _BIGINT),
        ("ibyt", _BIGINT),
        ("opkt", _BIGINT),
        ("obyt", _BIGINT),
        ("score", _DOUBLE),
        ("rank", _INT),
        ("srcip_internal", _BIT),
        ("destip_internal", _BIT),
        ("src_geoloc", _TEXT),
        ("dst_geoloc", _TEXT),
        ("src_domain", _TEXT),
        ("dst_domain", _TEXT),
        ("src_rep", _TEXT),
        ("dst_rep", _TEXT),
        ("src_context", _TEXT),
        ("dst_context", _TEXT),
        ("src_word", _TEXT),
        ("dst_word", _TEXT),
        ("src_score", _DOUBLE),
        ("dst_score", _DOUBLE),
        ("src_word_count", _BIGINT),
        ("dst_word_count", _BIGINT),
        ("day", _DATE),
    ]
)
EDGE = pa.schema(
    [
        ("tstart", _TEXT),
        ("srcip", _TEXT),
        ("dstip", _TEXT),
        ("sport", _INT),
        ("dport", _INT),
        ("proto", _TEXT),
        ("flags", _TEXT),
        ("tos", _INT),
        ("ibyt", _BIGINT),
        ("ipkt", _BIGINT),
        ("pkts", _BIGINT),
        ("input", _INT),
        ("output", _INT),
        ("rip", _TEXT),
        ("obyt", _BIGINT),
        ("opkt", _BIGINT),
        ("hh", _INT),
        ("md", _INT),
        ("day", _DATE),
    ]
)
CHORDS = pa.schema(
    [
        ("ip_threat", _TEXT),
        ("srcip", _TEXT),
        ("dstip", _TEXT),
        ("ibyt", _BIGINT),
        ("ipkt", _BIGINT),
        ("day", _DATE),
    ]
)
INGEST_SUMMARY = pa.schema([("tdate", _TEXT), ("total", _BIGINT), ("day", _DATE)])
THREAT_INVESTIGATION = pa.schema(
    [
        ("tstart", _TEXT),
        ("srcip", _TEXT),
        ("dstip", _TEXT),
        ("srcport", _INT),
        ("dstport", _INT),
        ("score", _INT),
        ("scored", _TEXT),
        ("day", _DATE),
    ]
)
STORYBOARD = pa.schema([("ip_threat", _TEXT), ("title", _TEXT), ("text", _TEXT), ("day", _DATE)])
STORYBOARD_HISTORY = pa.schema(
    [("ip_threat", _TEXT), ("title", _TEXT), ("text", _TEXT), ("saved", _TEXT), ("day", _DATE)]
)
TIMELINE = pa.schema(
    [
        ("ip_threat", _TEXT),
        ("tstart", _TEXT),
        ("tend", _TEXT),
        ("srcip", _TEXT),
        ("dstip", _TEXT),
        ("proto", _TEXT),
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
"""Names of the tables, and their columns."""
MADE_BY_RUN = ("flow_scores", "flow_edge", "flow_chords", "flow_ingest_summary")
"""Tables that a run of a day makes anew; the others are what analysts wrote."""
RENAMED = {
    "flow_scores": {
        "score": "ml_score",
        "destip_internal": "dstip_internal",
    },
    "flow_edge": {"md": "mn"},
}
"""Columns that Spot's code calls otherwise than its documentation, which the tables follow."""


def create_table(name: str) -> str:
    """Return the SQL that creates a table.

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
    """Return the SQL that creates a view of a table as Spot's code knows it.

    Its name has `spot_` before that of the table, its columns are those of Spot's code, and
    `y`, `m` and `d` stand for the day.

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

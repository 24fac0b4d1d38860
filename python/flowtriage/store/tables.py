"""Tables of the store and migrations of its schema.

Tables and columns are those of Spot's Flow OA; additional columns follow Spot's, `day` comes last.
Counters have 64 bits, as Spot's `int` overflows at 2 GB; scores are doubles, as single precision
cannot distinguish them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, quoted

_COLUMNS = {
    "flow_scores": (
        "tstart TEXT, srcip TEXT, dstip TEXT, sport INTEGER, dport INTEGER, proto TEXT, "
        "ipkt BIGINT, ibyt BIGINT, opkt BIGINT, obyt BIGINT, score DOUBLE PRECISION, "
        "rank INTEGER, srcip_internal BOOLEAN, destip_internal BOOLEAN, src_geoloc TEXT, "
        "dst_geoloc TEXT, src_domain TEXT, dst_domain TEXT, src_rep TEXT, dst_rep TEXT, "
        "src_context TEXT, dst_context TEXT, src_word TEXT, dst_word TEXT, "
        "src_score DOUBLE PRECISION, dst_score DOUBLE PRECISION, src_word_count BIGINT, "
        "dst_word_count BIGINT"
    ),
    "flow_edge": (
        "tstart TEXT, srcip TEXT, dstip TEXT, sport INTEGER, dport INTEGER, proto TEXT, "
        "flags TEXT, tos INTEGER, ibyt BIGINT, ipkt BIGINT, pkts BIGINT, input INTEGER, "
        "output INTEGER, rip TEXT, obyt BIGINT, opkt BIGINT, hh INTEGER, md INTEGER"
    ),
    "flow_chords": "ip_threat TEXT, srcip TEXT, dstip TEXT, ibyt BIGINT, ipkt BIGINT",
    "flow_ingest_summary": "tdate TEXT, total BIGINT",
    "flow_threat_investigation": (
        "tstart TEXT, srcip TEXT, dstip TEXT, srcport INTEGER, dstport INTEGER, score INTEGER, "
        "scored TEXT"
    ),
    "flow_storyboard": "ip_threat TEXT, title TEXT, text TEXT",
    "flow_timeline": (
        "ip_threat TEXT, tstart TEXT, tend TEXT, srcip TEXT, dstip TEXT, proto TEXT, "
        "sport INTEGER, dport INTEGER, ipkt BIGINT, ibyt BIGINT"
    ),
    "flow_storyboard_history": "ip_threat TEXT, title TEXT, text TEXT, saved TEXT",
    "flow_findings": (
        "rank INTEGER, finding TEXT, detector TEXT, severity TEXT, score DOUBLE PRECISION, "
        "source TEXT, dest TEXT, dst_port INTEGER, protocol TEXT, as_name TEXT, country TEXT, "
        "first_seen TEXT, last_seen TEXT, flows BIGINT, bytes_out BIGINT, bytes_in BIGINT, "
        "summary TEXT, evidence TEXT, technique TEXT, context TEXT, flows_filter TEXT"
    ),
    "flow_detectors": "detector TEXT, ran BOOLEAN, reason TEXT",
}
_FLOWS = "flows BIGINT, denied_flows BIGINT"
_ADDED = {"flow_threat_investigation": _FLOWS, "flow_scores": _FLOWS}
"""Columns that later schema versions added: flows of the day from source to destination."""
_TYPES = {
    "TEXT": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE PRECISION": pa.float64(),
    "BOOLEAN": pa.bool_(),
}


def _pairs(columns: str) -> list[list[str]]:
    """Split declarations into names and types."""
    return [column.split(" ", 1) for column in columns.split(", ")]


def _schema(name: str) -> pa.Schema:
    added = f", {_ADDED[name]}" if name in _ADDED else ""
    pairs = _pairs(_COLUMNS[name] + added)
    return pa.schema([*((name, _TYPES[kind]) for name, kind in pairs), ("day", pa.date32())])


TABLES: dict[str, pa.Schema] = {name: _schema(name) for name in _COLUMNS}
"""Schema of each table, by name."""
SCORES = TABLES["flow_scores"]
_FINDINGS = ("flow_findings", "flow_detectors")
MADE_BY_RUN = ("flow_scores", "flow_edge", "flow_chords", "flow_ingest_summary", *_FINDINGS)
"""Tables that a run replaces for its day; analysts write the others."""
_RENAMED = {
    "flow_scores": {"score": "ml_score", "destip_internal": "dstip_internal"},
    "flow_edge": {"md": "mn"},
}
"""Column names in Spot's code, where they differ from Spot's documentation and our tables."""


def table_schema(name: str) -> pa.Schema:
    """Return the schema of a table; `ArgumentError` if there is none."""
    if name not in TABLES:
        raise ArgumentError(f"unknown table {quoted(name)}{did_you_mean(name, TABLES)}")
    return TABLES[name]


def create_table(name: str) -> str:
    """Return the SQL statement that creates a table.

    Examples
    --------
    >>> create_table("flow_ingest_summary")
    'CREATE TABLE flow_ingest_summary (tdate TEXT, total BIGINT, day DATE NOT NULL)'
    """
    return f"CREATE TABLE {name} ({_COLUMNS[name]}, day DATE NOT NULL)"


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
    renamed = _RENAMED.get(name, {})
    columns = [
        f"{column} AS {renamed[column]}" if column in renamed else column
        for column, _ in _pairs(_COLUMNS[name])
    ]
    parts = {"YEAR": "y", "MONTH": "m", "DAY": "d"}
    columns += [
        f"CAST(EXTRACT({part} FROM day) AS INTEGER) AS {column}" for part, column in parts.items()
    ]
    return f"CREATE VIEW spot_{name} AS SELECT {', '.join(columns)} FROM {name}"  # noqa: S608


def _widen(name: str) -> tuple[str, ...]:
    """Return the SQL statements that add columns before `day`; inserts are by position."""
    old = ", ".join(column for column, _ in _pairs(_COLUMNS[name]))
    columns = f"{_COLUMNS[name]}, {_ADDED[name]}"
    return (
        f"DROP VIEW spot_{name}",
        f"CREATE TABLE {name}_wide ({columns}, day DATE NOT NULL)",
        f"INSERT INTO {name}_wide ({old}, day) SELECT {old}, day FROM {name}",  # noqa: S608
        f"DROP TABLE {name}",
        f"ALTER TABLE {name}_wide RENAME TO {name}",
        f"CREATE INDEX {name}_day ON {name} (day)",
        create_view(name),
    )


_FLOWS_OF_PAIRS = (
    "UPDATE flow_threat_investigation AS scored SET flows = pairs.flows, "
    "denied_flows = pairs.denied_flows FROM (SELECT day, srcip, dstip, "
    "CAST(sum(flows) AS BIGINT) AS flows, CAST(sum(denied_flows) AS BIGINT) AS denied_flows "
    "FROM flow_threat_investigation GROUP BY day, srcip, dstip) AS pairs "
    "WHERE scored.day = pairs.day AND scored.srcip = pairs.srcip AND scored.dstip = pairs.dstip"
)
"""Version 3 counted the flows of each connection, at one of its rows."""
_VERSIONS = "flowtriage_schema"
_HISTORY = "flow_storyboard_history"
_OF_SPOT = [name for name in TABLES if name not in (_HISTORY, *_FINDINGS)]
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        *map(create_table, _OF_SPOT),
        *(f"CREATE INDEX {name}_day ON {name} (day)" for name in _OF_SPOT),
        *map(create_view, _OF_SPOT),
        "CREATE TABLE flow_run (day DATE PRIMARY KEY, run TEXT NOT NULL, finished TEXT NOT NULL)",
    ),
    (create_table(_HISTORY), f"CREATE INDEX {_HISTORY}_day ON {_HISTORY} (day)"),
    _widen("flow_threat_investigation"),
    (*_widen("flow_scores"), _FLOWS_OF_PAIRS),
    (
        *map(create_table, _FINDINGS),
        *(f"CREATE INDEX {name}_day ON {name} (day)" for name in _FINDINGS),
    ),
)
"""SQL statements that migrate each schema version to the next one."""


def schema_version(query: Callable[..., pa.Table]) -> int:
    """Return the schema version of the database that `query` reads, 0 for an empty one."""
    found = query(
        "SELECT count(*) AS n FROM information_schema.tables "
        "WHERE table_name = $1 AND table_schema = current_schema()",
        (_VERSIONS,),
    )
    if not found["n"][0].as_py():
        return 0
    versions = query(f"SELECT version FROM {_VERSIONS}")["version"].to_pylist()  # noqa: S608
    return max(versions, default=0)


def migrate(
    query: Callable[..., pa.Table],
    execute: Callable[..., None],
    migrations: Sequence[Sequence[str]],
) -> None:
    """Migrate a database to the latest schema version within an open transaction."""
    execute(f"CREATE TABLE IF NOT EXISTS {_VERSIONS} (version INTEGER PRIMARY KEY)")
    for version in range(schema_version(query), len(migrations)):
        execute(f"INSERT INTO {_VERSIONS} (version) VALUES ($1)", (version + 1,))  # noqa: S608
        for statement in migrations[version]:
            execute(statement)

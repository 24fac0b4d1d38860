"""Analyst scores of connections: set and undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.store import TABLES, FlowStore

TABLE = "flow_threat_investigation"
_COLUMNS = pa.schema([field for field in TABLES[TABLE] if field.name != "day"])
CONNECTION = ("srcip", "dstip", "srcport", "dstport")
_KEY = ("tstart", *CONNECTION)
_FLOWS = ("flows", "denied_flows")


def as_scored(suspicious: pa.Table) -> pa.Table:
    """Select the columns of `flow_threat_investigation` from rows of `flow_scores`."""
    columns = suspicious.select(["tstart", "srcip", "dstip", "sport", "dport", *_FLOWS])
    return columns.rename_columns([*_KEY, *_FLOWS])


@dataclass(frozen=True)
class Scored:
    """Connections that were scored together; one may have several rows, of different times.

    Attributes
    ----------
    day
        Day of the connections.
    rows : pyarrow.Table
        New scores, with the columns of `flow_threat_investigation`.
    replaced : pyarrow.Table
        Earlier scores that were replaced.
    """

    day: date
    rows: pa.Table
    replaced: pa.Table

    def __len__(self) -> int:
        """Return the number of distinct connections."""
        return count_connections(self.rows)


def check_risk(risk: int) -> None:
    """Raise `ArgumentError` unless a risk is 1, 2 or 3."""
    if isinstance(risk, bool) or risk not in (1, 2, 3):
        raise ArgumentError(f"invalid score {risk!r}; give 1 (high risk), 2 (medium) or 3 (low)")


def score(store: FlowStore, day: date, connections: pa.Table, risk: int) -> Scored:
    """Score connections, replacing earlier scores.

    `connections` has `tstart`, `srcip`, `dstip`, `srcport` and `dstport`, and if known `flows` and
    `denied_flows`, those of the day from source to destination; `undo` takes the result.
    """
    check_risk(risk)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    count = connections.num_rows
    values = {name: connections[name] for name in connections.column_names}
    values |= {"score": pa.repeat(risk, count), "scored": pa.repeat(now, count)}
    columns = {name: values.get(name, pa.nulls(count)) for name in _COLUMNS.names}
    new = pa.table(columns).cast(_COLUMNS)
    if not new.num_rows:
        return Scored(day, new, new)
    with store.transaction() as transaction:
        transaction.lock(TABLE)
        current = transaction.read(TABLE, day=day).drop_columns(["day"])
        rescored = is_in(current, new)
        kept = current.filter(pc.invert(rescored))
        transaction.replace_day(TABLE, day, pa.concat_tables([kept, new]))
    return Scored(day, new, current.filter(rescored))


def undo(store: FlowStore, scored: Scored) -> int:
    """Undo scores, restore those that they replaced, and return the number of connections.

    Connections that were scored again since then keep the later score.
    """
    with store.transaction() as transaction:
        transaction.lock(TABLE)
        current = transaction.read(TABLE, day=scored.day).drop_columns(["day"])
        at_that_time = pc.is_in(current["scored"], scored.rows["scored"].unique())
        ours = pc.and_(is_in(current, scored.rows), at_that_time)
        restored = scored.replaced.filter(is_in(scored.replaced, current.filter(ours)))
        kept = current.filter(pc.invert(ours))
        transaction.replace_day(TABLE, scored.day, pa.concat_tables([kept, restored]))
    return count_connections(current.filter(ours))


def count_connections(rows: pa.Table) -> int:
    """Return the number of distinct connections: addresses and ports."""
    return len(key(rows, *CONNECTION).unique())


def key(rows: pa.Table, *columns: str) -> pa.ChunkedArray:
    """Return the values of the columns, by default those of a score, as one string per row."""
    values = [pc.fill_null(rows[name].cast(pa.string()), "") for name in columns or _KEY]
    return pc.binary_join_element_wise(*values, "\t")


def is_in(rows: pa.Table, others: pa.Table, *columns: str) -> pa.ChunkedArray:
    """Test which rows have the `key` of one of the others."""
    return pc.is_in(key(rows, *columns), key(others, *columns).combine_chunks())

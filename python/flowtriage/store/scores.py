"""Analyst scores of connections: set and undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.store import TABLES, FlowStore


def as_scored(suspicious: pa.Table) -> pa.Table:
    """Select the columns of `flow_threat_investigation` from rows of `flow_scores`."""
    columns = suspicious.select(["tstart", "srcip", "dstip", "sport", "dport"])
    return columns.rename_columns(["tstart", "srcip", "dstip", "srcport", "dstport"])


TABLE = "flow_threat_investigation"
_COLUMNS = pa.schema([field for field in TABLES[TABLE] if field.name != "day"])
_RISKS = (1, 2, 3)
_KEY = ["tstart", "srcip", "dstip", "srcport", "dstport"]


@dataclass(frozen=True)
class Scored:
    """Connections that were scored together.

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
        """Return the number of connections."""
        return int(self.rows.num_rows)


def check_risk(risk: int) -> None:
    """Check that a risk is valid.

    Raises
    ------
    ArgumentError
        If it is not 1, 2 or 3.
    """
    if isinstance(risk, bool) or risk not in _RISKS:
        raise ArgumentError(f"invalid score {risk!r}; give 1 (high risk), 2 (medium) or 3 (low)")


def score(store: FlowStore, day: date, connections: pa.Table, risk: int) -> Scored:
    """Score connections, replacing earlier scores.

    Parameters
    ----------
    store
        Store of the scores.
    day
        Day of the connections.
    connections
        `tstart`, `srcip`, `dstip`, `srcport` and `dstport` of each.
    risk
        1 high, 2 medium, 3 low.

    Returns
    -------
    Scored
        New and replaced scores, for `undo`.

    Raises
    ------
    ArgumentError
        If the risk is invalid.
    StoreError
        If the store cannot be changed.
    """
    check_risk(risk)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    count = connections.num_rows
    new = connections.select(_KEY)
    new = new.append_column("score", pa.repeat(pa.scalar(risk, pa.int32()), count))
    new = new.append_column("scored", pa.repeat(now, count)).cast(_COLUMNS)
    if not count:
        return Scored(day, new, new)
    with store.transaction() as transaction:
        transaction.lock(TABLE)
        current = transaction.read(TABLE, day=day).drop_columns(["day"])
        rescored = _is_in(current, new)
        kept = current.filter(pc.invert(rescored))
        transaction.replace_day(TABLE, day, pa.concat_tables([kept, new]))
    return Scored(day, new, current.filter(rescored))


def undo(store: FlowStore, scored: Scored) -> int:
    """Undo scores and restore the scores that they replaced.

    Connections that were scored again since then keep the later score.

    Parameters
    ----------
    store
        Store of the scores.
    scored
        Result of `score`.

    Returns
    -------
    int
        Number of undone scores.

    Raises
    ------
    StoreError
        If the store cannot be changed.
    """
    with store.transaction() as transaction:
        transaction.lock(TABLE)
        current = transaction.read(TABLE, day=scored.day).drop_columns(["day"])
        ours = pc.and_(
            _is_in(current, scored.rows),
            pc.is_in(current["scored"], scored.rows["scored"].unique()),
        )
        restored = scored.replaced.filter(_is_in(scored.replaced, current.filter(ours)))
        kept = current.filter(pc.invert(ours))
        transaction.replace_day(TABLE, scored.day, pa.concat_tables([kept, restored]))
    return int(current.num_rows - kept.num_rows)


def key(rows: pa.Table, *columns: str) -> pa.ChunkedArray:
    """Return a key for each connection of a day, as a string.

    Parameters
    ----------
    rows
        The connections.
    *columns
        Columns of the key; by default time, addresses and ports of `flow_threat_investigation`.
    """
    values = [pc.fill_null(rows[name].cast(pa.string()), "") for name in columns or _KEY]
    return pc.binary_join_element_wise(*values, "\t")


def _is_in(rows: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(key(rows), key(others).combine_chunks())

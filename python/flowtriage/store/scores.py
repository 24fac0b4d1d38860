"""Scores that analysts give to connections: giving them, and taking them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.store import TABLES, FlowStore


def as_scored(suspicious: pa.Table) -> pa.Table:
    """Return rows of `flow_scores` with the names that `flow_threat_investigation` has."""
    columns = suspicious.select(["tstart", "srcip", "dstip", "sport", "dport"])
    return columns.rename_columns(["tstart", "srcip", "dstip", "srcport", "dstport"])


TABLE = "flow_threat_investigation"
_COLUMNS = pa.schema([field for field in TABLES[TABLE] if field.name != "day"])
_RISKS = (1, 2, 3)
_ENDS = ["tstart", "srcip", "dstip", "srcport", "dstport"]


@dataclass(frozen=True)
class Scored:
    """Connections that were scored at once.

    Attributes
    ----------
    day
        Their day.
    rows : pyarrow.Table
        What was written, with the columns of `flow_threat_investigation`.
    before : pyarrow.Table
        The earlier scores whose place it took.
    """

    day: date
    rows: pa.Table
    before: pa.Table

    def __len__(self) -> int:
        """Return the number of connections."""
        return int(self.rows.num_rows)


def check_risk(risk: int) -> None:
    """Refuse what is no risk.

    Raises
    ------
    ArgumentError
        If it is none of 1, 2 and 3.
    """
    if isinstance(risk, bool) or risk not in _RISKS:
        raise ArgumentError(f"the score is {risk!r}; 1 is high risk, 2 medium, 3 low")


def score(store: FlowStore, day: date, connections: pa.Table, risk: int) -> Scored:
    """Score connections; a later score takes the place of an earlier one.

    Parameters
    ----------
    store
        Where scores are kept.
    day
        The day.
    connections
        `tstart`, `srcip`, `dstip`, `srcport` and `dstport` of each.
    risk
        1 high, 2 medium, 3 low.

    Returns
    -------
    Scored
        What `undo` takes back.

    Raises
    ------
    ArgumentError
        If the risk is none.
    StoreError
        If the store cannot be changed.
    """
    check_risk(risk)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    count = connections.num_rows
    new = connections.select(_ENDS)
    new = new.append_column("score", pa.repeat(pa.scalar(risk, pa.int32()), count))
    new = new.append_column("scored", pa.repeat(now, count)).cast(_COLUMNS)
    if not count:
        return Scored(day, new, new)
    with store.transaction() as change:
        change.lock(TABLE)
        known = change.read(TABLE, day=day).drop_columns(["day"])
        again = _is_in(known, new)
        kept = known.filter(pc.invert(again))
        change.replace_day(TABLE, day, pa.concat_tables([kept, new]))
    return Scored(day, new, known.filter(again))


def undo(store: FlowStore, scored: Scored) -> int:
    """Take scores back: connections have again those that they had before, or none.

    Connections that somebody scored since keep the later score.

    Parameters
    ----------
    store
        Where scores are kept.
    scored
        What `score` returned.

    Returns
    -------
    int
        Number of connections whose score was taken back.

    Raises
    ------
    StoreError
        If the store cannot be changed.
    """
    with store.transaction() as change:
        change.lock(TABLE)
        known = change.read(TABLE, day=scored.day).drop_columns(["day"])
        ours = pc.and_(
            _is_in(known, scored.rows),
            pc.is_in(known["scored"], scored.rows["scored"].unique()),
        )
        back = scored.before.filter(_is_in(scored.before, known.filter(ours)))
        kept = known.filter(pc.invert(ours))
        change.replace_day(TABLE, scored.day, pa.concat_tables([kept, back]))
    return int(known.num_rows - kept.num_rows)


def key(rows: pa.Table, *columns: str) -> pa.ChunkedArray:
    """Return what tells the connections of a day apart, as one text each.

    Parameters
    ----------
    rows
        The connections.
    *columns
        Their time, addresses and ports; without any, as `flow_threat_investigation` names them.
    """
    texts = [pc.fill_null(rows[name].cast(pa.string()), "") for name in columns or _ENDS]
    return pc.binary_join_element_wise(*texts, "\t")


def _is_in(rows: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(key(rows), key(others).combine_chunks())

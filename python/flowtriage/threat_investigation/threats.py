"""The addresses to look at."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.store import FlowStore

THREATS = pa.schema(
    [
        ("ip", pa.string()),
        ("connections", pa.int64()),
        ("as_source", pa.int64()),
        ("as_destination", pa.int64()),
    ]
)
"""An address, its connections of high risk, and how many of them it is at either end of."""

_HIGH = 1


def threats(store: FlowStore, day: date) -> pa.Table:
    """Return the addresses of connections of high risk.

    Parameters
    ----------
    store
        Where scores are kept.
    day
        The day.

    Returns
    -------
    pyarrow.Table
        Columns of `THREATS`; those with the most connections come first.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    where = {"score": _HIGH}
    scored = store.read("flow_threat_investigation", day=day, where=where)
    to_itself = pc.equal(scored["srcip"], scored["dstip"])
    ends = pa.concat_tables(
        [_end(scored, "srcip", 1, 0), _end(scored.filter(pc.invert(to_itself)), "dstip", 0, 1)]
    )
    ends = ends.filter(pc.is_valid(ends["ip"]))
    counted = ends.group_by("ip").aggregate(
        [([], "count_all"), ("as_source", "sum"), ("as_destination", "sum")]
    )
    counted = counted.select(["ip", "count_all", "as_source_sum", "as_destination_sum"])
    counted = counted.rename_columns(THREATS.names).cast(THREATS)
    return counted.sort_by([("connections", "descending"), ("ip", "ascending")])


def _end(scored: pa.Table, name: str, source: int, dest: int) -> pa.Table:
    columns = [
        scored[name],
        pa.repeat(pa.scalar(source, pa.int64()), scored.num_rows),
        pa.repeat(pa.scalar(dest, pa.int64()), scored.num_rows),
    ]
    return pa.table(columns, names=["ip", "as_source", "as_destination"])

"""Flows of the two tables of Azure Traffic Analytics, without counting any twice."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.marks import FORMAT, mark


def without_migrated(tables: list[pa.Table]) -> list[pa.Table]:
    """Leave out what the old table tells of machines that the new one tells of already.

    A machine has moved to `NTANetAnalytics` in the hour in which its first flow there starts.
    From the beginning of this hour, the rows of `AzureNetworkAnalytics_CL` about it are left out.
    The machine is the source of an outbound flow and the destination of an inbound one.
    """
    moved = [table for table in tables if _is(table, AZURE_NTA.name)]
    if not moved or not any(_is(table, AZURE_NETWORK_ANALYTICS.name) for table in tables):
        return tables
    first = _first_hours(moved)
    return [
        table.filter(_stays(table, first)) if _is(table, AZURE_NETWORK_ANALYTICS.name) else table
        for table in tables
    ]


def _is(table: pa.Table, format: str) -> bool:
    return mark(table, FORMAT) == format


def _machine(table: pa.Table) -> pa.ChunkedArray:
    inbound = pc.fill_null(pc.equal(table["reported_direction"], "inbound"), False)
    return pc.if_else(inbound, table["dst_ip"], table["src_ip"])


def _first_hours(tables: list[pa.Table]) -> pa.Table:
    parts = [
        pa.table({"machine": _machine(table), "start": table["start_time"]}) for table in tables
    ]
    first = pa.concat_tables(parts).group_by("machine").aggregate([("start", "min")])
    hours = pc.floor_temporal(first["start_min"], unit="hour")
    return pa.table({"machine": first["machine"], "hour": hours})


def _stays(table: pa.Table, first: pa.Table) -> pa.ChunkedArray:
    known = pc.index_in(_machine(table), value_set=first["machine"].combine_chunks())
    hours = first["hour"].combine_chunks().take(known.combine_chunks())
    return pc.fill_null(pc.less(table["start_time"], hours), True)

"""Records that tell all of a flow since it began, each a later state of it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import repeated_starts, superseded_records
from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.declaration import COUNTERS, FORMAT, mark

_COMPARED = (
    "start_time",
    "end_time",
    "src_ip",
    "dst_ip",
    "src_port",
    "dst_port",
    "protocol",
    "src_bytes",
    "dst_bytes",
    "flows",
    "denied_flows",
    "host",
)


def without_earlier_states(tables: list[pa.Table]) -> list[pa.Table]:
    """Leave out rows that tell an earlier state of a flow, of which a later row tells more.

    Zeek's logs of connections that are still open tell them so, and so do such a log and
    `conn.log` together. A flow is told from others by its start, to the microsecond, its 5-tuple
    and the machine that saw it; the last state has the latest end and the most bytes.
    """
    of_flow = [mark(table, COUNTERS) == "flow" for table in tables]
    compared = [t.select(_COMPARED) for t, chosen in zip(tables, of_flow, strict=True) if chosen]
    if not compared:
        return tables
    joined = pa.concat_tables([table.replace_schema_metadata(None) for table in compared])
    repeated = repeated_starts(joined.select(["start_time"]).to_reader())["start_time"]
    if not len(repeated):
        return tables
    alike = pc.is_in(joined["start_time"], repeated.combine_chunks())
    found = superseded_records(joined.filter(alike).to_reader())["superseded"]
    if not pc.any(found).as_py():
        return tables
    earlier = pc.replace_with_mask(
        alike.combine_chunks(), alike.combine_chunks(), found.combine_chunks()
    )
    later, kept, place = pc.invert(earlier), [], 0
    for table, chosen in zip(tables, of_flow, strict=True):
        kept.append(table.filter(later.slice(place, len(table))) if chosen else table)
        place += len(table) if chosen else 0
    return kept


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

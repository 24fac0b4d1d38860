"""Superseded records: earlier ones of a flow with cumulative counters, and migrated rows."""

from __future__ import annotations

from itertools import compress

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import FlowHashes, RepeatedFlows
from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.metadata import FORMAT, metadata_value
from flowtriage.read.outcomes import is_cumulative
from flowtriage.schema import RECORD_COLUMNS


def drop_superseded(tables: list[pa.Table]) -> list[pa.Table]:
    """Drop superseded records: a later record of the same flow contains more.

    Zeek's logs of open connections have them, also in combination with `conn.log`. A flow is
    identified by its start in microseconds, its 5-tuple and its exporter; its last record has the
    latest end and the most bytes.
    """
    hashes = FlowHashes()
    compared = [is_cumulative(table) for table in tables]
    for table in compress(tables, compared):
        hashes.add(_records(table))
    repeated = hashes.take_repeated()
    if not len(repeated):
        return tables
    for table in compress(tables, compared):
        repeated.note(_records(table))
    return [
        latest(table, repeated) if chosen else table
        for table, chosen in zip(tables, compared, strict=True)
    ]


def latest(table: pa.Table, repeated: RepeatedFlows) -> pa.Table:
    """Return the flows that no noted record supersedes."""
    superseded = repeated.superseded(_records(table))["superseded"]
    return table.filter(pc.invert(superseded))


def _records(table: pa.Table) -> pa.RecordBatchReader:
    return table.select(RECORD_COLUMNS).to_reader()


class Migration:
    """Machines whose flows moved from `AzureNetworkAnalytics_CL` to `NTANetAnalytics`.

    A machine migrates in the hour in which its first flow in `NTANetAnalytics` starts; its rows in
    the old table are dropped from the start of that hour. The machine is the source of an outbound
    flow and the destination of an inbound one.
    """

    def __init__(self) -> None:
        self._first: pa.Table | None = None
        self._has_old = False

    def __bool__(self) -> bool:
        """Return whether both tables were added."""
        return self._has_old and self._first is not None

    def add(self, table: pa.Table) -> None:
        """Add flows, of any format."""
        self._has_old |= _is(table, AZURE_NETWORK_ANALYTICS.name)
        if _is(table, AZURE_NTA.name):
            starts = pa.table({"machine": _machine(table), "start": table["start_time"]})
            known = [starts] if self._first is None else [self._first, starts]
            first = pa.concat_tables(known).group_by("machine").aggregate([("start", "min")])
            self._first = first.select(["machine", "start_min"]).rename_columns(starts.column_names)

    def without(self, table: pa.Table) -> pa.Table:
        """Return the flows without rows of the old table that the new one covers."""
        if self._first is None or not _is(table, AZURE_NETWORK_ANALYTICS.name):
            return table
        hours = pc.floor_temporal(self._first["start"], unit="hour").combine_chunks()
        known = self._first["machine"].combine_chunks()
        found = pc.index_in(_machine(table), value_set=known).combine_chunks()
        before = pc.less(table["start_time"], hours.take(found))
        return table.filter(pc.fill_null(before, True))


def drop_migrated(tables: list[pa.Table]) -> list[pa.Table]:
    """Drop rows of `AzureNetworkAnalytics_CL` about machines that `NTANetAnalytics` covers."""
    migration = Migration()
    for table in tables:
        migration.add(table)
    return [migration.without(table) for table in tables] if migration else tables


def _is(table: pa.Table, format: str) -> bool:
    return metadata_value(table, FORMAT) == format


def _machine(table: pa.Table) -> pa.ChunkedArray:
    inbound = pc.fill_null(pc.equal(table["reported_direction"], "inbound"), False)
    return pc.if_else(inbound, table["dst_ip"], table["src_ip"])

"""Both tables of Azure Traffic Analytics while machines move from one to the other."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

import flowtriage as ft


def old(machine: str, at: str, way: str = "O", flows: int = 1) -> dict[str, Any]:
    return {
        "FlowStartTime": f"2025-07-01T{at}Z",
        "VMIPAddress": machine,
        "PublicIPs": "192.0.2.1",
        "FlowDirection": way,
        "AllowedInFlows": 0 if way == "O" else flows,
        "AllowedOutFlows": flows if way == "O" else 0,
    }


def new(machine: str, at: str, way: str = "Outbound", flows: int = 1) -> dict[str, Any]:
    ends = {"SrcIp": machine, "DestPublicIps": "192.0.2.1", "DestIp": "", "SrcPublicIps": ""}
    if way == "Inbound":
        ends = {"DestIp": machine, "SrcPublicIps": "192.0.2.1", "SrcIp": "", "DestPublicIps": ""}
    return {
        "FlowStartTime": f"2025-07-01T{at}Z",
        **ends,
        "FlowDirection": way,
        "AllowedInFlows": 0 if way == "Outbound" else flows,
        "AllowedOutFlows": flows if way == "Outbound" else 0,
        "AclRule": "r",
    }


def test_a_machine_is_told_of_by_the_old_table_until_the_hour_in_which_it_moved() -> None:
    before = pa.Table.from_pylist(
        [
            old("10.0.0.4", "09:59:59", flows=1),
            old("10.0.0.4", "10:00:00", flows=10),
            old("10.0.0.4", "11:20:00", way="I", flows=100),
            old("10.0.0.5", "11:20:00", flows=1_000),
        ]
    )
    after = pa.Table.from_pylist(
        [
            new("10.0.0.4", "10:40:00", way="Inbound", flows=10_000),
            new("10.0.0.4", "11:20:00", flows=100_000),
        ]
    )
    for sources in ([before, after], [after, before]):
        flows = ft.read_flows(sources)
        assert sum(flows.to_arrow()["flows"].to_pylist()) == 111_001
        assert (flows.report.rows_migrated, flows.report.rows_read) == (2, 6)
        facts = flows.report.facts()
        assert facts["Superseded by NTANetAnalytics"] == "2 rows dropped"


def test_one_table_alone_is_left_as_it_is() -> None:
    table = pa.Table.from_pylist([old("10.0.0.4", "10:00:00"), old("10.0.0.4", "11:00:00")])
    flows = ft.read_flows([table, table])
    assert (len(flows), flows.report.rows_migrated) == (4, 0)
    assert flows.to_arrow().schema.metadata is None

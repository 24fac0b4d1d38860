"""A small Azure network in the tables that msticpy's queries return, and a stand-in for Sentinel.

Sentinel itself runs on no machine but Microsoft's; its stand-in is a driver of msticpy, which
holds tables and remembers the text of every query.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
from msticpy.data import QueryProvider
from msticpy.data.drivers.driver_base import DriverBase

START, END = "2024-05-01", "2024-05-02"
WEB, DB = "10.0.0.4", "10.0.0.5"
TOTAL = 11
"""Allowed flows of the machine `web`: 5 + 2 out, 1 in, 3 that the machine `db` observed."""
LOCAL_QUERIES = """
metadata:
  version: 1
  description: Hosts
  data_environments: [LocalData]
  data_families: [Network]
  tags: [host]
defaults: {}
sources:
"""


def flows() -> pd.DataFrame:
    """Flows as `list_azure_network_flows_by_ip` returns them."""
    columns = ["VMName", "VMIPAddress", "SrcIP", "DestIP", "AllExtIPs", "FlowDirection"]
    columns += ["L7Protocol", "AllowedOutFlows", "AllowedInFlows", "hour"]
    rows = [
        ("web", WEB, None, None, "8.8.8.8", "O", "https", 5, 0, 1),
        ("web", WEB, None, None, "1.1.1.1", "O", "dns", 2, 0, 2),
        ("web", WEB, "203.0.113.9", WEB, "203.0.113.9", "I", "ssh", 0, 1, 3),
        ("db", DB, WEB, DB, WEB, "I", "ms-sql-s", 0, 3, 4),
        ("db", DB, None, None, "9.9.9.9", "O", "https", 7, 0, 5),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    hours = pd.to_timedelta(frame.pop("hour"), unit="h")
    frame["FlowStartTime"] = pd.Timestamp(START, tz="UTC") + hours
    frame["FlowEndTime"] = frame["FlowStartTime"] + pd.Timedelta(minutes=5)
    frame["TimeGenerated"] = frame["FlowEndTime"]
    frame["PublicIPs"] = [[a] for a in frame["AllExtIPs"]]
    return frame.assign(L4Protocol="T", DestPort=443.0, DeniedInFlows=0, DeniedOutFlows=0)


def new_flows() -> pd.DataFrame:
    """Flows of the machine `web` as the query of NTANetAnalytics returns them, from 02:20 on.

    The first row stands for two public addresses, each with its own counters.
    """
    columns = ["SrcIp", "DestIp", "SrcPublicIps", "DestPublicIps", "SrcVm", "DestVm"]
    columns += ["FlowDirection", "L7Protocol", "AllowedOutFlows", "AllowedInFlows", "minute"]
    peers = "1.1.1.1|20|20|9|9|900|90 9.9.9.9|30|30|9|9|900|90"
    rows = [
        (WEB, "", "", peers, "web", "", "Outbound", "dns", 50, 0, 140),
        (WEB, DB, "", "", "web", "db", "Outbound", "ms-sql-s", 300, 0, 200),
        (WEB, DB, "", "", "web", "db", "Inbound", "ms-sql-s", 0, 300, 200),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    minutes = pd.to_timedelta(frame.pop("minute"), unit="min")
    frame["FlowStartTime"] = pd.Timestamp(START, tz="UTC") + minutes
    frame["FlowEndTime"] = frame["FlowStartTime"] + pd.Timedelta(minutes=5)
    return frame.assign(
        SubType="FlowLog",
        L4Protocol="T",
        DestPort=443,
        FlowStatus="Allowed",
        AclRule="web",
        DeniedInFlows=0,
        DeniedOutFlows=0,
        BytesSrcToDest=900,
        BytesDestToSrc=90,
    )


def heartbeat(computer: str = "web.corp.example") -> pd.DataFrame:
    """The latest heartbeat of a machine."""
    facts = {
        "TimeGenerated": pd.Timestamp(END, tz="UTC"),
        "Computer": computer,
        "ComputerIP": "51.144.0.7",
        "ComputerPrivateIPs": [[WEB]],
        "SourceComputerId": "5c3a",
        "OSType": "Linux",
        "OSName": "Ubuntu",
        "OSMajorVersion": "22",
        "OSMinorVersion": "04",
        "ComputerEnvironment": "Azure",
        "VMUUID": "77aa",
        "Solutions": "security, changeTracking",
        "SubscriptionId": "0000",
        "ResourceProvider": "Microsoft.Compute",
        "ResourceType": "virtualMachines",
        "ResourceGroup": "rg",
        "ResourceId": "/subscriptions/0000/web",
        "RemoteIPCountry": "Netherlands",
        "RemoteIPLongitude": 4.9,
        "RemoteIPLatitude": 52.4,
    }
    return pd.DataFrame(
        {name: value if isinstance(value, list) else [value] for name, value in facts.items()}
    )


def interface(machine: str = "rg/web") -> pd.DataFrame:
    """The latest state of a machine's network interface."""
    return pd.DataFrame(
        {
            "TimeGenerated": [pd.Timestamp(END, tz="UTC")],
            "VirtualMachine_s": [machine],
            "PrivateIPAddresses": [f"{WEB} 10.0.0.44"],
            "PublicIPAddresses": ["20.1.2.3"],
        }
    )


def local_data(folder: Path, **tables: pd.DataFrame) -> dict[str, Any]:
    """Write tables as msticpy's LocalData reads them; return the parameters of the provider.

    `flows` answers the queries of flows; any other name is that of a query that it answers.
    """
    queries = LOCAL_QUERIES
    for name, table in tables.items():
        file = "az_net_comms_df.pkl" if name == "flows" else f"{name}.pkl"
        (folder / file).write_bytes(pickle.dumps(table))
        if name != "flows":
            queries += f"  {name}: {{description: {name}, args: {{query: {file}}}}}\n"
    parameters: dict[str, Any] = {"data_paths": [str(folder)]}
    if set(tables) - {"flows"}:
        (folder / "queries").mkdir()
        (folder / "queries" / "hosts.yaml").write_text(queries, encoding="utf-8")
        parameters["query_paths"] = [str(folder / "queries")]
    return parameters


class Sentinel(DriverBase):
    """Tables of Sentinel, and the text of every query that was asked of them."""

    def __init__(self, tables: dict[str, pd.DataFrame], connected: bool = True) -> None:
        super().__init__(data_environment="MSSentinel")
        self.tables = tables
        self.asked: list[str] = []
        self._loaded = True
        self._connected = connected

    def connect(self, connection_str: str | None = None, **kwargs: Any) -> None:
        self._connected = True

    @property
    def schema(self) -> dict[str, Any]:
        return {name: {} for name in self.tables}

    def query(self, query: str, query_source: Any = None, **kwargs: Any) -> Any:
        self.asked.append(query)
        table = query.split("|", 1)[0].strip()
        return self.tables[table]

    def query_with_results(self, query: str, **kwargs: Any) -> tuple[Any, str]:
        return self.query(query), "OK"

    def provider(self) -> QueryProvider:
        return QueryProvider("MSSentinel", driver=self)


def msticnb_providers(msticnb: Any, folder: Path, frame: pd.DataFrame) -> Any:
    """Return providers of msticnb that answer with these flows."""
    local_data(folder, flows=frame)
    return msticnb.DataProviders("LocalData", ["tilookup"], LocalData_data_paths=[str(folder)])

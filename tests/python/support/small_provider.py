"""A query provider without msticpy: tables, functions or exceptions as the answers to queries."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

OLD, NEW = "AzureNetworkAnalytics_CL", "NTANetAnalytics"
_FLOWS = {OLD: "list_azure_network_flows", NEW: "list_nta_network_flows"}
_START = "2024-05-01"


class SmallProvider:
    """Answers queries of flows by table, and other queries by name; remembers the parameters."""

    environment = "Small"
    connected = True

    def __init__(self, tables: dict[str, Any], **others: Any) -> None:
        self.schema_tables = list(tables)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        answers = {
            f"{_FLOWS[table]}_{by}": answer
            for table, answer in tables.items()
            for by in ("by_ip", "by_host")
        } | others
        self.Network = SimpleNamespace(
            **{name: self._query(name, answer) for name, answer in answers.items()}
        )

    def list_queries(self, substring: str | None = None) -> list[str]:
        names = [f"Network.{name}" for name in vars(self.Network)]
        return [name for name in names if not substring or substring in name]

    def import_query_file(self, query_file: str) -> None:
        raise AssertionError(query_file)

    def _query(self, name: str, answer: Any) -> Any:
        def query(**parameters: Any) -> Any:
            self.asked.append((name, parameters))
            found = answer(**parameters) if callable(answer) else answer
            if isinstance(found, Exception):
                raise found
            return found.copy() if isinstance(found, pd.DataFrame) else found

        return query


def record(
    machine: str | None,
    at: str,
    source: str,
    dest: str,
    *,
    hour: float = 1,
    minutes: float = 10,
    flows: int = 1,
    denied: int = 0,
    peer_name: str = "AllExtIPs",
) -> dict[str, Any]:
    """A row of `AzureNetworkAnalytics_CL` that the machine with the address `at` logged."""
    inbound = at == dest
    start = pd.Timestamp(_START, tz="UTC") + pd.Timedelta(hours=hour)
    peer = source if inbound else dest
    return {
        "TimeGenerated": start,
        "FlowStartTime": start,
        "FlowEndTime": start + pd.Timedelta(minutes=minutes),
        "FlowType": "IntraVNet",
        "ResourceGroup": "rg",
        "VMName": machine,
        "VMIPAddress": at,
        "PublicIPs": [],
        "SrcIP": source,
        "DestIP": dest,
        "L4Protocol": "T",
        "L7Protocol": "https",
        "DestPort": 443.0,
        "FlowDirection": "I" if inbound else "O",
        "AllowedOutFlows": 0 if inbound else flows,
        "AllowedInFlows": flows if inbound else 0,
        "DeniedInFlows": denied if inbound else 0,
        "DeniedOutFlows": 0 if inbound else denied,
        "RemoteRegion": "westeurope",
        "VMRegion": "eastus",
        peer_name: peer,
    }


def new_record(machine: str, at: str, source: str, dest: str, **kwargs: Any) -> dict[str, Any]:
    """A row of `NTANetAnalytics` that the machine with the address `at` logged."""
    row = record(machine, at, source, dest, **kwargs)
    inbound = at == dest
    same = ("FlowStartTime", "FlowEndTime", "FlowType", "L4Protocol", "L7Protocol", "DestPort")
    counts = ("AllowedOutFlows", "AllowedInFlows", "DeniedInFlows", "DeniedOutFlows")
    return {name: row[name] for name in (*same, *counts)} | {
        "SubType": "FlowLog",
        "SrcIp": source,
        "DestIp": dest,
        "SrcPublicIps": "",
        "DestPublicIps": "",
        "SrcVm": "" if inbound else machine,
        "DestVm": machine if inbound else "",
        "FlowDirection": "Inbound" if inbound else "Outbound",
        "FlowStatus": "Allowed",
        "AclRule": "rule",
        "BytesSrcToDest": 900,
        "BytesDestToSrc": 90,
    }

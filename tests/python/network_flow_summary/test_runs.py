"""Whole runs on data of every kind, from a frame and from a provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import flowtriage as ft
from flowtriage.render.assets import asset

pytest.importorskip("msticpy")

import azure_network
from azure_network import END, START

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
ALL = ["+geo_map"]


def frame(host: str, peers: list[Any]) -> pd.DataFrame:
    """One flow of a host to each peer, as msticpy's queries return them."""
    count = len(peers)
    return pd.DataFrame(
        {
            "FlowStartTime": pd.date_range(START, periods=count, freq="min", tz="UTC"),
            "VMName": ["ws"] * count,
            "VMIPAddress": [host] * count,
            "AllExtIPs": pd.Series(peers, dtype=object),
            "FlowDirection": ["O"] * count,
            "L7Protocol": ["https"] * count,
            "AllowedOutFlows": [2] * count,
            "AllowedInFlows": [0] * count,
        }
    )


SESSIONS = {
    "mixed": ("10.0.0.1", ["8.8.8.8", "10.0.0.9", "2606:4700::1", "169.254.1.1"]),
    "private": ("10.0.0.1", ["10.0.0.9", "192.168.3.4"]),
    "public": ("20.1.2.3", ["8.8.8.8", "1.1.1.1", "9.9.9.9"]),
    "ipv6": ("fd00::1", ["2606:4700::1", "fd00::9"]),
    "one row": ("10.0.0.1", ["8.8.8.8"]),
    "no rows": ("10.0.0.1", []),
}


@pytest.fixture(params=["data", "provider"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A run on a frame, given as data or answered by msticpy's LocalData."""
    nb = ft.NetworkFlowSummary(silent=True)

    def on(host: str, flows: pd.DataFrame) -> ft.NetworkFlowResult:
        if request.param == "data":
            return nb.run(host, data=flows, options=ALL)
        parameters = azure_network.local_data(tmp_path, flows=flows)
        ft.init(
            "LocalData",
            providers=["-tilookup", "-geolitelookup"],
            LocalData_data_paths=parameters["data_paths"],
        )
        return nb.run(host, start=START, end=END, options=ALL)

    return on


def total(table: pd.DataFrame | None) -> int:
    assert table is not None
    return int(table["TotalAllowedFlows"].sum())


@pytest.mark.parametrize("session", SESSIONS)
def test_every_session_runs_and_loses_no_flow(run: Any, session: str) -> None:
    host, peers = SESSIONS[session]
    found = run(host, frame(host, peers))
    assert total(found.flow_index) == total(found.flow_summary) == 2 * len(peers)
    assert set(found.flow_index["dest"]) == set(peers)
    assert found.flow_summary["DestASN"].notna().all()
    for name in ("plot_flows_by_protocol", "plot_flows_by_direction", "plot_flow_values"):
        assert getattr(found, name) is not None
    assert found.geo_map is not None
    assert found.host_entity.HostName == ("ws" if peers else None)


@pytest.mark.parametrize("absent", [None, np.nan, "", "NaN", pd.NA], ids=repr)
def test_absent_addresses_are_neither_addresses_nor_lost(run: Any, absent: Any) -> None:
    flows = frame("10.0.0.1", ["8.8.8.8", absent, "1.1.1.1"])
    found = run("10.0.0.1", flows)
    assert found.report.rows_read == 3
    seen = found.report.rows_bad + len(found.network_flows)
    assert seen == 3
    assert {"8.8.8.8", "1.1.1.1"} <= set(found.flow_index["dest"])
    assert not {"nan", "NaN", "", "None", "<NA>"} & set(found.flow_index["dest"].dropna())
    assert total(found.flow_index) == 2 * len(found.network_flows)


def test_damaged_addresses_are_counted_and_named(run: Any) -> None:
    found = run("10.0.0.1", frame("10.0.0.1", ["8.8.8.8", "<script>", "1.2.3"]))
    assert found.report.rows_bad == 2
    assert set(found.flow_index["dest"]) == {"8.8.8.8"}
    own = f"<script>{asset('tables.js')}</script>"
    assert "<script>" not in found._repr_html_().replace(own, "")


@pytest.mark.slow
def test_a_million_rows() -> None:
    count = 1_000_000
    numbers = np.arange(count)
    peers = pd.Series(numbers % 5000).map(lambda n: f"8.{n >> 8}.{n & 255}.1")
    flows = frame("10.0.0.1", list(peers))
    flows["FlowStartTime"] = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(numbers % 86400, "s")
    found = ft.NetworkFlowSummary(silent=True).run("10.0.0.1", data=flows, options=ALL)
    assert total(found.flow_index) == total(found.flow_summary) == 2 * count
    assert found.flow_index is not None
    assert len(found.flow_index) == 5000

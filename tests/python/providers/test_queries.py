"""What query providers are asked for, and what becomes of the answers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import flowtriage as ft
from flowtriage.errors import AmbiguousHostError, ArgumentError, MsticnbDataProviderError

pytest.importorskip("msticpy")

import azure_network
from azure_network import DB, END, START, TOTAL, WEB, Sentinel

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
SPAN = {"start": START, "end": END}
OLD, NEW, HEARTBEAT = "AzureNetworkAnalytics_CL", "NTANetAnalytics", "Heartbeat"


def run_local(folder: Path, value: Any, tables: dict[str, pd.DataFrame], **kwargs: Any) -> Any:
    parameters = azure_network.local_data(folder, **tables)
    named = {f"LocalData_{name}": given for name, given in parameters.items()}
    ft.init("LocalData", providers=["-tilookup", "-geolitelookup"], **named)
    return ft.NetworkFlowSummary(silent=True).run(value, **{**SPAN, **kwargs})


def run_sentinel(
    tables: dict[str, pd.DataFrame], value: Any, **kwargs: Any
) -> tuple[Any, list[str]]:
    driver = Sentinel(tables)
    providers = ft.DataProviders(driver.provider(), ["-tilookup", "-geolitelookup"])
    found = ft.NetworkFlowSummary(providers, silent=True).run(value, **{**SPAN, **kwargs})
    return found, driver.asked


def total(found: Any) -> int:
    return int(found.flow_index["TotalAllowedFlows"].sum())


@pytest.mark.parametrize("value", [WEB, "web", "WEB"])
def test_local_data_by_address_and_by_name(tmp_path: Path, value: str) -> None:
    found = run_local(tmp_path, value, {"flows": azure_network.flows()})
    assert total(found) == TOTAL
    assert len(found.network_flows) == 4
    assert found.host_entity.HostName == "web"
    assert found.host_entity.IpAddress.Address == WEB
    assert str(found.timespan.start) == "2024-05-01 00:00:00+00:00"


def test_local_data_without_resolving(tmp_path: Path) -> None:
    found = run_local(tmp_path, "web", {"flows": azure_network.flows()}, options=["flow_summary"])
    assert total(found) == TOTAL - 3


def test_the_timespan_limits_what_a_provider_returns(tmp_path: Path) -> None:
    found = run_local(tmp_path, WEB, {"flows": azure_network.flows()}, end="2024-05-01T02:30")
    assert total(found) == 7


def test_no_rows(tmp_path: Path) -> None:
    found = run_local(tmp_path, WEB, {"flows": azure_network.flows().head(0)})
    assert found.network_flows.empty
    assert found.flow_summary.empty


def test_host_from_heartbeat_and_topology(tmp_path: Path) -> None:
    tables = {
        "flows": azure_network.flows(),
        "get_heartbeat_for_host": azure_network.heartbeat(),
        "get_ips_for_host": azure_network.interface(),
    }
    host = run_local(tmp_path, "web", tables).host_entity
    assert (host.HostName, host.DnsDomain) == ("web", "corp.example")
    assert host.OSFamily.name == "Linux"
    assert (host.OSName, host.OSVMajorVersion, host.OSVMinorVersion) == ("Ubuntu", "22", "04")
    assert (host.SourceComputerId, host.AgentId, host.VMUUID) == ("5c3a", "5c3a", "77aa")
    assert host.Environment == "Azure"
    assert host.AzureDetails["ResourceGroup"] == "rg"
    assert host.OmsSolutions == ["security", "changeTracking"]
    assert [a.Address for a in host.PrivateIpAddresses] == [WEB, "10.0.0.44"]
    assert [a.Address for a in host.PublicIpAddresses] == ["20.1.2.3", "51.144.0.7"]
    assert host.IpAddress.Address == WEB
    assert len(host.IpAddresses) == 4
    by_address = {a.Address: a for a in host.IpAddresses}
    assert by_address["51.144.0.7"].Location.CountryName == "Netherlands"


def test_interfaces_of_other_machines_are_left_out(tmp_path: Path) -> None:
    interfaces = pd.concat([azure_network.interface("rg/web-2"), azure_network.interface()])
    interfaces["PublicIPAddresses"] = ["20.9.9.9", "20.1.2.3"]
    tables = {"flows": azure_network.flows(), "get_ips_for_host": interfaces}
    host = run_local(tmp_path, "web", tables).host_entity
    assert [a.Address for a in host.PublicIpAddresses] == ["20.1.2.3"]
    assert host.OSFamily is None


def test_host_from_the_new_topology_table() -> None:
    interface = azure_network.interface().rename(columns={"VirtualMachine_s": "Computer"})
    tables = {NEW: azure_network.flows(), "NTATopologyDetails": interface.assign(Computer="web")}
    for value in ("web", WEB):
        found, asked = run_sentinel(tables, value)
        (query,) = [text for text in asked if "NTATopologyDetails" in text]
        assert ('endswith "/web"' if value == "web" else f'has "{WEB}"') in query
        assert found.host_entity.HostName == "web"
        public = [address.Address for address in found.host_entity.PublicIpAddresses]
        assert public == ["20.1.2.3"]
        assert total(found) == TOTAL


def test_host_by_address_from_heartbeat(tmp_path: Path) -> None:
    tables = {
        "flows": azure_network.flows(),
        "get_heartbeat_for_ip": azure_network.heartbeat(),
        "get_host_for_ip": azure_network.interface(),
    }
    found = run_local(tmp_path, WEB, tables)
    assert found.host_entity.fqdn == "web.corp.example"
    assert total(found) == TOTAL


def test_a_given_host_is_not_changed(tmp_path: Path) -> None:
    from msticpy.datamodel.entities import Host, IpAddress

    public = [IpAddress(Address="198.51.100.9")]
    given = Host(HostName="web", IpAddress=IpAddress(Address=WEB), DeviceId="d1")
    given.PublicIpAddresses = public
    before = repr(given.properties)
    edges = (len(given.edges), len(given.IpAddress.edges))
    tables = {"flows": azure_network.flows(), "get_heartbeat_for_host": azure_network.heartbeat()}
    found = run_local(tmp_path, given, tables)
    assert repr(given.properties) == before
    assert given.PublicIpAddresses is public
    assert [address.Address for address in public] == ["198.51.100.9"]
    assert (len(given.edges), len(given.IpAddress.edges)) == edges
    assert found.host_entity is not given
    assert (found.host_entity.HostName, found.host_entity.DeviceId) == ("web", "d1")
    assert found.host_entity.OSName == "Ubuntu"


def test_a_failing_query_of_the_host_is_told(tmp_path: Path) -> None:
    tables = {"flows": azure_network.flows(), "get_heartbeat_for_host": azure_network.heartbeat()}
    parameters = azure_network.local_data(tmp_path, **tables)
    (tmp_path / "get_heartbeat_for_host.pkl").unlink()
    named = {f"LocalData_{name}": given for name, given in parameters.items()}
    ft.init("LocalData", providers=["-tilookup", "-geolitelookup"], **named)
    found = ft.NetworkFlowSummary(silent=True).run("web", **SPAN)
    assert total(found) == TOTAL
    assert any("query of Heartbeat failed" in str(c) for c in found.sections[0].contents)


def test_ambiguous_names_are_reported_with_candidates() -> None:
    beats = pd.concat([azure_network.heartbeat(f"web.{d}.example") for d in ("lab", "corp")])
    tables = {OLD: azure_network.flows(), HEARTBEAT: beats}
    with pytest.raises(AmbiguousHostError, match=r"web\.corp\.example, web\.lab\.example") as told:
        run_sentinel(tables, "web")
    assert told.value.candidates == ("web.corp.example", "web.lab.example")
    restored = pickle.loads(pickle.dumps(told.value))
    assert (str(restored), restored.candidates) == (str(told.value), told.value.candidates)
    found, asked = run_sentinel(tables, "web.lab.example")
    assert len([text for text in asked if text.strip().startswith(HEARTBEAT)]) == 1
    assert found.host_entity.fqdn == "web.lab.example"
    frame = azure_network.flows()
    frame["VMName"] = ["web.lab", "web.corp", "web.corp", "db", "db"]
    with pytest.raises(AmbiguousHostError, match="may be web.corp, web.lab"):
        ft.NetworkFlowSummary(silent=True).run("web", data=frame)


def test_an_address_of_several_names_is_reported() -> None:
    frame = azure_network.flows()
    frame["VMName"] = ["web", "old-web", "web", "db", "db"]
    found = ft.NetworkFlowSummary(silent=True).run(WEB, data=frame)
    assert found.host_entity.HostName is None
    assert "several host names: old-web, web" in str(found.sections[0].contents)


def test_sentinel_is_asked_with_the_parameters_of_its_queries() -> None:
    found, asked = run_sentinel({OLD: azure_network.flows()}, WEB)
    assert total(found) == TOTAL
    (query,) = [text for text in asked if "FlowLog" in text]
    assert f"SrcIP_s in ('{WEB}')" in query or f'SrcIP_s in ("{WEB}")' in query
    assert "datetime(2024-05-01T00:00:00" in query
    assert not any(NEW in text or HEARTBEAT in text for text in asked)


def test_new_tables_are_asked_where_they_are() -> None:
    found, asked = run_sentinel({NEW: azure_network.flows()}, "web")
    assert total(found) == TOTAL
    assert [text.split("|")[0].strip() for text in asked] == [NEW, NEW]
    assert 'has "web"' in asked[0]
    assert f"'{WEB}'" in asked[1] or f'"{WEB}"' in asked[1]


def test_both_tables_are_asked_where_both_are() -> None:
    old, new = azure_network.flows().iloc[:2], azure_network.flows().iloc[2:]
    found, asked = run_sentinel({OLD: old, NEW: new}, WEB)
    assert total(found) == TOTAL
    assert len([text for text in asked if "FlowLog" in text]) == 2


@pytest.mark.parametrize("value", [WEB, "web"])
def test_what_both_tables_tell_is_counted_once(value: str) -> None:
    found, asked = run_sentinel({OLD: azure_network.flows(), NEW: azure_network.new_flows()}, value)
    assert {text.split("|")[0].strip() for text in asked} >= {OLD, NEW}
    index = found.flow_index
    totals = dict(zip(index["dest"], index["TotalAllowedFlows"], strict=True))
    # From 02:00 on only the new table tells of web; of db, which moved at 03:00, likewise.
    assert totals["8.8.8.8"] == 5
    assert totals["1.1.1.1"] == 20
    assert totals["9.9.9.9"] == 30
    assert "203.0.113.9" not in set(index["source"])
    assert found.report.rows_duplicate == 1
    assert set(found.network_flows["host"]) == {"web"}
    assert found.host_entity.HostName == "web"
    tables = {OLD: azure_network.flows(), NEW: azure_network.new_flows()}
    both, _ = run_sentinel(tables, value, deduplicate=False)
    assert both.network_flows.set_index("host")["flows"]["db"] == 300
    assert both.report.rows_duplicate == 0


@pytest.mark.parametrize("name", ['web" or 1==1 //', "web'", "web\\", "web\n| take 9", "we b", ""])
def test_hostile_names_never_meet_a_query(name: str) -> None:
    driver = Sentinel({OLD: azure_network.flows(), HEARTBEAT: azure_network.heartbeat()})
    nb = ft.NetworkFlowSummary(ft.DataProviders(driver.provider(), ["-tilookup", "-geolitelookup"]))
    with pytest.raises((ArgumentError, ValueError), match="invalid host name|value is missing"):
        nb.run(name, **SPAN)
    with pytest.raises((ArgumentError, ValueError), match="invalid host name|value is missing"):
        nb.run(name, options=["flow_summary"], **SPAN)
    assert driver.asked == []


def test_providers_without_flows_or_connection_say_so(tmp_path: Path) -> None:
    with pytest.raises(MsticnbDataProviderError, match="MSSentinel has no network flows"):
        run_sentinel({HEARTBEAT: azure_network.heartbeat()}, WEB)
    driver = Sentinel({OLD: azure_network.flows()}, connected=False)
    providers = ft.DataProviders(driver.provider(), ["-tilookup", "-geolitelookup"])
    with pytest.raises(MsticnbDataProviderError, match="not connected"):
        ft.NetworkFlowSummary(providers, silent=True).run(WEB, options=[], **SPAN)
    with pytest.raises(MsticnbDataProviderError, match="failed: quota exceeded"):
        run_sentinel({OLD: "quota exceeded"}, WEB, options=[])


def test_data_asks_no_provider() -> None:
    driver = Sentinel({OLD: azure_network.flows(), HEARTBEAT: azure_network.heartbeat()})
    providers = ft.DataProviders(driver.provider(), ["-tilookup", "-geolitelookup"])
    found = ft.NetworkFlowSummary(providers, silent=True).run(DB, data=azure_network.flows())
    assert found.host_entity.HostName == "db"
    assert driver.asked == []


def test_reverse_dns_is_asked_only_on_request() -> None:
    frame = azure_network.flows().replace({WEB: "127.0.0.1"}).assign(VMName=None)
    run = ft.NetworkFlowSummary(silent=True).run
    assert run("127.0.0.1", data=frame, options=[]).host_entity.HostName is None
    named = run("127.0.0.1", data=frame, options=[], reverse_dns=True).host_entity
    assert named.HostName == "localhost"

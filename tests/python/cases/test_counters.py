"""Counters: what a source counts, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from flow_records import CLIENT, SERVER, record, table
from small_logs import argus, canonical, nfdump, ocsf, zeek

LIMIT = 2**63 - 1


def values(flows: ft.Flows, name: str) -> list[Any]:
    column: list[Any] = flows.to_arrow()[name].to_pylist()
    return column


def test_responses_without_packets_of_the_initiator_are_reported(cases: Path) -> None:
    flows = ft.read_flows(cases / "03-zeek-one-side-not-counted" / "conn.log")
    assert sum(values(flows, "dst_bytes")) == 44_452
    quality = flows.report.quality
    assert quality is not None
    assert quality.uncounted_initiators == 4
    fact = flows.report.facts()["Initiator not counted"]
    assert "4 of 5" in fact
    assert "upload" in fact.lower()


def test_a_refused_connection_and_a_scan_miss_no_packets(tmp_path: Path) -> None:
    scan = {"conn_state": "S0", "history": "S", "resp_pkts": 0, "resp_ip_bytes": 0}
    broadcast = {"proto": "udp", "orig_pkts": 0, "orig_ip_bytes": 0, "conn_state": "SHR"}
    flows = ft.read_flows(zeek(tmp_path / "conn.log", {}, scan, broadcast))
    quality = flows.report.quality
    assert quality is not None
    assert quality.uncounted_initiators == 0


def test_the_packets_of_an_initiator_are_missing_in_any_format(tmp_path: Path) -> None:
    counters = {"src_packets": [0] * 3, "dst_packets": [3, 4, 0], "dst_bytes": [300, 400, 0]}
    table = canonical(3, **counters, src_bytes=[0] * 3, protocol=["tcp", "udp", "tcp"])
    traffic = {"packets_out": 0, "bytes_out": 0, "packets_in": 5, "bytes_in": 500}
    for source in (table, ocsf(tmp_path / "ocsf.json", {"traffic": traffic})):
        quality = ft.read_flows(source).report.quality
        assert quality is not None
        assert quality.uncounted_initiators == 1


def test_alternatives_of_ocsf_are_chosen_per_row(cases: Path) -> None:
    flows = ft.read_flows(cases / "16-ocsf-security-lake" / "ocsf.json")
    assert sum(values(flows, "denied_flows")) == 2
    assert sum(values(flows, "flows")) == 1
    assert values(flows, "src_bytes") == [40, 40, 38_526]
    assert values(flows, "src_packets") == [1, 1, 8]
    assert flows.to_arrow()["start_time"].null_count == 0
    assert {str(start) for start in values(flows, "start_time")} == {"2026-03-02 00:00:00+00:00"}


def test_alternatives_are_chosen_per_row_in_the_other_order(tmp_path: Path) -> None:
    rows = [
        {"traffic": {"bytes_out": 7, "bytes_in": 9}, "end_time_dt": "2026-03-02T00:00:01Z"},
        {"traffic": {"bytes": 30}, "end_time": 1772409602000},
    ]
    flows = ft.read_flows(ocsf(tmp_path / "ocsf.json", *rows))
    assert values(flows, "src_bytes") == [7, 30]
    assert values(flows, "dst_bytes") == [9, None]
    assert flows.to_arrow()["end_time"].null_count == 0


def test_a_log_that_contradicts_its_own_totals_is_reported(cases: Path) -> None:
    flows = ft.read_flows(cases / "08-nfdump-records-not-separated" / "nfdump170.csv")
    report = flows.report
    assert report.rows_bad == 1
    assert report.bad_rows[0].number == 2
    totals = {total.name: (total.stated, total.read) for total in report.totals}
    assert totals["flows"] == (2, len(flows))
    assert totals["bytes"] == (95_000, sum(values(flows, "src_bytes")))
    assert "but" in report.facts()["Trailer total: bytes"]


def test_a_bad_row_above_a_trailer_leaves_the_stated_total(tmp_path: Path) -> None:
    log = nfdump(tmp_path / "nf.csv", {}, {"ibyt": "many"}, trailer="2,12000,20,0,0,0")
    report = ft.read_flows(log).report
    assert report.rows_bad == 1
    totals = {total.name: (total.stated, total.read) for total in report.totals}
    assert (totals["flows"], totals["bytes"]) == ((2, 1), (12_000, 5_000))


@pytest.mark.parametrize("without", [("SrcBytes",), ("SrcBytes", "State", "TotPkts")])
def test_totals_without_sides_are_read_and_reported(
    tmp_path: Path, without: tuple[str, ...]
) -> None:
    flows = ft.read_flows(argus(tmp_path / "argus.csv", {}, {"TotBytes": "88"}, without=without))
    assert values(flows, "src_bytes") == [612, 88]
    assert values(flows, "dst_bytes") == [None, None]
    assert flows.report.rows_without_sides == 2
    assert "Counters without sides" in flows.report.facts()


def test_stitching_keeps_the_bytes_of_a_response_without_a_column_for_them() -> None:
    flows = table(record(CLIENT, SERVER, 0, 900), record(SERVER, CLIENT, 0.5, 70))
    for name in ("dst_bytes", "dst_packets"):
        flows = flows.drop_columns([name])
    (row,) = ft.stitch(flows).to_pylist()
    assert (row["src_bytes"], row["dst_bytes"]) == (900, 70)
    assert (row["src_packets"], row["dst_packets"]) == (1, 1)


def test_stitching_keeps_every_response_without_columns_for_their_counters() -> None:
    ways = [(CLIENT, SERVER), (SERVER, CLIENT)] * 2
    sizes = zip(ways, (0, 0.5, 1, 1.5), (900, 70, 30, 7), strict=True)
    flows = table(*(record(*ends, at, size) for ends, at, size in sizes))
    found = ft.stitch(flows.drop_columns(["dst_bytes", "dst_packets", "src_packets"])).to_pylist()
    assert [(row["src_bytes"], row["dst_bytes"]) for row in found] == [(900, 70), (30, 7)]


def overflowing(rows: int) -> pa.Table:
    """Flows of which one source, in two rows, sends more than fits into 64 bits."""
    addresses = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(1, rows)]
    return canonical(
        rows + 1,
        src_ip=["10.200.0.1", *addresses, "10.200.0.1"],
        src_bytes=[LIMIT, *([1000] * (rows - 1)), LIMIT],
        dst_bytes=[0] * (rows + 1),
    )


def searched(flows: pa.Table) -> pa.Table:
    return ft.expanded_search(flows, "10.200.0.1")


VIEWS: dict[str, Callable[[pa.Table], object]] = {
    "top_n": lambda flows: ft.top_n(flows, key="src_ip", by="src_bytes", n=1),
    "top_n of both": lambda flows: ft.top_n(flows, key="src_ip", by="bytes", n=1),
    "flow_index": ft.flow_index,
    "flow_summary": ft.flow_summary,
    "timeline": lambda flows: ft.timeline(flows, by="protocol"),
    "expanded_search": searched,
    "stitch": lambda flows: ft.stitch(flows.set_column(1, "src_ip", [["10.200.0.1"] * len(flows)])),
}


@pytest.mark.parametrize("rows", [1, 40_000])
@pytest.mark.parametrize("view", [name for name in VIEWS if name not in ("stitch", "timeline")])
def test_a_sum_beyond_64_bits_is_an_error_however_many_groups(view: str, rows: int) -> None:
    with pytest.raises(ft.InputError, match="64-bit"):
        VIEWS[view](overflowing(rows))


def test_a_mean_of_values_whose_sum_overflows_is_an_error_too() -> None:
    flows = canonical(
        2,
        src_bytes=pa.array([LIMIT, None], pa.int64()),
        dst_bytes=pa.array([None, LIMIT], pa.int64()),
    )
    with pytest.raises(ft.InputError, match="64-bit"):
        ft.expanded_search(flows, "10.20.0.5")


def test_a_maximum_of_both_sides_that_overflows_is_an_error() -> None:
    flows = canonical(src_bytes=[LIMIT], dst_bytes=[LIMIT])
    with pytest.raises(ft.InputError, match="64-bit"):
        ft.expanded_search(flows, "10.20.0.5")


FRACTIONS = {
    "plain": pa.array([1.9]),
    "dictionary": pa.array([1.9]).dictionary_encode(),
    "decimal": pa.array([Decimal("1.9")], pa.decimal128(10, 1)),
    "string": pa.array(["1.9"]),
    "dictionary of strings": pa.array(["1.9"]).dictionary_encode(),
    "float32": pa.array([1.5], pa.float32()),
}
NEGATIVES = {
    "plain": pa.array([-1]),
    "dictionary": pa.array([-1]).dictionary_encode(),
    "float": pa.array([-1.0]),
    "decimal": pa.array([Decimal(-1)], pa.decimal128(38, 0)),
}
REFUSERS: dict[str, Callable[[pa.Table], object]] = {
    "flow_index": ft.flow_index,
    "top_n": lambda flows: ft.top_n(flows, key="src_ip", by="src_bytes"),
    "expanded_search": lambda flows: ft.expanded_search(flows, "10.20.0.5"),
    "stitch": ft.stitch,
}


@pytest.mark.parametrize("kind", FRACTIONS)
@pytest.mark.parametrize("function", REFUSERS)
def test_a_fraction_is_no_count_in_any_type(function: str, kind: str) -> None:
    with pytest.raises(ft.InputError, match="src_bytes"):
        REFUSERS[function](canonical(src_bytes=FRACTIONS[kind]))


@pytest.mark.parametrize("kind", NEGATIVES)
@pytest.mark.parametrize("function", REFUSERS)
def test_a_negative_number_is_no_count_in_any_type(function: str, kind: str) -> None:
    with pytest.raises(ft.InputError, match="src_bytes"):
        REFUSERS[function](canonical(src_bytes=NEGATIVES[kind]))


@pytest.mark.parametrize("kind", [*FRACTIONS, "negative"])
def test_reading_lists_fractions_and_negative_counts_as_bad_rows(kind: str) -> None:
    flows = ft.read_flows(canonical(src_bytes=FRACTIONS.get(kind, NEGATIVES["plain"])))
    assert (len(flows), flows.report.rows_bad) == (0, 1)
    assert flows.report.bad_rows[0].column == "src_bytes"


def test_packets_without_bytes_are_kept(tmp_path: Path) -> None:
    events = {"traffic": {"packets_out": 3, "packets_in": 4}}
    flows = ft.read_flows(ocsf(tmp_path / "ocsf.json", events))
    assert (values(flows, "src_packets"), values(flows, "dst_packets")) == ([3], [4])
    assert (values(flows, "src_bytes"), values(flows, "dst_bytes")) == ([None], [None])


def test_payload_bytes_do_not_stand_for_bytes_in_silence(tmp_path: Path) -> None:
    event = {"ts": 1772409600.1, "id.orig_h": "10.20.0.5", "id.resp_h": "1.1.1.1"}
    path = tmp_path / "conn.json"
    path.write_text(json.dumps(event | {"orig_bytes": 5, "resp_bytes": 7}) + "\n")
    flows = ft.read_flows(path)
    total = pc.sum(ft.flow_index(flows)["src_bytes"]).as_py()
    assert total in (None, 5)
    assert "payload" in str(flows.report)

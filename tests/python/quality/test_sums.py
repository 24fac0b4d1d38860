"""Sums of counters beyond 64 bits: exact, or an error; never wrapped."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.analysis.peers import index_peers
from flowtriage.oa.details import ingest_summary
from flowtriage.quality.sums import added, aggregated, exact_sum
from flowtriage.threat_investigation.story.page import totals
from small_logs import canonical

BIG = 2**62
START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_a_sum_is_exact() -> None:
    counts = pa.chunked_array([[BIG, None], [BIG, BIG - 1]], pa.int64())
    assert exact_sum(counts) == 3 * BIG - 1
    assert exact_sum(counts.cast(pa.uint64())) == 3 * BIG - 1
    assert exact_sum(pa.nulls(2, pa.int64())) == 0


def test_groups_are_exact_or_an_error() -> None:
    table = pa.table({"key": ["a", "a", "b"], "n": [BIG, BIG - 1, BIG], "at": [3, 1, 2]})
    found = aggregated(table, "key", [("n", "sum"), ("at", "min"), ([], "count_all")])
    assert found.to_pylist() == [
        {"key": "a", "n_sum": 2 * BIG - 1, "at_min": 1, "count_all": 2},
        {"key": "b", "n_sum": BIG, "at_min": 2, "count_all": 1},
    ]
    assert found.schema.field("n_sum").type == pa.int64()
    one = table.set_column(1, "n", pa.array([BIG, BIG, 0]))
    with pytest.raises(ft.InputError, match="sum of n exceeds the range of a 64-bit"):
        aggregated(one, "key", [("n", "sum")])


def test_counters_of_a_row_are_added_or_an_error() -> None:
    one = pa.chunked_array([[BIG, None]], pa.int64())
    assert added(one, pa.chunked_array([[1, 2]]), "flows").to_pylist() == [BIG + 1, None]
    with pytest.raises(ft.InputError, match="sum of flows exceeds"):
        added(one, one, "flows")


def index(*counts: int) -> pa.Table:
    rows = {
        "source": ["10.0.0.1"] * len(counts),
        "dest": ["8.8.8.8"] * len(counts),
        "L7Protocol": [f"p{n}" for n in range(len(counts))],
        "FlowDirection": ["O"] * len(counts),
        "TotalAllowedFlows": [1] * len(counts),
        "src_bytes": counts,
        "dst_bytes": [1] * len(counts),
        "denied_flows": [0] * len(counts),
    }
    times = pa.array([START] * len(counts), pa.timestamp("us", "UTC"))
    return pa.table(rows).append_column("first_seen", times).append_column("last_seen", times)


def test_peers_on_maps_do_not_wrap() -> None:
    host = pa.array(["10.0.0.1"])
    peers, _ = index_peers(index(BIG, BIG - 1), host)
    assert peers["from_host"].to_pylist() == ["9.2 EB"]
    with pytest.raises(ft.InputError, match="sum of from_host exceeds"):
        index_peers(index(BIG, BIG), host)


def test_stored_summaries_and_stories_do_not_wrap() -> None:
    flows = canonical(2, start_time=pa.array([START] * 2), flows=[BIG, BIG])
    flows = flows.append_column("denied_flows", pa.nulls(2, pa.int64()))
    with pytest.raises(ft.InputError, match="sum of flows exceeds"):
        ingest_summary(flows)
    found = ft.expanded_search(
        canonical(2, dst_ip=["1.1.1.1", "8.8.8.8"], src_bytes=[BIG, BIG]), "10.20.0.5"
    )
    peers = ft.connection_sets(found, "10.20.0.5")
    with pytest.raises(ft.InputError, match="sum of bytes"):
        totals(peers)


def test_the_trailer_of_a_log_is_compared_with_the_exact_sum(tmp_path: Path) -> None:
    head = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das\n"
    row = "2026-03-02 00:00:01,2026-03-02 00:00:02,1.0,10.0.0.1,8.8.8.8,1,2,TCP,.A....,0,0,1,"
    row += f"{BIG},0,0,0,0,0,0\n"
    end = "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n"
    path = tmp_path / "nfdump.csv"
    path.write_text(head + row * 3 + end + f"3,{3 * BIG},3,1,1,1\n")
    report = ft.read_flows(path).report
    assert [(t.stated, t.read) for t in report.totals if t.name == "bytes"] == [(3 * BIG, 3 * BIG)]

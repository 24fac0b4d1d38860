"""Details, chords and the ingest summary, compared with the same queries in DuckDB."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.oa import details

duckdb = pytest.importorskip("duckdb")

EDGES = """
WITH near AS (SELECT DISTINCT least(srcip, dstip) a, greatest(srcip, dstip) b, tstart[:16] clock
              FROM scores),
     raw AS (SELECT *, strftime(start_time AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') t FROM flows)
SELECT t tstart, src_ip srcip, dst_ip dstip, src_port sport, dst_port dport, protocol proto,
       tcp_flags flags, src_bytes ibyt, src_packets ipkt,
       CASE WHEN src_packets IS NULL AND dst_packets IS NULL THEN NULL
            ELSE coalesce(src_packets, 0) + coalesce(dst_packets, 0) END pkts,
       host rip, dst_bytes obyt, dst_packets opkt, CAST(t[12:13] AS INT) hh,
       CAST(t[15:16] AS INT) md
FROM raw WHERE EXISTS (SELECT 1 FROM near WHERE a = least(src_ip, dst_ip)
                       AND b = greatest(src_ip, dst_ip) AND clock = t[:16])
"""
CHORDS = """
WITH peers AS (SELECT DISTINCT srcip ip, dstip peer FROM scores WHERE srcip <> dstip
               UNION SELECT DISTINCT dstip, srcip FROM scores WHERE srcip <> dstip),
     threats AS (SELECT ip FROM peers GROUP BY ip HAVING count(*) >= 2)
SELECT ip ip_threat, src_ip srcip, dst_ip dstip, CAST(sum(src_bytes) AS BIGINT) ibyt,
       CAST(sum(src_packets) AS BIGINT) ipkt
FROM flows JOIN peers ON (src_ip = ip AND dst_ip = peer) OR (src_ip = peer AND dst_ip = ip)
WHERE ip IN (FROM threats) GROUP BY ALL
"""
SUMMARY = """
SELECT strftime(start_time AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M') tdate,
       CAST(sum(if(flows = 0 AND denied_flows > 0, denied_flows, flows)) AS BIGINT) total
FROM flows WHERE start_time IS NOT NULL GROUP BY ALL
"""
LOGS = (
    "zeek/zat_conn.log",
    "zeek/vast_m57_conn.log.gz",
    "netflow/slips_test1.nfdump171.csv",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
)


def query(question: str, flows: pa.Table, scores: pa.Table) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("flows", flows)
        connection.register("scores", scores)
        return sorted(connection.execute(question).fetchall(), key=str)


def rows(table: pa.Table, leaving: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
    kept = [name for name in table.column_names if name not in leaving]
    return sorted((tuple(row.values()) for row in table.select(kept).to_pylist()), key=str)


def every(flows: pa.Table, step: int) -> pa.Table:
    """Suspicious connections: every n-th flow."""
    some = flows.take(pa.array(range(0, flows.num_rows, step)))
    columns = {"srcip": some["src_ip"], "dstip": some["dst_ip"]}
    return pa.table({"tstart": details._format(some["start_time"], "%Y-%m-%d %H:%M:%S"), **columns})


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("step", [7, 101])
def test_of_real_logs(shared: Path, log: str, step: int) -> None:
    flows = ft.read_flows(shared / log).to_arrow()
    scores = every(flows, step)
    edges = details.edges(flows, scores)
    assert edges.num_rows
    assert rows(edges, ("tos", "input", "output")) == query(EDGES, flows, scores)
    chords = details.chords(flows, scores)
    assert rows(chords) == query(CHORDS, flows, scores)
    assert rows(details.ingest_summary(flows)) == query(SUMMARY, flows, scores)


def flows_of(*ends: tuple[str, str, str]) -> pa.Table:
    table = pa.table(
        {
            "start_time": [f"2013-09-15T{time}Z" for time, _, _ in ends],
            "src_ip": [source for _, source, _ in ends],
            "dst_ip": [dest for _, _, dest in ends],
            "src_bytes": [10**at for at in range(len(ends))],
            "flows": [1] * len(ends),
        }
    )
    return ft.read_flows(table, format="canonical").to_arrow()


def test_an_edge_is_the_same_minute_in_both_directions_once() -> None:
    flows = flows_of(
        ("10:00:01", "a::1", "b::1"),
        ("10:00:59.999999", "b::1", "a::1"),
        ("10:01:00", "a::1", "b::1"),
        ("10:00:30", "a::1", "c::1"),
    )
    scores = pa.table(
        {
            "tstart": ["2013-09-15 10:00:01", "2013-09-15 10:00:30"],
            "srcip": ["a::1", "b::1"],
            "dstip": ["b::1", "a::1"],
        }
    )
    edges = details.edges(flows, scores)
    assert edges["ibyt"].to_pylist() == [1, 10]
    assert edges["tstart"].to_pylist() == ["2013-09-15 10:00:01", "2013-09-15 10:00:59"]
    assert set(edges["hh"].to_pylist()) == {10}
    assert set(edges["md"].to_pylist()) == {0}


def test_a_chord_needs_two_peers_and_sums_the_whole_day() -> None:
    flows = flows_of(
        ("10:00:00", "a::1", "b::1"),
        ("23:00:00", "a::1", "b::1"),
        ("11:00:00", "c::1", "a::1"),
        ("12:00:00", "a::1", "d::1"),
        ("13:00:00", "a::1", "a::1"),
    )
    scores = pa.table(
        {
            "tstart": ["2013-09-15 10:00:00"] * 3,
            "srcip": ["a::1", "c::1", "a::1"],
            "dstip": ["b::1", "a::1", "a::1"],
        }
    )
    assert details.chords(flows, scores).to_pylist() == [
        {"ip_threat": "a::1", "srcip": "a::1", "dstip": "b::1", "ibyt": 11, "ipkt": None},
        {"ip_threat": "a::1", "srcip": "c::1", "dstip": "a::1", "ibyt": 100, "ipkt": None},
    ]


def test_nothing_suspicious_and_no_flows() -> None:
    none = flows_of()
    scores = pa.table({name: pa.array([], pa.string()) for name in ("tstart", "srcip", "dstip")})
    some = flows_of(("10:00:00", "a::1", "b::1"))
    for flows in (none, some):
        assert details.edges(flows, scores).num_rows == 0
        assert details.chords(flows, scores).num_rows == 0
    assert details.ingest_summary(none).num_rows == 0
    assert details.ingest_summary(some).to_pylist() == [{"tdate": "2013-09-15 10:00", "total": 1}]

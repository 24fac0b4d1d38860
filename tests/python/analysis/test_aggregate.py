"""The verbs against naive versions of themselves and against DuckDB."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
import oracle
from flowtriage import sample
from flowtriage.errors import ArgumentError, InputError


@given(oracle.rows())
def test_flow_index_equals_the_naive_version(rows: list[dict[str, Any]]) -> None:
    assert ft.flow_index(oracle.table(rows)).to_pylist() == oracle.flow_index(rows)


@given(oracle.rows(), oracle.rows())
def test_flow_index_is_closed(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> None:
    first, second = (ft.flow_index(oracle.table(rows)) for rows in (a, b))
    whole = ft.flow_index(oracle.table(a + b))
    assert ft.flow_index(pa.concat_tables([first, second])) == whole
    assert ft.flow_index(whole) == whole


@given(oracle.rows(), st.sampled_from(["FlowDirection", "L7Protocol"]), st.integers(2, 200))
def test_timeline_equals_the_naive_version(rows: list[dict[str, Any]], by: str, bins: int) -> None:
    table = ft.timeline(oracle.table(rows), by=by, bins=bins)
    slots = {slot for slot in table["bin_start"].to_pylist() if slot}
    assert len(slots) <= bins
    timed = table.filter(pc.is_valid(table["bin_start"]))
    width = pc.subtract(timed["bin_end"], timed["bin_start"])[0].as_py() if slots else timedelta(1)
    assert table.to_pylist() == oracle.timeline(rows, by, width)


@given(oracle.rows())
def test_flow_summary_equals_the_naive_version(rows: list[dict[str, Any]]) -> None:
    asn = ft.AsnDatabase()
    addresses = {oracle.canonical(row[end]) for row in rows for end in ("src_ip", "dst_ip")}
    answers = asn.lookup([*addresses, None]).to_pylist()
    labels = {
        a["address"]: a["as_name"] if a["asn"] is None else f"AS{a['asn']} {a['as_name']}"
        for a in answers
    }
    summary = ft.flow_summary(oracle.table(rows), asn=asn)
    assert summary.to_pylist() == oracle.flow_summary(rows, labels)
    assert ft.flow_summary(ft.flow_index(oracle.table(rows)), asn=asn) == summary


@given(
    oracle.rows(),
    st.sampled_from(["flows", "bytes", "packets", "src_bytes", "denied_flows"]),
    st.integers(1, 10),
)
def test_top_n_equals_the_naive_version(rows: list[dict[str, Any]], by: str, n: int) -> None:
    groups: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["dst_port"]].append(row)
    expected = [
        {"dst_port": port, **oracle.measures(group, "flows")} for port, group in groups.items()
    ]
    parts = {"bytes": ("src_bytes", "dst_bytes"), "packets": ("src_packets", "dst_packets")}

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        values = [row[name] for name in parts.get(by, (by,)) if row[name] is not None]
        port = row["dst_port"]
        return (not values, -sum(values), port is None, port or 0)

    found = ft.top_n(oracle.table(rows), key="dst_port", by=by, n=n)
    assert found.to_pylist() == sorted(expected, key=rank)[:n]


def test_sums_agree_with_duckdb(zat: Any) -> None:
    flows = ft.read_flows(zat).to_arrow()
    index = ft.flow_index(flows)
    with duckdb.connect() as db:
        db.register("flows", flows)
        expected = db.sql(
            "select src_ip, dst_ip, service, sum(flows)::bigint, sum(src_bytes)::bigint, "
            "epoch_us(min(start_time)), epoch_us(max(greatest(start_time, end_time))) "
            "from flows group by all order by all"
        ).fetchall()
        db.register("index", index)
        found = db.sql(
            "select source, dest, L7Protocol, TotalAllowedFlows, src_bytes, "
            "epoch_us(first_seen), epoch_us(last_seen) from index order by all"
        ).fetchall()
    assert found == expected
    assert len(found) > 200


def test_results_do_not_depend_on_the_cut_into_batches(zat: Any) -> None:
    flows = ft.read_flows(zat).to_arrow()
    pieces = pa.Table.from_batches(flows.to_batches(max_chunksize=7))
    assert ft.flow_index(pieces) == ft.flow_index(flows)
    assert ft.timeline(pieces, by="L7Protocol") == ft.timeline(flows, by="L7Protocol")
    assert ft.flow_summary(pieces) == ft.flow_summary(flows)


def test_a_stream_is_read_to_its_end_and_its_own_error_comes_back() -> None:
    day = sample.office_day()
    taken = 0

    class BrokenSourceError(Exception):
        pass

    def batches() -> Any:
        nonlocal taken
        for batch in day.to_batches(max_chunksize=1000):
            taken += 1
            yield batch
        raise BrokenSourceError("the source failed")

    reader = pa.RecordBatchReader.from_batches(day.schema, batches())
    with pytest.raises(BrokenSourceError, match="the source failed"):
        ft.flow_index(reader)
    assert taken == 9


def test_other_threads_run_while_a_verb_works() -> None:
    day = pa.concat_tables([sample.office_day()] * 200).combine_chunks()
    span: list[float] = []
    moments: list[float] = []

    def work() -> None:
        span.append(time.perf_counter())
        ft.flow_index(day)
        span.append(time.perf_counter())

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        moments.append(time.perf_counter())
        time.sleep(0.001)
    begin, end = span
    middle = [m for m in moments if begin + (end - begin) / 4 < m < end - (end - begin) / 4]
    assert middle


def test_wrong_arguments_are_explained() -> None:
    flows = oracle.table([])
    with pytest.raises(ArgumentError, match="n must be an integer and 1 or more, got 0"):
        ft.top_n(flows, key="source", by="flows", n=0)
    with pytest.raises(ArgumentError, match="unknown measure 'weight'; did you mean packets"):
        ft.top_n(flows, key="source", by="weight")
    with pytest.raises(ArgumentError, match="must not be a measure"):
        ft.top_n(flows, key="src_bytes", by="flows")
    with pytest.raises(ArgumentError, match="bins must be an integer and 1 or more, got 0"):
        ft.timeline(flows, by="source", bins=0)
    some = pa.Table.from_pylist([{"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "flows": 1}])
    with pytest.raises(InputError, match='column "colour" is missing'):
        ft.timeline(some, by="colour")
    with pytest.raises(InputError, match=r"row 0, column \"src_ip\": \"ten\""):
        ft.flow_index(pa.Table.from_pylist([{"src_ip": "ten", "dst_ip": "10.0.0.2", "flows": 1}]))
    with pytest.raises(InputError, match="flows"):
        ft.flow_index(
            pa.table(
                {"src_ip": ["10.0.0.1"], "dst_ip": ["10.0.0.2"], "flows": pa.array([None], "int64")}
            )
        )

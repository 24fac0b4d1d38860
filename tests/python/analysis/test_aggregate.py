"""The aggregates against naive Python, DuckDB and Polars."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
import oracle
from benchmarks.engines import Engine, duckdb, in_any_order, naive, polars
from flowtriage import sample
from flowtriage.errors import ArgumentError, InputError
from real_logs import REAL


def agree(found: pa.Table, answers: list[pa.Table]) -> None:
    """Naive Python in the same order, the others in any."""
    first, *others = answers
    assert found.to_pylist() == first.to_pylist()
    for answer in others:
        assert in_any_order(answer) == in_any_order(found)


def engines(flows: pa.Table) -> list[Engine]:
    return [naive(flows), duckdb(flows), polars(flows)]


def labels_of(asn: ft.AsnDatabase, flows: pa.Table) -> dict[str | None, str]:
    addresses = {*flows["source"].to_pylist(), *flows["dest"].to_pylist(), None}
    return {
        a["address"]: a["as_name"] if a["asn"] is None else f"AS{a['asn']} {a['as_name']}"
        for a in asn.lookup(list(addresses)).to_pylist()
    }


def width_of(timeline: pa.Table) -> timedelta:
    timed = timeline.filter(pc.is_valid(timeline["bin_start"]))
    if not timed.num_rows:
        return timedelta(1)
    width = pc.subtract(timed["bin_end"], timed["bin_start"])[0].as_py()
    assert isinstance(width, timedelta)
    return width


@given(oracle.rows())
def test_flow_index_equals_that_of_other_engines(rows: list[dict[str, Any]]) -> None:
    index = ft.flow_index(oracle.table(rows))
    agree(index, [engine.flow_index() for engine in engines(oracle.indexed(rows))])


@given(oracle.rows(), oracle.rows())
def test_flow_index_is_closed(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> None:
    first, second = (ft.flow_index(oracle.table(rows)) for rows in (a, b))
    whole = ft.flow_index(oracle.table(a + b))
    assert ft.flow_index(pa.concat_tables([first, second])) == whole
    assert ft.flow_index(whole) == whole


@given(oracle.rows(), st.sampled_from(["FlowDirection", "L7Protocol"]), st.integers(2, 200))
def test_timeline_equals_that_of_other_engines(
    rows: list[dict[str, Any]], by: str, bins: int
) -> None:
    table = ft.timeline(oracle.table(rows), by=by, bins=bins)
    assert len({slot for slot in table["bin_start"].to_pylist() if slot}) <= bins
    others = engines(oracle.indexed(rows))
    agree(table, [engine.timeline(by, width_of(table)) for engine in others])


@given(oracle.rows())
def test_flow_summary_equals_that_of_other_engines(rows: list[dict[str, Any]]) -> None:
    asn = ft.AsnDatabase()
    flows = oracle.indexed(rows)
    labels = labels_of(asn, flows)
    summary = ft.flow_summary(oracle.table(rows), asn=asn)
    agree(summary, [engine.flow_summary(labels) for engine in engines(flows)])
    assert ft.flow_summary(ft.flow_index(oracle.table(rows)), asn=asn) == summary


@given(
    oracle.rows(),
    st.sampled_from(["flows", "bytes", "packets", "src_bytes", "denied_flows"]),
    st.integers(1, 10),
)
def test_top_n_equals_that_of_other_engines(rows: list[dict[str, Any]], by: str, n: int) -> None:
    found = ft.top_n(oracle.table(rows), key="dst_port", by=by, n=n)
    agree(found, [engine.top_n("dst_port", by, n) for engine in engines(oracle.indexed(rows))])


@pytest.mark.parametrize("path", REAL)
def test_other_engines_agree_on_real_flows(shared: Path, path: str) -> None:
    flows = ft.read_flows(shared / path).to_arrow()
    directions = ft.classify_direction(flows)["direction"].to_pylist()
    others = engines(oracle.indexed(flows.to_pylist(), directions))
    agree(ft.flow_index(flows), [engine.flow_index() for engine in others])
    index = ft.flow_index(flows)
    labels = labels_of(ft.AsnDatabase(), index)
    agree(ft.flow_summary(flows), [engine.flow_summary(labels) for engine in others])
    line = ft.timeline(flows, by="L7Protocol")
    agree(line, [engine.timeline("L7Protocol", width_of(line)) for engine in others])
    top = ft.top_n(flows, key="dst_port", by="bytes", n=20)
    agree(top, [engine.top_n("dst_port", "bytes", 20) for engine in others])


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

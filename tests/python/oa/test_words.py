"""Flow words: a table of cases, and a naive implementation on random flows."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtriage.oa.words import flow_words

SCHEMA = pa.schema(
    [
        ("start_time", pa.timestamp("us", "UTC")),
        *((name, pa.string()) for name in ("src_ip", "dst_ip", "protocol")),
        *((name, pa.uint16()) for name in ("src_port", "dst_port")),
        *((name, pa.int64()) for name in ("src_bytes", "src_packets", "flows")),
    ]
)


def flow(src: int | None, dst: int | None, **values: Any) -> dict[str, Any]:
    usual = {
        "start_time": datetime(2013, 9, 15, 23, 59, 59, 999_999, UTC),
        "src_ip": "10.0.0.1",
        "dst_ip": "192.0.2.1",
        "protocol": "tcp",
        "src_bytes": 1000,
        "src_packets": 5,
        "flows": 1,
    }
    return {**usual, "src_port": src, "dst_port": dst, **values}


def words(*flows: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    table = flow_words(pa.Table.from_pylist(list(flows), SCHEMA))
    return [(row["src_word"], row["dst_word"]) for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("src", "dst", "src_word", "dst_word"),
    [
        (0, 0, "0_tcp_23_10_3", "0_tcp_23_10_3"),
        (None, None, "0_tcp_23_10_3", "0_tcp_23_10_3"),
        (8080, 0, "-1_8080_tcp_23_10_3", "8080_tcp_23_10_3"),
        (0, 8080, "8080_tcp_23_10_3", "-1_8080_tcp_23_10_3"),
        (80, 443, "111111_tcp_23_10_3", "111111_tcp_23_10_3"),
        (1024, 1024, "111111_tcp_23_10_3", "111111_tcp_23_10_3"),
        (1025, 65535, "333333_tcp_23_10_3", "333333_tcp_23_10_3"),
        (1024, 1025, "-1_1024_tcp_23_10_3", "1024_tcp_23_10_3"),
        (50123, 443, "443_tcp_23_10_3", "-1_443_tcp_23_10_3"),
        (53, 50123, "-1_53_tcp_23_10_3", "53_tcp_23_10_3"),
    ],
)
def test_ports(src: int | None, dst: int | None, src_word: str, dst_word: str) -> None:
    assert words(flow(src, dst)) == [(src_word, dst_word)]


@pytest.mark.parametrize(
    ("count", "magnitude"),
    [(None, 0), (0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1023, 10), (1024, 11)],
)
def test_magnitudes(count: int | None, magnitude: int) -> None:
    (word, _), *_ = words(flow(1, 2, src_bytes=count, src_packets=count))
    assert word == f"111111_tcp_23_{magnitude}_{magnitude}"


def test_flows_without_words() -> None:
    nothing = (None, None)
    assert words(flow(1, 2, start_time=None), flow(1, 2, protocol=None)) == [nothing, nothing]
    assert words(flow(1, 2, src_bytes=-1)) == [nothing]
    assert words() == []


def naive(row: dict[str, Any]) -> tuple[str | None, str | None]:
    src, dst = row["src_port"] or 0, row["dst_port"] or 0
    if row["start_time"] is None or not row["protocol"]:
        return None, None
    sizes = [math.ceil(math.log2((row[name] or 0) + 1)) for name in ("src_bytes", "src_packets")]
    owner = None
    if src == 0 or dst == 0:
        port = src or dst
        owner = None if port == 0 else "src" if src else "dst"
    elif src <= 1024 and dst <= 1024:
        port = 111111
    elif src > 1024 and dst > 1024:
        port = 333333
    else:
        port = min(src, dst)
        owner = "src" if src <= 1024 else "dst"
    word = f"{port}_{row['protocol']}_{row['start_time'].hour}_{sizes[0]}_{sizes[1]}"
    return tuple(("-1_" if owner == end else "") + word for end in ("src", "dst"))  # type: ignore


_ports = st.none() | st.sampled_from([0, 22, 1023, 1024, 1025]) | st.integers(0, 65535)
_counts = st.none() | st.integers(0, 2**30)
_rows = st.builds(
    flow,
    _ports,
    _ports,
    start_time=st.none() | st.datetimes(datetime(1960, 1, 1), timezones=st.just(UTC)),
    protocol=st.sampled_from(["tcp", "udp", "icmp", "é", "", None]),
    src_bytes=_counts,
    src_packets=_counts,
)


@given(st.lists(_rows, max_size=20))
def test_words_are_those_of_a_naive_version(rows: list[dict[str, Any]]) -> None:
    assert words(*rows) == [naive(row) for row in rows]


def test_both_columns_have_one_dictionary_in_order() -> None:
    table = flow_words(pa.Table.from_pylist([flow(50123, p) for p in (443, 22, 443)], SCHEMA))
    src, dst = (table[name].combine_chunks() for name in ("src_word", "dst_word"))
    assert src.dictionary.equals(dst.dictionary)
    assert src.dictionary.to_pylist() == sorted(src.dictionary.to_pylist())
    assert len(src.dictionary) == 4

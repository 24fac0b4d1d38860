"""Joining answers to their records."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
from flow_records import CLIENT, SERVER, START, record, table
from flowtriage.errors import ArgumentError


def seen(flows: pa.Table) -> list[tuple[Any, ...]]:
    names = ("src_ip", "dst_port", "src_bytes", "dst_bytes", "flows")
    return [tuple(row[name] for name in names) for row in flows.to_pylist()]


ASKS = record(CLIENT, SERVER, 0, 900)
ANSWERS = record(SERVER, CLIENT, 0.5, 70)


def test_an_answer_joins_its_record() -> None:
    flows = ft.stitch(table(ASKS, ANSWERS))
    assert seen(flows) == [("10.0.0.4", 443, 900, 70, 1)]
    (row,) = flows.to_pylist()
    assert (row["start_time"], row["end_time"]) == (START, START + timedelta(seconds=1.5))
    assert (row["src_packets"], row["dst_packets"]) == (1, 1)


def test_the_well_known_port_answers_whichever_record_is_first() -> None:
    early = record(SERVER, CLIENT, -0.5, 70)
    assert seen(ft.stitch(table(early, ASKS))) == [("10.0.0.4", 443, 900, 70, 1)]


def test_syn_without_ack_tells_who_began_before_ports_do() -> None:
    first = record(CLIENT, SERVER, 0, 70, tcp_flags="AS")
    second = record(SERVER, CLIENT, 0.1, 900, tcp_flags="S")
    assert seen(ft.stitch(table(first, second))) == [("192.0.2.1", 50_000, 900, 70, 1)]


@pytest.mark.parametrize(
    ("other", "window"),
    [
        (record(SERVER, CLIENT, 62, 70), 60),
        (record(SERVER, CLIENT, 0.5, 70, protocol="udp"), 60),
        (record(SERVER, ("10.0.0.5", 50_000), 0.5, 70), 60),
        (record(SERVER, CLIENT, 0.5, 70, host="eni-2"), 60),
        (record(SERVER, CLIENT, 0.5, 70, flows=0, denied_flows=1), 60),
        (record(SERVER, CLIENT, 0.5, 70, dst_bytes=5), 60),
        (record(SERVER, CLIENT, 1.5, 70), 0),
        (record(CLIENT, SERVER, 0.5, 70), 60),
    ],
)
def test_what_is_no_answer_stays_alone(other: dict[str, Any], window: float) -> None:
    flows = table(ASKS, other)
    assert ft.stitch(flows, window=window).equals(flows)


def test_a_later_record_of_the_server_keeps_the_ends_of_the_flow() -> None:
    later = record(SERVER, CLIENT, 30, 7)
    flows = ft.stitch(table(ASKS, ANSWERS, later))
    assert seen(flows) == [("10.0.0.4", 443, 900, 70, 1), ("10.0.0.4", 443, None, 7, 1)]


def test_a_window_cannot_be_negative() -> None:
    with pytest.raises(ArgumentError, match="0 or more seconds"):
        ft.stitch(table(ASKS), window=-1)


def test_reading_stitches_and_tells_how_many() -> None:
    flows = ft.read_flows(table(ASKS, ANSWERS), stitch=True)
    assert (len(flows), flows.report.rows_stitched) == (1, 1)


ENDS = st.tuples(st.sampled_from(["10.0.0.1", "192.0.2.1"]), st.sampled_from([80, 50_000]))


@given(
    st.lists(
        st.builds(
            record, ENDS, ENDS, st.integers(0, 200), st.integers(0, 9), host=st.sampled_from("ab")
        ),
        max_size=30,
    )
)
def test_stitching_conserves_what_each_end_sent(records: list[dict[str, Any]]) -> None:
    def sent(flows: pa.Table) -> Counter[Any]:
        sums: Counter[Any] = Counter()
        for row in flows.to_pylist():
            source, dest = (row["src_ip"], row["src_port"]), (row["dst_ip"], row["dst_port"])
            sums[source, dest, row["host"]] += row["src_bytes"] or 0
            sums[dest, source, row["host"]] += row["dst_bytes"] or 0
        return +sums

    before = table(*records)
    after = ft.stitch(before)
    assert sent(after) == sent(before)
    answered = pc.sum(pc.is_valid(after["dst_packets"])).as_py() or 0
    assert before.num_rows - after.num_rows <= answered

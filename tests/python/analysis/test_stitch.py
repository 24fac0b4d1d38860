"""Joining answers to their records, and leaving out what others reported again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.flows import SCHEMA

START = datetime(2024, 12, 20, 18, tzinfo=UTC)
CLIENT, SERVER = ("10.0.0.4", 50_000), ("192.0.2.1", 443)


def record(
    sender: tuple[str, int], receiver: tuple[str, int], at: float, size: int, **more: Any
) -> dict[str, Any]:
    start = START + timedelta(seconds=at)
    return {
        "start_time": start,
        "end_time": start + timedelta(seconds=1),
        "src_ip": sender[0],
        "src_port": sender[1],
        "dst_ip": receiver[0],
        "dst_port": receiver[1],
        "protocol": "tcp",
        "src_bytes": size,
        "src_packets": 1,
        "flows": 1,
        **more,
    }


def table(*records: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(records), schema=SCHEMA)


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
    with pytest.raises(ArgumentError, match="negative"):
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


def test_the_reporter_that_saw_most_stays() -> None:
    flows = table(
        record(CLIENT, SERVER, 0, 800, host="eni-1"),
        record(CLIENT, SERVER, 0.5, 900, host="eni-2"),
        record(CLIENT, SERVER, 1.2, 10, host="eni-1"),
        record(CLIENT, SERVER, 100, 5, host="eni-1"),
        record(CLIENT, SERVER, 0.5, 5, host="eni-3", flows=0, denied_flows=1),
    )
    once = ft.read_flows(flows, deduplicate=True)
    assert sorted(once.to_arrow()["src_bytes"].to_pylist()) == [5, 5, 900]
    assert once.report.rows_reported_again == 2
    assert len(ft.read_flows(flows)) == 5


def test_of_equal_reporters_the_first_stays() -> None:
    flows = table(
        record(CLIENT, SERVER, 0, 9, host="DEST"), record(CLIENT, SERVER, 0, 9, host="SRC")
    )
    once = ft.read_flows(flows, deduplicate=True).to_arrow()
    assert once["host"].to_pylist() == ["DEST"]

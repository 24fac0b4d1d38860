"""Queries of the store with the names of Spot's API."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.oa import queries

pytestmark = pytest.mark.extra
DAY = dt.date(2013, 9, 15)
ROWS = [
    ("2013-09-15 10:00:01", "10.0.0.1", "192.0.2.1", 1024, 53),
    ("2013-09-15 10:00:02", "10.0.0.2", "192.0.2.1", None, None),
    ("2013-09-15 10:00:03", "192.0.2.2", "10.0.0.1", 5, 6),
    ("2013-09-15 10:00:03", "192.0.2.2", "10.0.0.1", 5, 7),
]


@pytest.fixture
def store(store_url: str) -> ft.FlowStore:
    store = ft.FlowStore(store_url)
    names = ["tstart", "srcip", "dstip", "sport", "dport"]
    columns = dict(zip(names, zip(*ROWS, strict=True), strict=True))
    rows = pa.table({name: list(column) for name, column in columns.items()})
    with store.transaction() as transaction:
        transaction.append("flow_scores", DAY, rows.append_column("rank", pa.array(range(4))))
        transaction.append("flow_edge", DAY, rows)
    return store


def ranks(store: ft.FlowStore, **options: object) -> list[int]:
    found = queries.suspicious_connections(store, DAY, **options)  # type: ignore[arg-type]
    return list(found["rank"].to_pylist())


def test_suspicious_connections(store: ft.FlowStore) -> None:
    assert ranks(store) == [0, 1, 2, 3]
    assert ranks(store, limit=2) == [0, 1]
    assert ranks(store, ip="10.0.0.1") == [0, 2, 3]
    assert queries.suspicious_connections(store, "20130916").num_rows == 0


def test_a_scored_connection_is_no_more_to_be_looked_at(store: ft.FlowStore) -> None:
    assert queries.score_connection(store, DAY, 1, srcip="10.0.0.2") == 1
    assert queries.score_connection(store, DAY, 3, dport=7) == 1
    assert ranks(store) == [0, 2]
    scored = queries.get_scored_connections(store, DAY)
    assert list(zip(scored["srcip"].to_pylist(), scored["score"].to_pylist(), strict=True)) == [
        ("10.0.0.2", 1),
        ("192.0.2.2", 3),
    ]


def test_a_later_score_replaces_an_earlier_one(store: ft.FlowStore) -> None:
    queries.score_connection(store, DAY, 1, srcip="192.0.2.2")
    queries.score_connection(store, DAY, 2, srcip="192.0.2.2", dport=6)
    scored = queries.get_scored_connections(store, DAY)
    by_port = dict(zip(scored["dstport"].to_pylist(), scored["score"].to_pylist(), strict=True))
    assert by_port == {6: 2, 7: 1}
    assert queries.reset_scored_connections(store, DAY) == 2
    assert ranks(store) == [0, 1, 2, 3]


def test_scores_that_cannot_be(store: ft.FlowStore) -> None:
    with pytest.raises(ArgumentError, match="invalid score 4; give 1 .high"):
        queries.score_connection(store, DAY, 4, srcip="10.0.0.1")
    with pytest.raises(ArgumentError, match="no connections selected"):
        queries.score_connection(store, DAY, 1)
    with pytest.raises(ArgumentError, match="'0.0.0.0/0' is all of IPv4"):
        queries.score_connection(store, DAY, 1, dstip="0.0.0.0/0")
    for port in (99_999, -1, True, "53"):
        with pytest.raises(ArgumentError, match="give an integer from 0 to 65535"):
            queries.score_connection(store, DAY, 1, dport=port)  # type: ignore[arg-type]
    assert queries.score_connection(store, DAY, 1, srcip="' OR 1=1 --") == 0


def test_details_of_a_minute(store: ft.FlowStore) -> None:
    def found(*ends: str, time: str) -> list[int]:
        table = queries.details(store, DAY, *ends, time)
        return list(table["dport"].to_pylist())

    assert found("10.0.0.1", "192.0.2.2", time="2013-09-15 10:00:59") == [6, 7]
    assert found("192.0.2.2", "10.0.0.1", time="2013-09-15 10:00") == [6, 7]
    assert found("10.0.0.1", "192.0.2.2", time="2013-09-15 10:01:00") == []


def test_tables_by_day_and_address(store: ft.FlowStore, tmp_path: Path) -> None:
    with store.transaction() as transaction:
        for day in (DAY, DAY + dt.timedelta(days=1)):
            minutes = pa.table({"tdate": [f"{day} 10:00"], "total": [1]})
            transaction.append("flow_ingest_summary", day, minutes)
            for name in ("flow_chords", "flow_timeline", "flow_storyboard"):
                transaction.append(name, day, pa.table({"ip_threat": ["a", "b"]}))
    assert queries.ingest_summary(store, DAY, DAY).num_rows == 1
    assert queries.ingest_summary(store, DAY, "2013-09-30")["tdate"].to_pylist() == [
        "2013-09-15 10:00",
        "2013-09-16 10:00",
    ]
    assert queries.chord_details(store, DAY).num_rows == 2
    assert queries.chord_details(store, DAY, "a").num_rows == 1
    assert queries.time_line(store, DAY, "b")["ip_threat"].to_pylist() == ["b"]
    assert queries.story_board(store, DAY).num_rows == 2

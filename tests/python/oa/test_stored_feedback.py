"""Feedback in the store: list, withdraw, and the effect on the next day."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest

pytest.importorskip("sklearn")

import flowtriage as ft
from flowtriage.oa import queries
from flowtriage.oa.stored_feedback import (
    compare_ranks,
    feedback_before,
    list_feedback,
    withdraw_feedback,
)
from oa_office import DROP, SCANNED, SCANNER, UPLOADER, office
from oa_work import settings_in

pytestmark = pytest.mark.extra

EARLIER, DAY = dt.date(2013, 9, 14), dt.date(2013, 9, 15)
ROWS = [
    ("10:00:01", "10.0.0.1", "192.0.2.1", 1024, 53),
    ("10:00:02", "10.0.0.2", "192.0.2.1", None, None),
    ("10:00:03", "192.0.2.2", "10.0.0.1", 5, 6),
]


@pytest.fixture
def store(store_url: str) -> ft.FlowStore:
    """Three connections of each of two days; all of the first day are scored, one of the second."""
    store = ft.FlowStore(store_url)
    with store.transaction() as transaction:
        for day in (EARLIER, DAY):
            names = ["tstart", "srcip", "dstip", "sport", "dport"]
            rows = [(f"{day} {clock}", *ends) for clock, *ends in ROWS]
            table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
            transaction.append("flow_scores", day, table.append_column("rank", pa.array(range(3))))
    queries.score_connection(store, EARLIER, 3, dstip="192.0.2.1")
    queries.score_connection(store, EARLIER, 2, srcip="192.0.2.2")
    queries.score_connection(store, DAY, 1, srcip="192.0.2.2")
    return store


def told(table: pa.Table) -> list[tuple[str, str, int, bool]]:
    columns = ("day", "srcip", "score", "learnt")
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    return [(str(day), *rest) for day, *rest in rows]


def test_scores_are_listed_over_days(store: ft.FlowStore) -> None:
    assert told(list_feedback(store)) == [
        (str(EARLIER), "10.0.0.1", 3, True),
        (str(EARLIER), "10.0.0.2", 3, True),
        (str(EARLIER), "192.0.2.2", 2, False),
        (str(DAY), "192.0.2.2", 1, True),
    ]
    assert [row[:2] for row in told(list_feedback(store, ip="10.0.0.1"))] == [
        (str(EARLIER), "10.0.0.1"),
        (str(EARLIER), "192.0.2.2"),
        (str(DAY), "192.0.2.2"),
    ]
    assert list_feedback(store, DAY, score=1)["dport"].to_pylist() == [6]
    assert list_feedback(store, DAY, score=3).num_rows == 0
    assert list_feedback(store, ip="' OR 1=1 --").num_rows == 0


def test_a_flow_missing_from_the_scores_is_not_learnt(store: ft.FlowStore) -> None:
    with store.transaction() as transaction:
        transaction.delete("flow_scores", EARLIER, {"srcip": "10.0.0.1"})
    listed = {row[:2]: row[3] for row in told(list_feedback(store, EARLIER))}
    assert listed[str(EARLIER), "10.0.0.1"] is False
    assert listed[str(EARLIER), "10.0.0.2"] is True
    learnt = feedback_before(store, DAY, 90)
    assert learnt["srcip"].to_pylist() == ["10.0.0.2", "192.0.2.2"]


def test_withdrawn_scores_are_the_listed_ones(store: ft.FlowStore) -> None:
    assert withdraw_feedback(store, ip="' OR 1=1 --") == 0
    for asked in ({"date": EARLIER, "ip": "10.0.0.1", "score": 3}, {"ip": "192.0.2.2"}, {}):
        before = list_feedback(store)
        chosen = list_feedback(store, **asked)
        assert chosen.num_rows
        assert withdraw_feedback(store, **asked) == chosen.num_rows
        gone, left = told(chosen), told(list_feedback(store))
        assert left == [row for row in told(before) if row not in gone]
    assert queries.suspicious_connections(store, DAY).num_rows == 3
    assert feedback_before(store, DAY, 90).num_rows == 0


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> tuple[ft.FlowOA, ft.FlowOA]:
    """Runs of the same office on two days, and what was scored in between."""
    settings = settings_in(tmp_path_factory.mktemp("office"), iterations=20, topics=20)
    flows = office()
    at = flows.column_names.index("start_time")
    moved = pc.subtract(flows["start_time"], pa.scalar(dt.timedelta(days=1)))
    earlier = ft.FlowOA(EARLIER, flows.set_column(at, "start_time", moved), settings=settings)
    earlier.run()
    later = ft.FlowOA(DAY, flows, settings=settings, store=earlier.store)
    later.run()
    return earlier, later


def ranks(store: ft.FlowStore, dstip: str) -> list[int]:
    rows = store.read("flow_scores", day=DAY, where={"dstip": dstip}, order=["rank"])
    return list(rows["rank"].to_pylist())


def test_the_comparison_equals_the_next_run(offices: tuple[ft.FlowOA, ft.FlowOA]) -> None:
    store, later, flows = offices[0].store, offices[1], office()
    assert compare_ranks(store, flows, DAY, later.settings.ranking).num_rows == 0
    upload, scan = ranks(store, DROP), ranks(store, SCANNED)
    assert len(upload) == 3
    queries.score_connection(store, EARLIER, 3, srcip=UPLOADER, dstip=DROP)
    queries.score_connection(store, EARLIER, 1, srcip=SCANNER)
    compared = compare_ranks(store, flows, DAY, later.settings.ranking)
    later.run()

    def of(dstip: str, when: str) -> list[int]:
        return list(compared.filter(pc.equal(compared["dip"], dstip))[f"rank_{when}"].to_pylist())

    limit = later.settings.ranking.limit
    for dstip, before in ((DROP, upload), (SCANNED, scan)):
        assert [rank for rank in of(dstip, "before") if rank < limit] == before
        assert sorted(r for r in of(dstip, "after") if r < limit) == ranks(store, dstip)
    assert min(of(DROP, "after")) > 1000
    assert max(of(SCANNED, "after")) < 20
    assert set(compared["sip"].to_pylist()) == {UPLOADER, SCANNER}
    assert withdraw_feedback(store) == 3 + len(scan)
    later.run()
    assert (ranks(store, DROP), ranks(store, SCANNED)) == (upload, scan)

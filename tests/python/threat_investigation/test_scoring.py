"""Scores of connections of an address, and their undo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.oa import queries
from flowtriage.oa.stored_feedback import feedback_before
from postgresql import Server
from threat_work import DAY, IP, IPV6, TWO_WAY, at, flow, investigation, suspicious, table

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

ROWS = [
    flow(IP, "8.8.8.8", src_port=40001, dst_port=53),
    flow(IP, "8.8.8.8", start_time=at(11)),
    flow(TWO_WAY, IP, src_port=443, dst_port=40000),
    flow(IP, TWO_WAY, src_port=None, dst_port=None, protocol="icmp"),
    flow(IPV6, IP, dst_port=22),
    flow("10.0.0.2", "8.8.8.8"),
]


@pytest.fixture
def nb(tmp_path: Path, store_url: str) -> ft.FlowThreatInvestigation:
    nb = investigation(tmp_path, table(*ROWS), store_url)
    assert nb.store is not None
    suspicious(nb.store, ROWS[1], ROWS[3], ROWS[5])
    nb.search(IP)
    return nb


def scores(nb: ft.FlowThreatInvestigation) -> list[dict[str, Any]]:
    assert nb.store is not None
    rows: list[dict[str, Any]] = queries.get_scored_connections(nb.store, DAY).to_pylist()
    return sorted(rows, key=str)


def by_peer(nb: ft.FlowThreatInvestigation) -> dict[tuple[Any, ...], int]:
    return {(r["srcip"], r["dstip"], r["dstport"]): r["score"] for r in scores(nb)}


def test_by_peer_port_and_asn(nb: ft.FlowThreatInvestigation) -> None:
    assert len(nb.score(1, peer=TWO_WAY)) == 2
    assert by_peer(nb) == {(TWO_WAY, IP, 40000): 1, (IP, TWO_WAY, None): 1}
    assert len(nb.score(2, port=[53, 22])) == 2
    assert by_peer(nb)[IPV6, IP, 22] == 2
    assert by_peer(nb)[IP, "8.8.8.8", 53] == 2
    done = nb.score(3, asn=15169)
    assert (len(done), done.suspicious) == (2, 1)
    assert str(done) == "2 connections scored 3, 1 of them a suspicious connection of the day"
    assert by_peer(nb)[IP, "8.8.8.8", 53] == 3
    assert len(scores(nb)) == 5
    assert len(nb.score(1, peer="8.8.8.8", port=443)) == 1
    assert len(nb.score(1, peer=["2606:4700:0::1", "192.0.2.1"])) == 1
    assert ("10.0.0.2", "8.8.8.8", 443) not in by_peer(nb)


def test_suspicious_connections_keep_their_time_and_are_feedback(
    nb: ft.FlowThreatInvestigation,
) -> None:
    assert nb.store is not None
    done = nb.score(3, peer="8.8.8.8")
    assert (len(done), done.suspicious) == (2, 1)
    assert {row["tstart"] for row in scores(nb)} == {"2013-09-15 10:00:00", "2013-09-15 11:00:00"}
    left = queries.suspicious_connections(nb.store, DAY)
    assert left["dstip"].to_pylist() == [TWO_WAY, "8.8.8.8"]
    import datetime as dt

    feedback = feedback_before(nb.store, DAY + dt.timedelta(days=1), 5)
    assert feedback["dport"].to_pylist() == [443]


def test_undo_restores_exactly_what_was_there(nb: ft.FlowThreatInvestigation) -> None:
    assert nb.store is not None
    queries.score_connection(nb.store, DAY, 2, srcip=IP, dport=443)
    queries.score_connection(nb.store, DAY, 3, srcip="10.0.0.2")
    before = scores(nb)
    assert len(before) == 2
    nb.score(1, port=443)
    between = scores(nb)
    nb.score(2, peer=["8.8.8.8", TWO_WAY])
    assert nb.undo() == 4
    assert scores(nb) == between
    assert nb.undo() == 2
    assert scores(nb) == before
    with pytest.raises(ArgumentError, match="nothing to undo"):
        nb.undo()


def test_undo_leaves_what_somebody_else_scored_since(nb: ft.FlowThreatInvestigation) -> None:
    assert nb.store is not None
    nb.score(1, peer=["8.8.8.8", TWO_WAY])
    queries.score_connection(nb.store, DAY, 3, dstip="8.8.8.8", dport=443)
    assert nb.undo() == 3
    assert by_peer(nb) == {(IP, "8.8.8.8", 443): 3, ("10.0.0.2", "8.8.8.8", 443): 3}


def test_scores_make_the_list_of_threats(nb: ft.FlowThreatInvestigation) -> None:
    nb.score(1, peer=IPV6)
    assert nb.threats()["ip"].to_pylist() == [IP, IPV6]
    assert nb.search(IP).scores["score"].tolist() == [1]
    nb.undo()
    assert nb.threats().num_rows == 0


def test_invalid_scores(nb: ft.FlowThreatInvestigation) -> None:
    for risk in (0, 4, True, "1"):
        with pytest.raises(ArgumentError, match=r"give 1 \(high risk\), 2 \(medium\) or 3 \(low\)"):
            nb.score(risk, port=443)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="no connections selected; give peer="):
        nb.score(1)
    with pytest.raises(ArgumentError, match="invalid IP address 'web'"):
        nb.score(1, peer="web")
    with pytest.raises(ArgumentError, match="invalid port 'https'; give one or several integers"):
        nb.score(1, port="https")  # type: ignore[arg-type]
    assert len(nb.score(1, port=9)) == 0
    assert len(nb.score(1, asn=1)) == 0
    assert scores(nb) == []
    with pytest.raises(ArgumentError, match="nothing to undo"):
        nb.undo()


def test_concurrent_scores_lose_nothing(tmp_path: Path, server: Server) -> None:
    url = server.new_database()
    analysts = [investigation(tmp_path, table(*ROWS), url) for _ in range(4)]
    chosen = [{"port": 53}, {"peer": IPV6}, {"peer": TWO_WAY}, {"port": 443, "peer": "8.8.8.8"}]
    for nb in analysts:
        nb.search(IP)

    def work(number: int) -> None:
        for risk in (1, 2, 3, 1):
            analysts[number].score(risk, **chosen[number])  # type: ignore[arg-type]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert [row["score"] for row in scores(analysts[0])] == [1] * 5
    for nb in analysts:
        for _ in range(4):
            nb.undo()
    assert scores(analysts[0]) == []

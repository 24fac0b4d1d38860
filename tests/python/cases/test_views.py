"""Views: one count, one word, and the quality of the flows beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.threat_investigation.scoring import threats
from small_logs import canonical, zeek

pytest.importorskip("msticpy")

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
COUNTS = {sample.SCAN.peer: (188, 72), sample.BEACON.peer: (288, 0)}
"""Allowed and denied flows of two peers of the host."""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A log of 360 rows, 201 of them with a port that is no number."""
    rows: list[dict[str, Any]] = [{"id.orig_p": "many" if n < 201 else 50_000} for n in range(360)]
    return zeek(tmp_path / "conn.log", *rows)


def total(table: pa.Table, name: str, peer: str, *ends: str) -> int:
    mask = pc.equal(table[ends[0]], peer)
    for end in ends[1:]:
        mask = pc.or_(mask, pc.equal(table[end], peer))
    return int(pc.sum(table.filter(mask)[name]).as_py() or 0)


@pytest.mark.parametrize("peer", COUNTS)
def test_all_views_count_the_same_flows_of_a_peer(peer: str) -> None:
    day = sample.office_day()
    search = ft.expanded_search(day, sample.HOST_IP)
    index = ft.flow_index(day)
    by_end = [ft.top_n(day, key=end, by="flows", n=1000) for end in ("src_ip", "dst_ip")]
    sets = ft.connection_sets(search, sample.HOST_IP)
    allowed = {
        "flow_index": total(index, "TotalAllowedFlows", peer, "source", "dest"),
        "top_n": sum(total(t, "flows", peer, t.column_names[0]) for t in by_end),
        "expanded_search": total(search, "connections", peer, "src_ip", "dst_ip"),
        "connection_sets": total(sets, "connections", peer, "peer"),
    }
    denied = {
        "flow_index": total(index, "denied_flows", peer, "source", "dest"),
        "top_n": sum(total(t, "denied_flows", peer, t.column_names[0]) for t in by_end),
        "expanded_search": total(search, "denied_connections", peer, "src_ip", "dst_ip"),
        "connection_sets": total(sets, "denied_connections", peer, "peer"),
    }
    assert set(allowed.values()) == {COUNTS[peer][0]}
    assert set(denied.values()) == {COUNTS[peer][1]}
    records = day.filter(pc.or_(pc.equal(day["src_ip"], peer), pc.equal(day["dst_ip"], peer)))
    packets = sum(pc.sum(records[name]).as_py() for name in ("src_packets", "dst_packets"))
    (row,) = sets.filter(pc.equal(sets["peer"], peer)).to_pylist()
    assert row["mean_packets"] == packets / sum(COUNTS[peer])


@pytest.mark.parametrize("peer", COUNTS)
def test_the_threat_list_counts_as_the_tables_of_the_host_do(tmp_path: Path, peer: str) -> None:
    from threat_work import investigation

    day = sample.office_day()
    at = day["start_time"][0].as_py().date()
    nb = investigation(tmp_path, day, day=at)
    assert nb.store is not None
    result = nb.run(sample.HOST_IP, options=["top_tables"])
    nb.score(1, peer=peer)
    (threat,) = [row for row in threats(nb.store, at).to_pylist() if row["ip"] == peer]
    tables = (result.top_sources_by_connections, result.top_destinations_by_connections)
    rows = [row for table in tables for row in table.to_dict("records") if row["peer"] == peer]
    shown = {(row["connections"], row["denied_connections"]) for row in rows}
    assert shown == {COUNTS[peer]}
    assert (threat["connections"], threat["denied_connections"]) == COUNTS[peer]


def list_of_threats(folder: Path, flows: pa.Table, host: str, limit: int) -> dict[str, Any]:
    """Counts in the list of threats after `oa score`, and after the notebook scored as well."""
    from flowtriage.oa import queries
    from oa_work import settings_in

    day = flows["start_time"][0].as_py().date()
    settings = settings_in(folder)
    log = folder / "log.parquet"
    pq.write_table(flows, log)
    oa = ft.FlowOA(day, [log], settings=settings, limit=limit)
    oa.run()
    suspicious = oa.store.read("flow_scores", day=day).to_pylist()
    connections = {
        (row["srcip"], row["dstip"], row["sport"], row["dport"])
        for row in suspicious
        if host in (row["srcip"], row["dstip"])
    }
    scored = [
        queries.score_connection(oa.store, day, 1, **{end: host}) for end in ("srcip", "dstip")
    ]
    assert sum(scored) == len(connections) > 0
    nb = ft.FlowThreatInvestigation(oa.store, day, configuration=settings, silent=True)

    def listed() -> tuple[int, int]:
        (row,) = [row for row in nb.threats().to_pylist() if row["ip"] == host]
        return row["connections"], row["denied_connections"]

    found = {"oa score": listed()}
    connected = nb.search(host).search.connections
    (peer,) = {row[end] for row in connected.to_pylist() for end in ("src_ip", "dst_ip")} - {host}
    assert len(nb.score(1, peer=peer)) == connected.num_rows
    found["nb.score"] = listed()
    return found


@pytest.mark.filterwarnings("ignore::flowtriage.quality.QualityWarning")
@pytest.mark.parametrize(
    ("peer", "limit"),
    [(sample.SCAN.peer, 60), (sample.SCAN.peer, 10_000), (sample.BEACON.peer, 10_000)],
)
def test_the_threat_list_counts_alike_whoever_scored(tmp_path: Path, peer: str, limit: int) -> None:
    found = list_of_threats(tmp_path, sample.office_day(), peer, limit)
    assert found == {"oa score": COUNTS[peer], "nb.score": COUNTS[peer]}


@pytest.mark.filterwarnings("ignore::flowtriage.quality.QualityWarning")
def test_records_of_several_flows_count_as_their_flows_in_the_threat_list(tmp_path: Path) -> None:
    facts = {"dst_ip": "45.33.32.156", "protocol": "tcp", "src_bytes": 99, "src_packets": 2}
    facts |= {"dst_bytes": 0, "dst_packets": 0}
    flows = canonical(
        20,
        flows=[3, 0] * 10,
        denied_flows=[0, 2] * 10,
        **{name: [value] * 20 for name, value in facts.items()},
    )
    found = list_of_threats(tmp_path, flows, "45.33.32.156", 100)
    assert found == {"oa score": (30, 20), "nb.score": (30, 20)}
    search = ft.expanded_search(flows, "45.33.32.156")
    assert total(search, "connections", "45.33.32.156", "dst_ip") == 30


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_run_states_bad_rows_under_its_heading(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = ft.NetworkFlowSummary().run("10.20.0.5", data=bad, options=["flow_summary"])
    shown = capsys.readouterr().out
    assert "201 of 360" in shown
    assert shown.index("201 of 360") < shown.index("Flow Index.")
    assert "159 of 159 flows" not in shown
    assert result.report.rows_bad == 201
    assert result.sections[0].title == "Host Network Summary"


def test_a_silent_run_warns_once_and_has_the_report(bad: Path) -> None:
    with pytest.warns(UserWarning, match="201 of 360 rows") as caught:
        result = ft.NetworkFlowSummary(silent=True).run("10.20.0.5", data=bad)
    assert len([one for one in caught if "201 of 360" in str(one.message)]) == 1
    assert (result.report.rows_read, result.report.rows_bad) == (360, 201)


def test_a_silent_run_warns_once_of_a_host_without_flows() -> None:
    flows = canonical(2, dst_ip=["1.1.1.1", "8.8.8.8"])
    nb = ft.NetworkFlowSummary(silent=True)
    with pytest.warns(UserWarning, match="Host not found: nohost does not occur in") as caught:
        result = nb.run("nohost", data=flows)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(result.flow_index) == 0
    investigation = ft.FlowThreatInvestigation(flows, silent=True)
    with pytest.warns(UserWarning, match="Host not found: 9.9.9.9 does not occur in") as caught:
        investigation.run("9.9.9.9")
    with pytest.warns(UserWarning, match="9.9.9.9 does not occur in") as caught:
        investigation.search("9.9.9.9")
    assert [one.filename for one in caught] == [__file__]


def test_a_run_names_what_was_found() -> None:
    flows = canonical(2, dst_ip=["1.1.1.1", "8.8.8.8"])
    nb = ft.NetworkFlowSummary(silent=True)
    given = ["10.20.0.5", "nohost", "192.0.2.0/24", "9.9.9.9"]
    with pytest.warns(UserWarning, match="nohost, 9.9.9.9, 192.0.2.0/24 do not occur in the 2"):
        result = nb.run(given, data=flows)
    assert result.description == "Network flow summary for 10.20.0.5"
    assert result.flow_index["TotalAllowedFlows"].sum() == 2
    assert not result.host_entity.HostName


def test_an_investigation_states_bad_rows(bad: Path) -> None:
    with pytest.warns(UserWarning, match="201 of 360 rows"):
        nb = ft.FlowThreatInvestigation(bad, silent=True)
        result = nb.run("10.20.0.5", options=["top_tables"])
    assert result.report.rows_bad == 201


def test_functions_warn_of_bad_rows_of_every_source(bad: Path) -> None:
    pandas = pytest.importorskip("pandas")
    names = next(line for line in bad.read_text().splitlines() if line.startswith("#fields"))
    frame = pandas.read_csv(bad, sep="\t", comment="#", names=names.split("\t")[1:], dtype=str)
    sources = (bad, [bad], str(bad.parent / "*.log"), frame, pa.Table.from_pandas(frame))
    for source in sources:
        for function in (ft.flow_index, ft.classify_direction, ft.stitch):
            with pytest.warns(UserWarning, match="201 of 360") as caught:
                function(source)
            assert {one.filename for one in caught} == {__file__}
        with pytest.warns(UserWarning, match="201 of 360") as caught:
            ft.expanded_search(source, "10.20.0.5")
        assert {one.filename for one in caught} == {__file__}


def test_flows_and_records_are_different_numbers(tmp_path: Path) -> None:
    report = ft.read_flows(canonical(2, flows=[5, 7])).report
    facts = report.facts()
    assert facts["Records"] == "2"
    assert facts["Flows"] == "12"


def test_an_earlier_result_of_a_notebooklet_stays_the_earlier_one(tmp_path: Path) -> None:
    listed = tmp_path / "drop.txt"
    listed.write_text("1.1.1.0/24\n8.8.8.0/24\n")
    providers = ft.DataProviders(
        "LocalFlows", ["blocklists"], LocalFlows_paths=listed, blocklists_paths=listed
    )
    nb = ft.NetworkFlowSummary(providers, silent=True)
    first = nb.run("10.20.0.5", data=canonical(dst_ip=["1.1.1.1"]))
    second = nb.run("10.20.0.5", data=canonical(dst_ip=["8.8.8.8"]))
    first.select_asns()
    first.lookup_ti_for_asn_ips()
    assert first.ti_results is not None
    assert first.ti_results["Ioc"].tolist() == ["1.1.1.1"]
    assert second.ti_results is None
    second.select_asns()
    second.lookup_ti_for_asn_ips()
    assert second.ti_results is not None
    assert second.ti_results["Ioc"].tolist() == ["8.8.8.8"]
    assert first.ti_results["Ioc"].tolist() == ["1.1.1.1"]


def test_a_method_of_a_notebooklet_works_on_its_latest_result() -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    first, second = (
        nb.run("10.20.0.5", data=canonical(dst_ip=[peer])) for peer in ("1.1.1.1", "8.8.8.8")
    )
    nb.select_asns("AS15169")
    assert second.asn_selector is not None
    assert [label.split()[0] for label in second.asn_selector.selected_items] == ["AS15169"]
    first.select_asns()
    assert first.asn_selector is not None
    assert [label.split()[0] for label in first.asn_selector.selected_items] == ["AS13335"]
    assert [label.split()[0] for label in second.asn_selector.selected_items] == ["AS15169"]

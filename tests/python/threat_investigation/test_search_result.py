"""The result of searching an address: its sums, tables and sections."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError
from threat_work import (
    FLOWS,
    IP,
    IPV6,
    TWO_WAY,
    flow,
    investigation,
    random_flows,
    settings_in,
    table,
)

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TABLES = {
    "top_sources_by_connections": "Top 4 source IP by connections",
    "top_sources_by_bytes": "Top 4 source IP per bytes transfered",
    "top_destinations_by_connections": "Top 4 destination IP by connections",
    "top_destinations_by_bytes": "Top 4 destination IP per bytes transfered",
}


def naive_peers(rows: list[dict[str, Any]], ip: str) -> dict[str, dict[str, Any]]:
    """Sums of every peer, by initiator of the connection."""
    ends: dict[str, dict[str, Any]] = {"src_ip": {}, "dst_ip": {}}
    for row in rows:
        for end, other in (("src_ip", "dst_ip"), ("dst_ip", "src_ip")):
            if row[other] == ip:
                sums = ends[end].setdefault(row[end], defaultdict(int))
                sums["connections"] += row["flows"]
                for name in ("src_bytes", "dst_bytes"):
                    sums[name] += row[name] or 0
                sums["times"] = [*(sums["times"] or []), row["start_time"], row["end_time"]]
    return ends


def test_tables_equal_a_naive_version_in_both_directions() -> None:
    rows = random_flows()
    nb = ft.FlowThreatInvestigation(table(*rows), top_results=4, silent=True)
    for ip in (IP, TWO_WAY, IPV6):
        result = nb.run(ip, options=["top_tables"])
        naive = naive_peers(rows, ip)
        for end, name, own in (
            ("src_ip", "top_sources", "src_bytes"),
            ("dst_ip", "top_destinations", "dst_bytes"),
        ):
            peers = naive[end]
            for by in ("connections", "bytes"):

                def measure(peer: str, peers: Any = peers, by: str = by) -> int:
                    sums = peers[peer]
                    return (
                        sums["connections"]
                        if by == "connections"
                        else (sums["src_bytes"] + sums["dst_bytes"])
                    )

                found = getattr(result, f"{name}_by_{by}")
                expected = sorted(map(measure, peers), reverse=True)[:4]
                assert found[by].tolist() == expected
                for row in found.to_dict("records"):
                    sums = peers[row["peer"]]
                    assert row[by] == measure(row["peer"])
                    assert row["bytes_from_peer"] == sums[own]
                    assert row["first_seen"] == min(sums["times"])
                    assert row["last_seen"] == max(sums["times"])
        two_way = set(naive["src_ip"]) & set(naive["dst_ip"])
        assert set(result.two_way["peer"]) == two_way
        assert set(result.peers["peer"]) == set(naive["src_ip"]) | set(naive["dst_ip"])
        one_way = (result.inbound, result.outbound)
        if ip != IP:
            one_way = one_way[::-1]
        for frame, end in zip(one_way, ("src_ip", "dst_ip"), strict=True):
            assert set(frame["peer"]) == set(naive[end]) - two_way


def test_sections_are_titled_as_in_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, top_results=4)
    result = nb.run(IP)
    assert result.sections[1].title == "Findings about the address"
    assert [s.title for s in result.sections[2:6]] == list(TABLES.values())
    out = capsys.readouterr().out
    for part in (*TABLES.values(), "Two way peers", "Timeline of the address"):
        assert part in out
    assert "4 distinct connections with 3 peers" in out
    assert result.plot_timeline is not None
    shown = result.sections[2].contents[0]
    expected = ["peer", "direction", "connections", "denied_connections", "bytes"]
    assert shown.column_names[:5] == expected  # type: ignore[attr-defined]


def test_options_choose_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, silent=True)
    result = nb.run(IP, options=["connections"])
    assert [s.title for s in result.sections[1:]] == ["Connections of the address"]
    assert result.plot_timeline is None
    assert capsys.readouterr().out == ""
    with pytest.raises(ArgumentError, match="unknown options: 'tables'"):
        nb.run(IP, options=["tables"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'top'"):
        nb.run(IP, top=3)


def test_peers_have_facts_from_configured_files(tmp_path: Path) -> None:
    (tmp_path / "context.csv").write_text("ip,name\n203.0.113.0/24,partner\n")
    (tmp_path / "ranges.csv").write_text("start_ip,end_ip,name\n8.8.8.0,8.8.8.255,own\n")
    line = ["3405803776", "3405804031", "NL", "Netherlands", "Holland", "Hoorn", "52.6", "5.06"]
    fields = ",".join(f'"{field}"' for field in [*line, "Partner BV", "partner.example"])
    (tmp_path / "iploc.csv").write_text(fields + "\n")
    settings = settings_in(
        tmp_path,
        network_context=tmp_path / "context.csv",
        ipranges=tmp_path / "ranges.csv",
        iploc=tmp_path / "iploc.csv",
    )
    nb = ft.FlowThreatInvestigation(FLOWS, configuration=settings, silent=True)
    peers = nb.run(IP).search.peers
    by_ip = {row["peer"]: row for row in peers.to_pylist()}
    partner, google = by_ip[TWO_WAY], by_ip["8.8.8.8"]
    assert (partner["context"], partner["domain"]) == ("partner", "partner.example")
    assert (partner["latitude"], partner["longitude"]) == (52.6, 5.06)
    assert partner["location"] == "Holland;Hoorn Partner BV"
    assert (google["asn"], google["country"], google["context"]) == (15169, "US", None)
    assert google["latitude"] == pytest.approx(39.5)
    assert by_ip["10.0.0.2"]["latitude"] is None
    # By these ranges the address is outside, and those it began connections to are inbound.
    assert google["direction"] == "inbound"


def test_inbound_and_outbound_by_the_wording_of_the_seed() -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, silent=True)
    inbound, outbound, two_way = nb_conns(nb, IP)
    assert (list(inbound), list(outbound), list(two_way)) == (["10.0.0.2"], ["8.8.8.8"], [TWO_WAY])
    inbound, outbound, two_way = nb_conns(nb, "8.8.8.8")
    assert (list(inbound), list(outbound), list(two_way)) == ([], [IP, "10.0.0.2"], [])


def nb_conns(nb: ft.FlowThreatInvestigation, ip: str) -> Any:
    nb.run(ip)
    return nb.get_in_out_and_twoway_conns()


def test_dictionaries_are_ordered_by_bytes_and_by_connections() -> None:
    nb = ft.FlowThreatInvestigation(table(*random_flows()), silent=True)
    conns = {peer: facts for part in nb_conns(nb, IP) for peer, facts in part.items()}
    for top in (nb.get_top_bytes(conns, 3), nb.get_top_conns(conns, 3)):
        assert len(top) == 3
    assert [f["bytes"] for f in nb.get_top_bytes(conns, 9).values()] == sorted(
        (facts["bytes"] for facts in conns.values()), reverse=True
    )
    assert [f["connections"] for f in nb.get_top_conns(conns, 9).values()] == sorted(
        (facts["connections"] for facts in conns.values()), reverse=True
    )
    unknown = {"a": {"bytes": None}, "b": {"bytes": 0}, "c": {"bytes": 5}}
    assert list(nb.get_top_bytes(unknown, 5)) == ["c", "b", "a"]
    assert nb.get_top_bytes({}, 5) == {}
    with pytest.raises(ArgumentError, match="'a' has no 'connections'"):
        nb.get_top_conns(unknown, 5)
    with pytest.raises(ArgumentError, match="top results must be an integer of 1 or more, got 0"):
        nb.get_top_bytes(conns, 0)


def test_every_peer_of_the_timeline_has_a_lane() -> None:
    models = pytest.importorskip("bokeh.models")
    nb = ft.FlowThreatInvestigation(sample.office_day(), top_results=20, silent=True)
    result = nb.run(sample.HOST_IP, options=["plot_timeline"])
    peers = set(result.search.bins["series"].to_pylist())
    assert len(peers) == 20
    assert result.plot_timeline is not None
    axes = result.plot_timeline.select({"type": models.Axis})
    labels = [label.text for axis in axes for label in axis.major_label_overrides.values()]
    assert sorted(labels) == sorted(peers)


def test_an_address_that_does_not_occur(tmp_path: Path) -> None:
    def message(nb: ft.FlowThreatInvestigation) -> str:
        result = nb.run("192.0.2.77")
        assert result.peers.empty
        assert result.top_sources_by_bytes.empty
        return str(result.sections[0].contents[0])

    of_log = message(ft.FlowThreatInvestigation(FLOWS, silent=True))
    assert of_log.startswith("192.0.2.77 does not occur in the ")
    assert " records searched, 2013-09-15 " in of_log
    assert " UTC. Top sources: " in of_log
    assert IP in of_log
    nb = investigation(tmp_path, FLOWS)
    assert message(nb) == "192.0.2.77 does not occur in the flows searched."
    other = ft.FlowThreatInvestigation(
        nb.store, "2013-09-20", configuration=settings_in(tmp_path), silent=True
    )
    assert "has no flows of 2013-09-20" in message(other)
    assert "2013-09-15" in message(other)


def test_the_number_of_results_can_be_changed() -> None:
    nb = ft.FlowThreatInvestigation(table(*random_flows()), silent=True)
    nb.top_results = 1
    result = nb.search(IP)
    assert len(result.top_sources_by_bytes) == 1
    assert len(set(result.search.bins["series"].to_pylist())) == 1
    with pytest.raises(
        ArgumentError, match="top results must be an integer of 1 or more, got True"
    ):
        nb.top_results = True


def test_the_result_describes_itself_and_is_written(tmp_path: Path) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, silent=True)
    result = nb.run(IP)
    assert set(TABLES) <= set(result.properties)
    for name in result.properties:
        assert result.prop_doc(name)[1]
    assert "Two way peers: 1" in repr(result)
    assert "Top 20 source IP by connections" in result.write_html(tmp_path / "r.html").read_text()
    assert "Top n source IP by connections" in nb.get_help("md")
    assert {"start_investigation", "removeWidget", "score", "undo"} <= set(nb.get_methods())


@pytest.mark.parametrize(
    "path",
    [
        "zeek/zat_conn.log",
        "zeek/vast_ctu_conn.log.json.gz",
        "zeek/otrf_apt29_day1_NASHUA_conn.log",
        "argus/slips_test3-mixed.binetflow",
        "netflow/slips_test1.nfdump171.csv",
        "suricata/alaajili_2022_eve.json",
        "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    ],
)
def test_sums_of_real_logs_are_those_of_sql(shared: Path, path: str) -> None:
    import duckdb

    flows = ft.read_flows(shared / path).to_arrow()
    nb = ft.FlowThreatInvestigation(flows, top_results=5, silent=True)
    ip = nb.talkers()["ip"][0].as_py()
    result = nb.search(ip)
    connection = duckdb.connect()
    connection.register("flows", flows)
    for end, other, name in (
        ("src_ip", "dst_ip", "sources"),
        ("dst_ip", "src_ip", "destinations"),
    ):
        for by, measure in (
            ("connections", "sum(flows)"),
            ("bytes", "sum(coalesce(src_bytes, 0) + coalesce(dst_bytes, 0))"),
        ):
            query = f"""
                SELECT CAST({measure} AS BIGINT) FROM flows
                WHERE {other} = ? AND {end} IS NOT NULL
                GROUP BY {end} ORDER BY 1 DESC LIMIT 5
            """
            expected = [row[0] for row in connection.execute(query, [ip]).fetchall()]
            found = getattr(result, f"top_{name}_by_{by}")[by].fillna(0).tolist()
            assert found == expected


def test_an_address_that_talks_to_itself_is_its_own_peer(tmp_path: Path) -> None:
    nb = investigation(tmp_path, table(flow(IPV6, IPV6), flow(IPV6, TWO_WAY)))
    result = nb.search(IPV6.upper())
    assert result.two_way["peer"].tolist() == [IPV6]
    assert result.inbound["peer"].tolist() == [TWO_WAY]
    assert result.top_sources_by_bytes[["peer", "bytes"]].to_numpy().tolist() == [[IPV6, 1100]]
    assert len(result.top_destinations_by_bytes) == 2
    assert len(nb.score(1, peer=IPV6)) == 1
    assert nb.threats().to_pylist() == [
        {
            "ip": IPV6,
            "connections": 1,
            "as_source": 1,
            "as_destination": 0,
            "denied_connections": 0,
        }
    ]

"""The notebooklet `FlowThreatInvestigation`, used from code."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.configuration import StoreSettings
from flowtriage.errors import ArgumentError, MsticnbMissingParameterError
from flowtriage.oa import queries
from flowtriage.oa.check import check
from flowtriage.store.raw_flows import RawFlows
from oa_work import sample_day
from oa_work import settings_in as oa_settings
from threat_work import (
    DAY,
    FLOWS,
    IP,
    TWO_WAY,
    at,
    flow,
    investigation,
    random_flows,
    settings_in,
    suspicious,
    table,
)

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def test_the_list_has_addresses_of_high_risk(tmp_path: Path) -> None:
    nb = investigation(tmp_path, FLOWS)
    store = nb.store
    assert store is not None
    itself = flow("192.0.2.5", "192.0.2.5")
    rows = [
        flow(IP, "8.8.8.8"),
        flow(TWO_WAY, IP),
        itself,
        flow("10.0.0.2", IP, start_time=at(11)),
        flow("1.1.1.1", "8.8.8.8", dst_port=80),
    ]
    suspicious(store, *rows)
    suspicious(store, flow("9.9.9.9", IP), day=DAY + dt.timedelta(days=1))
    assert nb.threats().num_rows == 0
    queries.score_connection(store, DAY, 1, dport=443)
    queries.score_connection(store, DAY, 2, dport=80)
    queries.score_connection(store, DAY + dt.timedelta(days=1), 1, dport=443)
    assert [tuple(row.values()) for row in nb.threats().to_pylist()] == [
        (IP, 3, 1, 2, 0),
        ("10.0.0.2", 1, 1, 0, 0),
        ("192.0.2.5", 1, 1, 0, 0),
        (TWO_WAY, 1, 1, 0, 0),
        ("8.8.8.8", 1, 0, 1, 0),
    ]
    nb.search(TWO_WAY)
    nb.save("seen", "")
    assert TWO_WAY not in nb.threats()["ip"].to_pylist()
    nb.search(IP)
    nb.save("seen", "")
    assert nb.threats()["ip"].to_pylist() == ["10.0.0.2", "192.0.2.5", "8.8.8.8"]


def test_the_whole_flow_of_work(
    tmp_path: Path, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.parquet"
    day, flows = sample_day()
    import pyarrow.parquet as pq

    pq.write_table(flows, log)
    settings = oa_settings(tmp_path, store_url)
    oa = ft.FlowOA(day, [log], settings=settings, limit=30)
    oa.run()
    assert queries.score_connection(oa.store, day, 1, srcip=sample.HOST_IP)
    nb = ft.FlowThreatInvestigation(oa.store, configuration=settings, top_results=5)
    assert nb.day == day
    nb.start_investigation()
    shown = capsys.readouterr().out
    assert "Addresses scored as high risk" in shown
    assert sample.HOST_IP in shown
    nb.selected = sample.HOST_IP
    nb.search_ip()
    shown = capsys.readouterr().out
    assert "Top 5 source IP by connections" in shown
    assert f"Address: {sample.HOST_IP}" in shown
    assert nb.result is not None
    assert nb.result.ip == sample.HOST_IP
    assert len(nb.result.scores)
    nb.title, nb.comments = "beacon", "every five minutes"
    nb.save_threat_summary()
    shown = capsys.readouterr().out
    assert f"Story of {sample.HOST_IP} on {day} saved in" in shown
    assert sample.HOST_IP not in shown.split("Done")[0]
    assert (nb.result, nb.selected, nb.title, nb.comments) == (None, None, "", "")
    [story] = queries.story_board(oa.store, day).to_pylist()
    assert (story["title"], story["text"]) == ("beacon", "every five minutes")
    assert queries.time_line(oa.store, day, sample.HOST_IP).num_rows
    nb.search_ip(sample.HOST_IP)
    assert "every five minutes" in capsys.readouterr().out


def test_timeline_is_limited_to_the_peers_with_the_most_connections(tmp_path: Path) -> None:
    rows = random_flows()
    nb = investigation(tmp_path, table(*rows), top_results=2)
    nb.search(IP)
    nb.save("", "")
    assert nb.store is not None
    found = queries.time_line(nb.store, DAY, IP).to_pylist()
    count: dict[str, int] = defaultdict(int)
    mine = [r for r in rows if IP in (r["src_ip"], r["dst_ip"])]
    for row in mine:
        count[row["dst_ip"] if row["src_ip"] == IP else row["src_ip"]] += row["flows"]
    most = set(sorted(count, key=lambda peer: -count[peer])[:2])
    groups: dict[Any, list[Any]] = {}
    for row in mine:
        if {row["src_ip"], row["dst_ip"]} & most:
            key = [row[n] for n in ("src_ip", "dst_ip", "protocol", "src_port", "dst_port")]
            groups.setdefault(tuple(key), []).append(row)
    assert len(found) == len(groups)
    for row in found:
        keys = ("srcip", "dstip", "proto", "sport", "dport")
        group = groups[tuple(row[name] for name in keys)]
        sent = [r["src_bytes"] for r in group if r["src_bytes"] is not None]
        assert row["ibyt"] == (sum(sent) if sent else None)
        assert row["ipkt"] == sum(r["src_packets"] for r in group)
        assert row["tstart"] == f"{min(r['start_time'] for r in group):%Y-%m-%d %H:%M:%S}"
        assert row["tend"] == f"{max(r['end_time'] for r in group):%Y-%m-%d %H:%M:%S}"


def test_a_log_without_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, configuration=settings_in(tmp_path))
    assert nb.day == DAY
    nb.start_investigation()
    assert "Busiest addresses" in capsys.readouterr().out
    assert nb.threats().num_rows == 0
    assert nb.talkers().to_pylist()[0] == {"ip": IP, "connections": 2}
    nb.search_ip(IP)
    nb.save_threat_summary("title", "text")
    assert IP not in nb.talkers()["ip"].to_pylist()
    folder = tmp_path / "data" / "flow" / "2013-09-15"
    assert sorted(path.name for path in folder.iterdir()) == [
        "globe-10_0_0_1.json",
        "stats-10_0_0_1.json",
        "story-10_0_0_1.jsonl",
        "threat-dendro-10_0_0_1.json",
    ]
    with pytest.raises(ArgumentError, match="scores need a store; give store="):
        nb.search(IP)
        nb.score(1, port=443)


def test_a_log_with_a_store(tmp_path: Path) -> None:
    store = ft.FlowStore(f"duckdb:///{tmp_path}/flows.duckdb")
    settings = settings_in(tmp_path)
    for nb in (
        ft.FlowThreatInvestigation(FLOWS, store=store, configuration=settings, silent=True),
        ft.FlowThreatInvestigation(store, flows=FLOWS, configuration=settings, silent=True),
    ):
        assert nb.day == DAY
        assert len(nb.search(IP).peers) == 3
        nb.save("title", "text")
    assert store.count("flow_storyboard_history") == 2


def test_flows_of_the_store_are_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    investigation(tmp_path, FLOWS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    nb = ft.FlowThreatInvestigation(f"duckdb:///{tmp_path}/flows.duckdb", silent=True)
    assert nb.day == DAY
    assert len(nb.search(IP).connections) == 4
    by_folder = ft.FlowThreatInvestigation(flows=tmp_path / "flows", silent=True)
    assert len(by_folder.search(IP).connections) == 4
    empty = ft.FlowStore(f"duckdb:///{elsewhere}/flows.duckdb")
    with pytest.raises(ArgumentError, match="give date="):
        ft.FlowThreatInvestigation(empty.url)


def test_reading_creates_no_store(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/typo.duckdb"
    settings = settings_in(tmp_path)
    for arguments in ({"store_or_flows": url}, {"store_or_flows": FLOWS, "store": url}):
        with pytest.raises(ft.StoreError, match=f"store {url} does not exist"):
            ft.FlowThreatInvestigation(configuration=settings, date=DAY, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ft.StoreError, match=f"store {url} does not exist"):
        ft.FlowStore(url, create=False)
    check(replace(settings, store=StoreSettings(url=url)))
    assert not list(tmp_path.glob("*.duckdb*"))


def test_timespans_narrow_and_widen(tmp_path: Path) -> None:
    later = table(
        *FLOWS.to_pylist(), flow(IP, "1.1.1.1", start_time=at(3, day=DAY + dt.timedelta(days=1)))
    )
    nb = investigation(tmp_path, later)
    assert len(nb.search(IP).peers) == 3
    found = nb.search(IP, timespan=(at(11), at(12)))
    assert found.peers["peer"].tolist() == ["10.0.0.2"]
    searched = f"{at(11):%Y-%m-%d} 11:00:00 – {at(12):%Y-%m-%d} 12:00:00 UTC"
    assert found.facts()["Searched timespan"] == searched
    wide = (at(0), at(0) + dt.timedelta(days=2))
    assert len(nb.search(IP, timespan=wide).peers) == 4
    assert nb.day == DAY
    by_span = ft.FlowThreatInvestigation(nb.store, configuration=settings_in(tmp_path), silent=True)
    next_day = at(0) + dt.timedelta(days=1)
    assert len(by_span.run(IP, start=next_day, end=next_day + dt.timedelta(hours=5)).peers) == 1
    assert by_span.day == DAY + dt.timedelta(days=1)
    of_log = ft.FlowThreatInvestigation(later, DAY, silent=True)
    assert len(of_log.search(IP).peers) == 3
    assert len(ft.FlowThreatInvestigation(later, silent=True).search(IP).peers) == 4


def test_flows_without_a_time_are_searched() -> None:
    timeless = table(
        flow(IP, TWO_WAY), flow(IP, "8.8.8.8") | {"start_time": None, "end_time": None}
    )
    nb = ft.FlowThreatInvestigation(timeless, silent=True)
    assert len(nb.search(IP).peers) == 2
    none = ft.FlowThreatInvestigation(timeless.slice(1), silent=True)
    assert none.search(IP).connections["first_seen"].isna().all()
    assert none.talkers()["ip"].to_pylist() == [IP]
    with pytest.raises(ArgumentError, match="no flow has a time"):
        none.save("", "")


def test_values_that_are_an_address_and_others() -> None:
    from msticpy.datamodel.entities import IpAddress

    nb = ft.FlowThreatInvestigation(FLOWS, silent=True)
    assert nb.run(IpAddress(Address=f"::ffff:{IP}")).ip == IP
    for value in ("web01", "10.0.0.0/8", "<b>"):
        with pytest.raises(ArgumentError, match="is not one address"):
            nb.run(value)
    for several in ("10.0.0.0/8", [IP, "10.0.0.2"], ipaddress.ip_network("10.0.0.0/24")):
        with pytest.raises(ArgumentError, match="one address; .*NetworkFlowSummary"):
            nb.run(several)  # type: ignore[arg-type]
    assert nb.run([IP]).ip == IP  # type: ignore[arg-type]
    with pytest.raises(MsticnbMissingParameterError, match="value is missing"):
        ft.FlowThreatInvestigation(FLOWS, silent=True).search_ip()
    with pytest.raises(MsticnbMissingParameterError, match="no flows to search"):
        ft.FlowThreatInvestigation(silent=True).run(IP)
    with pytest.raises(ArgumentError, match="no address searched yet"):
        ft.FlowThreatInvestigation(FLOWS, silent=True).save("", "")
    with pytest.raises(ArgumentError, match="top results must be an integer of 1 or more, got 0"):
        ft.FlowThreatInvestigation(FLOWS, top_results=0)


def test_flows_given_to_run_and_from_providers(tmp_path: Path) -> None:
    nb = ft.FlowThreatInvestigation(silent=True)
    assert len(nb.run(IP, data=FLOWS).peers) == 3
    import pyarrow.parquet as pq

    pq.write_table(FLOWS, tmp_path / "log.parquet")
    providers = ft.DataProviders("LocalFlows", LocalFlows_paths=[str(tmp_path / "log.parquet")])
    asked = ft.FlowThreatInvestigation(data_providers=providers, silent=True)
    with pytest.raises(MsticnbMissingParameterError, match="give timespan="):
        asked.run(IP)
    assert len(asked.run(IP, start=at(0), end=at(23)).peers) == 3
    assert asked.run(IP, start=at(11), end=at(23)).peers["peer"].tolist() == ["10.0.0.2"]
    dated = ft.FlowThreatInvestigation(date=DAY, data_providers=providers, silent=True)
    assert len(dated.run(IP).peers) == 3


def test_tables_and_parts_are_shown_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS)
    frame = nb.search(IP).connections
    for rows in (frame, pa.Table.from_pandas(frame)):
        nb.display_results(["dst_ip", "connections"], rows, 1)
        shown = capsys.readouterr().out
        assert "dst_ip" in shown
        assert "src_ip" not in shown
        assert len(shown.strip().splitlines()) == 4
    with pytest.raises(ArgumentError, match="no column 'nowhere'"):
        nb.display_results(["nowhere"], frame, 1)
    nb.display_controls([IP, "2001:DB8::1"])
    assert "2001:db8::1" in capsys.readouterr().out
    nb.display_threat_box(IP)
    assert nb.view.parts == ["controls", "threat_box"]
    nb.removeWidget(0)
    assert nb.view.parts == ["threat_box"]
    with pytest.raises(ArgumentError, match="no part 1; 1 is displayed"):
        nb.removeWidget(1)


def test_raw_flows_are_read_by_address(tmp_path: Path) -> None:
    investigation(tmp_path, FLOWS)
    nb = ft.FlowThreatInvestigation(flows=RawFlows(tmp_path / "flows"), date=DAY, silent=True)
    flows = nb.search("10.0.0.2").search.flows.to_arrow()
    assert flows.num_rows == 2
    assert "host" not in flows.column_names
    assert {"service", "state", "tcp_flags"} <= set(flows.column_names)

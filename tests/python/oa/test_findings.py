"""Findings of a day in the store: the same as of `hunt`, replaced with the run, read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from command_line import run
from findings import HOSTILE, finding, table
from flowtriage import sample
from flowtriage.detect import FINDINGS, SEVERITIES, AllowList, allowed, detector_status, flows_of
from flowtriage.detect.stored import as_findings, as_rows
from flowtriage.errors import ArgumentError, StoreError
from flowtriage.oa import queries
from flowtriage.store import MADE_BY_RUN
from flowtriage.store.tables import MIGRATIONS
from oa_work import NIGHT, sample_day, settings_in, snapshot

pytestmark = pytest.mark.extra


@pytest.fixture
def oa(tmp_path: Path, store_url: str) -> ft.FlowOA:
    day, flows = sample_day()
    return ft.FlowOA(day, flows, settings=settings_in(tmp_path, store_url), limit=20)


def test_a_run_stores_what_hunt_finds(oa: ft.FlowOA) -> None:
    done = oa.run()
    _, flows = sample_day()
    expected = ft.hunt(flows)
    stored = oa.findings()
    assert stored.equals(expected)
    assert stored.schema.equals(expected.schema, check_metadata=True)
    steps = {step.name: (step.count, step.note) for step in done.steps}
    assert steps["hunt"] == (7, "1 high, 2 warning, 4 information")
    assert steps["findings"] == (7, "7 rows of flow_findings")
    assert "Run the detectors" in str(done)
    assert oa.store.count("flow_findings") == 7
    assert oa.store.read("flow_findings", order=["rank"])["rank"].to_pylist() == list(range(7))
    first = stored.to_pylist()[0]
    assert flows_of(flows, first).num_rows == sample.UPLOAD.flows


def test_the_database_reads_evidence_and_selects_flows(oa: ft.FlowOA) -> None:
    oa.run()
    rows = oa.store.query(
        "SELECT summary, evidence, context, first_seen FROM flow_findings "
        "WHERE detector = 'beacons' AND severity = 'warning'"
    ).to_pylist()
    [row] = rows
    assert {one["name"]: one["value"] for one in json.loads(row["evidence"])}["calls"] == 288
    assert json.loads(row["context"]) == []
    assert row["first_seen"] == "2026-03-02 00:00:35.586092"


def test_a_run_again_replaces_the_findings_of_its_day_only(oa: ft.FlowOA) -> None:
    oa.run()
    before = snapshot(oa.store)
    with oa.store.transaction() as transaction:
        transaction.append("flow_findings", NIGHT, pa.table({"finding": ["of another day"]}))
    _, flows = sample_day()
    outbound = flows.filter(pc.equal(flows["src_ip"], sample.HOST_IP))
    half = ft.FlowOA(oa.day, outbound, settings=oa.settings, store=oa.store, limit=20)
    half.run()
    assert half.findings().equals(ft.hunt(outbound))
    assert half.findings().num_rows < 7
    assert oa.store.read("flow_findings", day=NIGHT)["finding"].to_pylist() == ["of another day"]
    with oa.store.transaction() as transaction:
        transaction.delete("flow_findings", NIGHT)
    oa.run()
    assert snapshot(oa.store) == before


def test_findings_alone_are_found_again(oa: ft.FlowOA) -> None:
    oa.run()
    before = snapshot(oa.store)
    with oa.store.transaction() as transaction:
        transaction.delete("flow_findings", oa.day)
        transaction.delete("flow_detectors", oa.day)
    assert oa.findings().num_rows == 0
    assert detector_status(oa.findings()).num_rows == 0
    done = oa.run(["findings"])
    assert [step.name for step in done.steps] == ["findings"]
    assert done.report is not None
    assert snapshot(oa.store) == before


def test_the_detectors_run_before_the_store_is_locked(
    oa: ft.FlowOA, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtriage.oa import day as module

    find, counts = module.find, []

    def reads(*arguments: Any) -> pa.Table:
        counts.append(ft.FlowStore(oa.store.url, wait=0).count("flow_findings"))
        return find(*arguments)

    if "postgresql" in oa.store.url:
        pytest.skip("PostgreSQL does not lock the store")
    monkeypatch.setattr(module, "find", reads)
    oa.run()
    oa.run(["findings"])
    assert counts == [0, 7]


def test_a_preview_stores_nothing(oa: ft.FlowOA) -> None:
    [step] = oa.run(["hunt"]).steps
    assert step.count == 7
    assert oa.store.count("flow_findings") == 0


def test_a_failed_run_keeps_the_findings(oa: ft.FlowOA) -> None:
    oa.run()
    before = oa.findings()
    _, flows = sample_day()
    other = ft.FlowOA(oa.day, flows.slice(0, 2000), settings=oa.settings, store=oa.store, limit=20)
    with oa.store.transaction() as transaction:
        transaction.execute("DROP VIEW spot_flow_ingest_summary")
        transaction.execute("DROP INDEX flow_ingest_summary_day")
        transaction.execute("ALTER TABLE flow_ingest_summary RENAME TO hidden")
    with pytest.raises(StoreError, match="flow_ingest_summary"):
        other.run()
    assert oa.findings().equals(before)
    assert oa.store.count("flow_findings") == 7


def test_the_tables_are_those_of_a_run() -> None:
    assert {"flow_findings", "flow_detectors"} <= set(MADE_BY_RUN)


def test_queries_select_and_hide(oa: ft.FlowOA) -> None:
    oa.run()
    warning = queries.findings(oa.store, oa.day, min_severity="warning")
    assert warning["severity"].to_pylist() == ["high", "warning", "warning"]
    of_peer = queries.findings(oa.store, oa.day, [sample.SCAN.peer, "10.20.5.0/24"])
    assert of_peer["detector"].to_pylist() == ["port_scans", "beacons"]
    allow = AllowList()
    allow.add(dest=sample.UPLOAD.peer, reason="backup")
    shown = oa.findings(allow=allow)
    hidden = allowed(shown)
    assert (shown.num_rows, hidden.num_rows) == (5, 2)
    assert hidden["context"].to_pylist()[0][-1] == "allowed: backup"
    assert oa.store.count("flow_findings") == 7
    with pytest.raises(ArgumentError, match="unknown severity 'low'"):
        oa.findings(min_severity="low")


def test_a_day_without_flows_has_no_findings_and_says_why(tmp_path: Path, store_url: str) -> None:
    line = "2013-09-15 23:44:10\t2013\t9\t15\t23\t44\t10\t0.5\t10.0.0.1\t192.0.2.1\t1024\t53\tUDP"
    file = tmp_path / "flow_results.csv"
    file.write_text(line + "\t1\t60\t0\t0\t1e-8\n")
    oa = ft.FlowOA(NIGHT, settings=settings_in(tmp_path, store_url), results=file)
    done = oa.run()
    [step] = [step for step in done.steps if step.name == "hunt"]
    assert step.count == 0
    assert step.note.startswith("none; not run: beacons, retries,")
    assert step.note.endswith("(the day has no flows)")
    status = detector_status(oa.findings()).to_pylist()
    assert len(status) == 10
    assert {row["ran"] for row in status} == {False}


def test_internal_networks_are_those_of_the_configuration(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ranges = tmp_path / "ipranges.csv"
    ranges.write_text(f"{sample.HOST_IP},{sample.HOST_IP},desk\n")
    context = replace(settings.context, ipranges=ranges)
    day, flows = sample_day()
    oa = ft.FlowOA(day, flows, settings=replace(settings, context=context), limit=5)
    oa.run()
    assert oa.findings().equals(ft.hunt(flows, internal=ranges))
    assert not oa.findings().equals(ft.hunt(flows))


def test_any_finding_comes_back_from_both_databases(store_url: str) -> None:
    store = ft.FlowStore(store_url)
    rows = [
        finding(as_name=HOSTILE, summary=HOSTILE, context=[HOSTILE, "a, b"], protocol=HOSTILE),
        finding(source=None, dest=None, dst_port=None, protocol=None, evidence=[], context=[]),
        finding(first_seen=None, last_seen=None, bytes_out=None, bytes_in=None, dst_port=65535),
        finding(evidence=[{"name": "n", "value": 0.1 + 0.2, "threshold": None}], score=1 / 3),
    ]
    findings = table(*rows)
    with store.transaction() as transaction:
        transaction.replace_day("flow_findings", NIGHT, as_rows(findings))
    empty = store.read("flow_detectors")
    assert as_findings(store.read("flow_findings", day=NIGHT), empty).equals(findings)
    with store.transaction() as transaction:
        transaction.append("flow_findings", NIGHT, pa.table({"evidence": ["{"], "rank": [9]}))
    with pytest.raises(StoreError, match="flow_findings has values that do not fit"):
        queries.findings(store, NIGHT)


def test_an_earlier_store_gets_the_tables(
    store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from flowtriage.store import store as module

    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS[:4])
    old = ft.FlowStore(store_url)
    with old.transaction() as transaction:
        transaction.append("flow_chords", NIGHT, pa.table({"ip_threat": ["192.0.2.1"]}))
    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS)
    new = ft.FlowStore(store_url)
    assert new.schema_version == len(MIGRATIONS) == 5
    assert new.count("flow_chords") == 1
    found = queries.findings(new, NIGHT)
    assert (found.num_rows, found.schema.equals(FINDINGS)) == (0, True)


def test_the_commands_show_how_many_there_are(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/flows.duckdb"
    day, flows = sample_day()
    ft.FlowOA(day, flows, settings=settings_in(tmp_path, url), limit=5).run()
    info = json.loads(run("store", "info", "--store", url, "--json").stdout)
    assert info["rows"]["flow_findings"] == 7
    allow = tmp_path / "allow.csv"
    allow.write_text(f"dest,reason\n{sample.UPLOAD.peer},backup\n")
    text = run("oa", "findings", str(day), "--store", url, "--allow", allow).stdout
    assert "Findings  5: 2 warning, 3 information\n" in text
    assert f"Allowed   2 by {allow}, hidden; --show-allowed shows them\n" in text
    document = json.loads(run("oa", "findings", str(day), "--store", url, "--json").stdout)
    severities = [row["severity"] for row in document["findings"]]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert document["day"] == str(day)
    absent = run("oa", "findings", "2001-01-01", "--store", url, status=2).stderr
    assert "no findings of 2001-01-01 in the store; run flowtriage oa run 2001-01-01" in absent

"""`flowtriage oa` and `flowtriage store`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

import command_line
import flowtriage as ft
from command_line import run
from flowtriage.oa import queries
from oa_work import sample_day

pytestmark = pytest.mark.extra


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log of the sample's day, where the commands run."""
    monkeypatch.chdir(tmp_path)
    _, flows = sample_day()
    ft.write_flows(flows, tmp_path / "day.log", format="zeek")
    (tmp_path / "flowtriage.toml").write_text("[ranking]\niterations = 2\ntopics = 3\n")
    return tmp_path


def test_from_a_log_to_tables(folder: Path) -> None:
    day, flows = sample_day()
    done = run("oa", "run", str(day), "--flows", "day.log", "--limit", "30")
    assert "Store the suspicious connections" in done.stdout
    counts = (pc.sum(flows[name]).as_py() for name in ("flows", "denied_flows"))
    stated = "{:,} of {:,} records scored ({:,} allowed, {:,} denied flows)"
    assert stated.format(flows.num_rows, flows.num_rows, *counts) in done.stdout
    assert done.stderr == ""
    rows = json.loads(run("store", "read", "flow_scores", "--date", str(day), "--json").stdout)
    assert [row["rank"] for row in rows] == list(range(20))
    info = json.loads(run("store", "info", "--json").stdout)
    assert info["rows"]["flow_scores"] == 30
    assert info["days"] == [str(day)]
    assert "flow_scores" in run("store", "info").stdout
    assert "srcip" in run("store", "read", "flow_scores", "-n", "3").stdout
    again = json.loads(run("oa", "run", str(day), "--flows", "day.log", "--json").stdout)
    assert again["steps"][0]["count"] == 0
    assert flows.num_rows


def test_ingest_and_its_errors(folder: Path) -> None:
    _, flows = sample_day()
    assert f"{flows.num_rows:,} records of 1 file ingested" in run("oa", "ingest", "day.log").stdout
    assert "1 file already ingested" in run("oa", "ingest", "day.log").stdout
    assert "absent.log" in run("oa", "ingest", "absent.log", status=2).stderr
    (folder / "text").write_text("nothing\n")
    assert "text" in run("oa", "ingest", "text", status=2).stderr


def test_the_order_of_dates_is_an_option(folder: Path) -> None:
    (folder / "day.csv").write_text("at,src,dst\n3/4/2025 10:00:00,10.0.0.1,8.8.8.8\n")
    columns = ("--columns", "src_ip=src,dst_ip=dst,start_time=at")
    assert "date_order" in run("oa", "ingest", "day.csv", *columns, status=2).stderr
    command = ("oa", "run", "2025-04-03", "--flows", "day.csv", *columns, "--step", "ingest")
    done = run(*command, "--date-order", "dmy", "--json")
    assert json.loads(done.stdout)["steps"][0]["count"] == 1
    done = run("oa", "ingest", "day.csv", *columns, "--date-order", "dmy")
    assert "1 file already ingested" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("store", "info"),
        ("store", "read", "flow_scores"),
        ("oa", "check"),
        ("oa", "score", "2013-09-15", "1", "--dport", "53"),
        ("oa", "reset", "2013-09-15", "--yes"),
        ("oa", "feedback", "list"),
    ],
)
def test_no_command_but_run_creates_a_store(folder: Path, command: tuple[str, ...]) -> None:
    url = "duckdb:///typo.duckdb"
    status = 2 if command[1] != "check" else 0
    done = run(*command, "--store", url, status=status)
    assert url in done.stdout + done.stderr
    assert not list(folder.glob("*.duckdb*"))


def test_check_lists_skipped_and_missing_parts(folder: Path) -> None:
    done = run("oa", "check")
    assert "skipped  context.ipranges" in done.stdout
    assert "srcip_internal and destip_internal are null" in done.stdout
    assert not (folder / "flows.duckdb").exists()
    (folder / "flowtriage.toml").write_text('[context]\nipranges = "absent.csv"\n')
    findings = json.loads(run("oa", "check", "--json", status=1).stdout)
    states = {finding["key"]: finding["state"] for finding in findings}
    assert states["context.ipranges"] == "missing"
    assert states["context.iploc"] == "skipped"
    day, _ = sample_day()
    refused = run("oa", "run", str(day), "--flows", "day.log", status=2)
    assert "context.ipranges: file not found" in refused.stderr
    (folder / "flowtriage.toml").write_text("[rank]\n")
    assert "rank: unknown section" in run("oa", "check", status=2).stderr


def test_errors_are_one_line(folder: Path) -> None:
    day, _ = sample_day()
    assert "is not a date" in run("oa", "run", "yesterday", status=2).stderr
    refused = run("oa", "run", str(day), status=2).stderr
    assert refused.startswith("error: no flows of")
    assert "give duckdb:///" in run("store", "info", "--store", "x", status=2).stderr
    absent = run("store", "info", "--store", "postgresql://u:secret@127.0.0.1:1/x", status=2)
    assert "Connection refused" in absent.stderr
    assert "secret" not in absent.stderr
    assert "unknown table" in run("store", "read", "flows", status=2).stderr
    assert "unknown step" in run("oa", "run", str(day), "--step", "x", status=2).stderr


def test_scores_are_deleted_only_after_confirmation(folder: Path) -> None:
    day, _ = sample_day()
    run("oa", "run", str(day), "--flows", "day.log", "--limit", "5")
    store = ft.FlowStore()
    first = store.read("flow_scores", order=["rank"]).to_pylist()[0]
    count = queries.score_connection(store, day, 1, dstip=first["dstip"])
    refused = run("oa", "reset", str(day), status=2).stderr
    assert f"this deletes {count} score of {day}; confirm with --yes" in refused
    assert queries.get_scored_connections(store, day).num_rows == count
    assert f"{count} score of {day} deleted" in run("oa", "reset", str(day), "--yes").stdout
    assert queries.get_scored_connections(store, day).num_rows == 0


def test_the_environment_configures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command_line.ENVIRONMENT, "FLOWTRIAGE_FOLDERS_FLOWS", "elsewhere")
    run("oa", "ingest", "day.log")
    assert (folder / "elsewhere" / "_sources").is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    day, _ = sample_day()
    (folder / "data").mkdir(mode=0o500)
    refused = run("oa", "run", str(day), "--flows", "day.log", status=2).stderr
    assert "Permission denied" in refused

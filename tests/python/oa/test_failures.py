"""Failures of the disk and the database, and untrusted names in the data."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

pytest.importorskip("sklearn")

import flowtriage as ft
import small_disk
from command_line import ENVIRONMENT, PROGRAM, run
from flowtriage.configuration import ReputationSettings
from flowtriage.errors import StoreError
from flowtriage.oa import RawFlows, queries
from flowtriage.oa.stored_feedback import list_feedback, withdraw_feedback
from oa_work import NIGHT, sample_day, settings_in, snapshot

pytestmark = pytest.mark.extra

own_disk = pytest.mark.skipif(not small_disk.possible(), reason="nothing can be mounted here")


@own_disk
@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_state_or_the_new_one(tmp_path: Path) -> None:
    first, unread, *attempts, last = small_disk.run(tmp_path, "full")
    assert (first["status"], last["status"]) == (0, 0)
    assert first["digest"] != last["digest"]
    assert unread["status"] == 2
    assert "flows: Error writing" in unread["error"]
    assert "No space left on device" in unread["error"]
    assert (unread["digest"], unread["flows"]) == (first["digest"], first["flows"])
    failed = [attempt for attempt in attempts if attempt["status"]]
    assert failed
    for attempt in failed:
        assert attempt["status"] == 2
        assert attempt["error"].startswith("error: ")
        assert attempt["error"].count("\n") == 1
        assert "No space left on device" in attempt["error"]
        assert "flow" in attempt["error"]
        assert attempt["digest"] == first["digest"]
    assert all(a["digest"] == last["digest"] for a in attempts if not a["status"])
    assert last["waiting"] == 0
    assert last["flows"] == sample_day()[1].num_rows


@own_disk
@pytest.mark.slow
def test_a_read_only_folder_is_an_error_and_nothing_changes(tmp_path: Path) -> None:
    first, refused, last = small_disk.run(tmp_path, "read-only")
    assert refused["status"] == 2
    assert "Read-only file system" in refused["error"]
    assert "data/flow/" in refused["error"]
    assert (refused["digest"], refused["flows"]) == (first["digest"], first["flows"])
    assert last["status"] == 0
    assert last["digest"] != first["digest"]


def test_a_wrong_password_is_refused_before_anything_is_done(
    tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day, flows = sample_day()
    ft.write_flows(flows, tmp_path / "day.log", format="zeek")
    url = server.url("postgres", password="not this")
    refused = run("oa", "run", str(day), "--flows", "day.log", "--store", url, status=2)
    assert "password authentication failed" in refused.stderr
    assert "not" not in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["day.log"]


class Stopping(logging.Handler):
    """Stops a server as soon as a step was done, before the next one."""

    def __init__(self, server: Any, step: str) -> None:
        super().__init__()
        self.server, self.step = server, step

    def emit(self, record: logging.LogRecord) -> None:
        if f" {self.step} " in record.getMessage() and record.levelno == logging.INFO:
            self.server.stop("immediate")


@pytest.mark.parametrize("step", ["reputation", "store", "details", "summary"])
def test_a_server_that_goes_away_in_the_middle_of_a_run(
    tmp_path: Path, server: Any, step: str
) -> None:
    day, flows = sample_day()
    settings = settings_in(tmp_path, server.new_database())
    ft.FlowOA(day, flows.slice(0, flows.num_rows // 2), settings=settings, limit=30).run()
    whole = ft.FlowOA(day, flows, settings=settings, limit=30)
    before = snapshot(whole.store)
    data = tmp_path / "data" / "flow" / str(day)
    results = (data / "flow_results.csv").read_bytes()
    handler = Stopping(server, step)
    log = logging.getLogger("flowtriage.oa")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        with pytest.raises(StoreError, match="store postgresql://tests:") as refused:
            whole.run()
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        server.start()
    assert "of%20the%20tests" not in str(refused.value)
    assert snapshot(whole.store) == before
    assert (data / "flow_results.csv").read_bytes() == results
    whole.run()
    assert snapshot(whole.store) != before
    assert not list(data.glob(".run-*"))


def test_two_runs_of_different_days_at_once_are_both_complete(
    tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day, flows = sample_day()
    later = day + dt.timedelta(days=1)
    at = flows.column_names.index("start_time")
    moved = pc.add(flows["start_time"], pa.scalar(dt.timedelta(days=1)))
    ft.write_flows(flows, "day.log", format="zeek")
    ft.write_flows(flows.set_column(at, "start_time", moved), "later.log", format="zeek")
    Path("flowtriage.toml").write_text("[ranking]\niterations = 2\ntopics = 3\n")
    together, apart = server.new_database(), server.new_database()
    command = [*PROGRAM, "oa", "run", "--limit", "30", "--store"]
    both = [
        subprocess.Popen([*command, together, str(one), "--flows", log], env=ENVIRONMENT)
        for one, log in ((day, "day.log"), (later, "later.log"))
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    for one in (day, later):
        run("oa", "run", "--limit", "30", "--store", apart, str(one))
    assert ft.FlowStore(together).days() == [day, later]
    assert snapshot(ft.FlowStore(together)) == snapshot(ft.FlowStore(apart))


HOSTILE = [
    "'; DROP TABLE flow_scores; --",
    "' OR '1'='1",
    '"; DELETE FROM flow_edge; --',
    "$1 %s {0} \\' \\",
    "x') UNION SELECT * FROM flow_run --",
]


def test_sql_metacharacters_are_stored_and_queried_literally(
    tmp_path: Path, store_url: str
) -> None:
    file = tmp_path / "flow_results.csv"
    time = "2013-09-15 23:44:10\t2013\t9\t15\t23\t44\t10\t0.5"
    ends = "\t{}\t192.0.2.1\t1024\t53\tUDP\t1\t60\t0\t0\t1e-8\n"
    file.write_text("".join(time + ends.format(text) for text in HOSTILE))
    block_list = tmp_path / "bad.txt"
    block_list.write_text("192.0.2.1\n")
    settings = settings_in(tmp_path, store_url)
    settings = replace(settings, reputation=ReputationSettings(block_lists=(block_list,)))
    oa = ft.FlowOA(NIGHT, settings=settings, results=file)
    oa.run()
    store = oa.store
    rows = store.read("flow_scores")
    assert sorted(rows["srcip"].to_pylist()) == sorted(HOSTILE)
    assert (rows["src_geoloc"].null_count, rows["src_rep"].null_count) == (5, 5)
    assert set(rows["dst_rep"].to_pylist()) == {"bad:High:3:192.0.2.1"}
    for text in HOSTILE:
        assert queries.suspicious_connections(store, NIGHT, ip=text)["srcip"].to_pylist() == [text]
        assert queries.score_connection(store, NIGHT, 1, srcip=text) == 1
        assert list_feedback(store, ip=text)["srcip"].to_pylist() == [text]
        assert queries.details(store, NIGHT, text, text, text).num_rows == 0
        assert queries.chord_details(store, NIGHT, text).num_rows == 0
        story = pa.table({"ip_threat": [text], "title": [text], "text": [text]})
        with store.transaction() as transaction:
            transaction.append("flow_storyboard", NIGHT, story)
            transaction.append("flow_timeline", NIGHT, pa.table({"ip_threat": [text]}))
        assert queries.time_line(store, NIGHT, text)["ip_threat"].to_pylist() == [text]
    assert sorted(queries.story_board(store, NIGHT)["text"].to_pylist()) == sorted(HOSTILE)
    assert withdraw_feedback(store, ip=HOSTILE[1]) == 1
    assert queries.get_scored_connections(store, NIGHT).num_rows == len(HOSTILE) - 1
    assert queries.reset_scored_connections(store, NIGHT) == len(HOSTILE) - 1
    assert RawFlows(settings.folders.flows).days() == []

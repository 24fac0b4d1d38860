"""The run of a day: steps, folders, repeated runs, feedback and interruptions."""

from __future__ import annotations

import datetime as dt
import json
import logging
import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from flowtriage.configuration import FolderSettings
from flowtriage.errors import ArgumentError, ConfigurationError, InputError, StoreError
from flowtriage.oa import RawFlows, queries
from flowtriage.oa.steps import details
from flowtriage.store import MADE_BY_RUN
from killing import killed_after
from oa_work import NIGHT, moved, run_day, sample_day, settings_in, snapshot

pytestmark = pytest.mark.extra

SEED_STEPS = ["folders", "notebooks", "results", "context", "geolocation", "store", "details"]


@pytest.fixture
def oa(tmp_path: Path, store_url: str) -> ft.FlowOA:
    day, flows = sample_day()
    return ft.FlowOA(day, flows, settings=settings_in(tmp_path, store_url), limit=40)


def test_the_steps_of_the_seed_in_their_order(oa: ft.FlowOA, tmp_path: Path) -> None:
    run = oa.run()
    names = [step.name for step in run.steps]
    assert [name for name in names if name in SEED_STEPS] == SEED_STEPS
    assert names[0] == "ingest"
    assert names[-1] == "summary"
    assert all(step.seconds >= 0 for step in run.steps)
    data = tmp_path / "data" / "flow" / str(oa.day)
    assert sorted(path.name for path in data.glob("[!.]*")) == [
        "flow_results.csv",
        "model.parquet",
        "run.log",
    ]
    log = (data / "run.log").read_text().splitlines()
    assert len(log) == len(names)
    assert all(run.run in line for line in log)
    notebooks = tmp_path / "ipynb" / "flow" / str(oa.day)
    assert sorted(path.name for path in notebooks.iterdir()) == [
        "Advanced_Mode.ipynb",
        "Threat_Investigation.ipynb",
    ]
    assert run.to_arrow()["name"].to_pylist() == names
    assert "Store the suspicious connections" in str(run)


def test_stored_scores_equal_ranked_results(oa: ft.FlowOA, tmp_path: Path) -> None:
    from flowtriage.oa import results

    oa.run()
    stored = oa.store.read("flow_scores", day=oa.day, order=["rank"])
    assert stored["rank"].to_pylist() == list(range(40))
    scores = stored["score"].to_pylist()
    assert scores == sorted(scores)
    file = tmp_path / "data" / "flow" / str(oa.day) / "flow_results.csv"
    ranked = results.read(file)
    for name, to in {
        "treceived": "tstart",
        "sip": "srcip",
        "ibyt": "ibyt",
        "dport": "dport",
    }.items():
        assert ranked[name].to_pylist() == stored[to].to_pylist()
    _, flows = sample_day()
    summary = oa.store.read("flow_ingest_summary", day=oa.day)
    assert pc.sum(summary["total"]).as_py() == with_refused(flows)


def with_refused(flows: pa.Table) -> int:
    refused = pc.fill_null(flows["denied_flows"], 0)
    return int(pc.sum(pc.add(flows["flows"], refused)).as_py())


def test_a_run_again_gives_the_same_rows(oa: ft.FlowOA) -> None:
    oa.run()
    first = snapshot(oa.store)
    oa.run()
    assert snapshot(oa.store) == first
    assert sum(map(len, first.values())) > 100


def test_duckdb_and_postgresql_have_the_same_rows(tmp_path: Path, server: object) -> None:
    day, flows = sample_day()
    snapshots = []
    for url in (f"duckdb:///{tmp_path}/flows.duckdb", server.new_database()):  # type: ignore[attr-defined]
        oa = ft.FlowOA(day, flows, settings=settings_in(tmp_path, url), limit=40)
        oa.run()
        snapshots.append(snapshot(oa.store))
    assert snapshots[0] == snapshots[1]
    assert snapshots[0]["flow_scores"]


def test_a_run_keeps_other_days_and_analyst_data(oa: ft.FlowOA, tmp_path: Path) -> None:
    oa.run()
    _, flows = sample_day()
    later = moved(flows, dt.timedelta(days=1))
    tomorrow = ft.FlowOA(oa.day + dt.timedelta(days=1), later, settings=oa.settings, limit=10)
    tomorrow.run()
    other = snapshot(oa.store, tomorrow.day)
    story = pa.table({"ip_threat": ["192.0.2.1"], "title": ["'--"], "text": ["seen"]})
    with oa.store.transaction() as transaction:
        transaction.append("flow_storyboard", oa.day, story)
    first = oa.store.read("flow_scores", day=oa.day, order=["rank"]).to_pylist()[0]
    scored = queries.score_connection(
        oa.store, oa.day, 3, srcip=first["srcip"], dstip=first["dstip"]
    )
    assert scored >= 1
    oa.run()
    assert snapshot(oa.store, tomorrow.day) == other
    assert oa.store.read("flow_storyboard", day=oa.day)["title"].to_pylist() == ["'--"]
    assert queries.get_scored_connections(oa.store, oa.day).num_rows == scored
    assert oa.store.days() == [oa.day, tomorrow.day]


def test_scores_of_earlier_days_weigh_in(oa: ft.FlowOA) -> None:
    yesterday = oa.day - dt.timedelta(days=1)
    oa.run()
    rows = oa.store.read("flow_scores", day=oa.day, order=["rank"])
    first = rows.slice(0, 1).drop_columns(["day"])
    with oa.store.transaction() as transaction:
        transaction.append("flow_scores", yesterday, first)
    peer = first["dstip"][0].as_py()
    assert queries.score_connection(oa.store, yesterday, 3, dstip=peer) == 1
    run = oa.run()
    notes = {step.name: step.note for step in run.steps}
    assert "trained with 1 analyst score" in notes["results"]
    before, after = first["score"][0].as_py(), oa.store.read("flow_scores", day=oa.day)
    same = after.filter(
        pc.and_(pc.equal(after["tstart"], first["tstart"][0]), pc.equal(after["dstip"], peer))
    )
    assert same.num_rows == 0 or pc.min(same["score"]).as_py() > before


def test_a_stored_model_is_applied_to_the_next_day(oa: ft.FlowOA, tmp_path: Path) -> None:
    from flowtriage.oa.model import load_model
    from flowtriage.oa.ranking import rank

    oa.run()
    model = tmp_path / "data" / "flow" / str(oa.day) / "model.parquet"
    _, flows = sample_day()
    day = oa.day + dt.timedelta(days=1)
    later = moved(flows, dt.timedelta(hours=25))
    settings = replace(oa.settings, ranking=replace(oa.settings.ranking, model=model, limit=10))
    ft.FlowOA(day, later, settings=settings, store=oa.store).run()
    of_day = later.filter(pc.equal(later["start_time"].cast(pa.date32()), pa.scalar(day)))
    expected = rank(
        of_day, replace(load_model(model).settings, limit=10), model=load_model(model)
    ).results
    stored = oa.store.read("flow_scores", day=day, order=["rank"])
    for name, of in {"score": "score", "srcip": "sip", "src_word_count": "src_word_count"}.items():
        assert stored[name].to_pylist() == expected[of].to_pylist()
    assert stored["score"][0].as_py() == 0
    kept = load_model(tmp_path / "data" / "flow" / str(day) / "model.parquet")
    assert kept.words.equals(load_model(model).words)


def test_spots_results_and_its_columns_are_read(tmp_path: Path, store_url: str) -> None:
    settings = settings_in(tmp_path, store_url)
    time = "2013-09-15 23:44:10 2013 9 15 23 44 10 0.5".replace(" ", "\t").replace("\t", " ", 1)
    line = time + "\t{}\t192.0.2.1\t1024\t53\tUDP\t1\t60\t0\t0\t{}\n"
    file = tmp_path / "flow_results.csv"
    file.write_text("".join(line.format(f"10.0.0.{n}", f"{n}e-8") for n in range(1, 6)))
    oa = ft.FlowOA(NIGHT, settings=settings, results=file, limit=3)
    oa.run()
    rows = oa.store.read("flow_scores", order=["rank"]).to_pylist()
    assert [row["srcip"] for row in rows] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert [row["score"] for row in rows] == [1e-8, 2e-8, 3e-8]
    assert rows[0]["tstart"] == "2013-09-15 23:44:10"
    assert (rows[0]["ibyt"], rows[0]["dport"], rows[0]["rank"]) == (60, 53, 0)


def test_the_limit_holds(oa: ft.FlowOA) -> None:
    day, flows = sample_day()
    ft.FlowOA(day, flows, settings=oa.settings, store=oa.store, limit=7).run()
    assert oa.store.count("flow_scores") == 7
    with pytest.raises(ArgumentError, match="limit must be 1 or more, got 0"):
        ft.FlowOA(day, flows, settings=oa.settings, limit=0)


def test_one_step_again(oa: ft.FlowOA) -> None:
    oa.run()
    first = snapshot(oa.store)
    with oa.store.transaction() as transaction:
        transaction.delete("flow_edge", oa.day)
        transaction.delete("flow_chords", oa.day)
    run = oa.run(["details"])
    assert [step.name for step in run.steps] == ["details"]
    assert snapshot(oa.store) == first
    oa.run(["context", "store"])
    assert snapshot(oa.store) == first
    with pytest.raises(ArgumentError, match="unknown step 'detail'; did you mean details,"):
        oa.run(["detail"])


def test_an_error_rolls_back_the_run(
    oa: ft.FlowOA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oa.run()
    first = snapshot(oa.store)
    data = tmp_path / "data" / "flow" / str(oa.day)
    files = {path.name: path.read_bytes() for path in data.glob("flow_results.csv")}
    day, flows = sample_day()
    other = ft.FlowOA(day, flows.slice(0, flows.num_rows // 2), settings=oa.settings, limit=40)
    shutil.rmtree(tmp_path / "ipynb")
    (tmp_path / "ipynb").write_text("in the way")
    with pytest.raises(OSError, match="ipynb"):
        other.run()
    (tmp_path / "ipynb").unlink()
    with other.store.transaction() as transaction:
        transaction.execute("DROP VIEW spot_flow_chords")
        transaction.execute("DROP INDEX flow_chords_day")
        transaction.execute("ALTER TABLE flow_chords RENAME TO hidden")
    with pytest.raises(StoreError, match="flow_chords"):
        other.run()
    with other.store.transaction() as transaction:
        transaction.execute("ALTER TABLE hidden RENAME TO flow_chords")
    assert snapshot(oa.store) == first
    assert {path.name: path.read_bytes() for path in data.glob("flow_results.csv")} == files
    assert " details " in (data / "run.log").read_text().splitlines()[-1]
    assert "failed: " in (data / "run.log").read_text().splitlines()[-1]
    other.run()
    assert snapshot(oa.store) != first
    assert not list(data.glob(".run-*"))


def test_two_runs_of_one_day_at_once(oa: ft.FlowOA, tmp_path: Path) -> None:
    from flowtriage.oa.day import day_locked

    folder = tmp_path / "data" / "flow" / str(oa.day)
    folder.mkdir(parents=True)
    with day_locked(folder), pytest.raises(StoreError, match="another run of this day is active"):
        oa.run()
    oa.run()


def test_days_at_once_on_postgresql_are_all_complete(tmp_path: Path, server: object) -> None:
    url = server.new_database()  # type: ignore[attr-defined]
    day, flows = sample_day()

    def run(number: int) -> int:
        later = moved(flows, dt.timedelta(days=number))
        settings = settings_in(tmp_path / str(number), url)
        oa = ft.FlowOA(day + dt.timedelta(days=number), later, settings=settings, limit=40)
        oa.run()
        return sum(len(oa.store.read(name, day=oa.day)) for name in MADE_BY_RUN)

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(run, range(3)))
    assert len(set(counts)) == 1
    assert len(ft.FlowStore(url).days()) == 3


def test_the_same_day_from_two_machines_is_one_of_both(tmp_path: Path, server: object) -> None:
    url = server.new_database()  # type: ignore[attr-defined]
    day, flows = sample_day()

    def run(place: str) -> None:
        oa = ft.FlowOA(day, flows, settings=settings_in(tmp_path / place, url), limit=40)
        oa.run()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ["one", "other"]))
    assert ft.FlowStore(url).count("flow_scores") == 40


def test_notebooks_know_their_day_and_are_not_overwritten(oa: ft.FlowOA, tmp_path: Path) -> None:
    oa.run()
    path = tmp_path / "ipynb" / "flow" / str(oa.day) / "Advanced_Mode.ipynb"
    cells = json.loads(path.read_text())["cells"]
    parameters = next(c["source"] for c in cells if "parameters" in c["metadata"].get("tags", ()))
    values: dict[str, object] = {}
    exec(parameters, values)
    assert values["DATE"] == str(oa.day)
    assert values["STORE"] == oa.store.portable_url
    assert "of%20the%20tests" not in parameters
    sources = ["".join(c["source"]) for c in cells]
    reset = [source for source in sources if "reset_scored_connections" in source]
    assert len(reset) == 1
    assert all(line.startswith("#") for line in reset[0].splitlines())
    path.write_text("mine")
    assert "all exist already" in str(oa.run())
    assert path.read_text() == "mine"


def test_a_day_without_flows(oa: ft.FlowOA, tmp_path: Path) -> None:
    none = ft.FlowOA("2001-01-01", settings=oa.settings)
    with pytest.raises(InputError, match=r"no flows of 2001-01-01 \(UTC\).*with --flows"):
        none.run()
    _, flows = sample_day()
    log = tmp_path / "day.log"
    ft.write_flows(flows, log, format="zeek")
    RawFlows(oa.settings.folders.flows).ingest(log)
    with pytest.raises(InputError, match=f"available days: {oa.day}"):
        none.run()
    assert oa.store.days() == []


def test_invalid_runs(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(ArgumentError, match="'15/09/2013' is not a date"):
        ft.FlowOA("15/09/2013", settings=settings)
    context = replace(settings.context, ipranges=tmp_path / "absent.csv")
    named = replace(settings, context=context, given=frozenset({"context.ipranges"}))
    with pytest.raises(ConfigurationError, match=r"context.ipranges: file not found"):
        ft.FlowOA(NIGHT, settings=named)
    templates = FolderSettings(tmp_path, tmp_path, tmp_path, tmp_path)
    day, flows = sample_day()
    with pytest.raises(ConfigurationError, match="no notebooks in"):
        ft.FlowOA(day, flows, settings=replace(settings, folders=templates)).run()


def test_steps_are_logged(oa: ft.FlowOA, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="flowtriage.oa"):
        oa.run()
    assert [r for r in caplog.messages if " details " in r]
    assert details.__doc__


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_earlier_state_or_the_new_one(
    tmp_path: Path, store_url: str
) -> None:
    day, flows = sample_day()
    settings, store = settings_in(tmp_path, store_url), ft.FlowStore(store_url)
    parts = [flows.slice(0, flows.num_rows // 2), flows]
    states = []
    for part in parts:
        started = time.monotonic()
        run_day(settings, part)
        seconds = time.monotonic() - started
        states.append(snapshot(store))
    assert states[0] != states[1]
    moments = random.Random(7)
    killed = 0
    for number in range(20):
        moment = moments.uniform(0, 1.5 * seconds)
        killed += killed_after(moment, run_day, settings, parts[number % 2])
        assert snapshot(store) in states
    assert killed >= 5
    run_day(settings, flows)
    assert snapshot(store) == states[1]
    data = tmp_path / "data" / "flow" / str(day)
    assert not list(data.glob(".run-*"))
    from flowtriage.oa import results

    ranked = results.read(data / "flow_results.csv")
    stored = store.read("flow_scores", order=["rank"])
    assert ranked["sip"].to_pylist() == stored["srcip"].to_pylist()

"""The store, in DuckDB and in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from command_line import run_code
from flowtriage.errors import ArgumentError, InputError, StoreError, StoreLockedError
from flowtriage.store import TABLES
from flowtriage.store.tables import MIGRATIONS
from postgresql import Server

pytestmark = pytest.mark.extra

DAY, NEXT = dt.date(2013, 9, 15), dt.date(2013, 9, 16)
SEED = {
    "flow_scores": "tstart srcip dstip sport dport proto ipkt ibyt opkt obyt score rank "
    "srcip_internal destip_internal src_geoloc dst_geoloc src_domain dst_domain src_rep dst_rep",
    "flow_edge": "tstart srcip dstip sport dport proto flags tos ibyt ipkt pkts input output rip "
    "obyt opkt hh md",
    "flow_chords": "ip_threat srcip dstip ibyt ipkt",
    "flow_ingest_summary": "tdate total",
    "flow_threat_investigation": "tstart srcip dstip srcport dstport score",
    "flow_storyboard": "ip_threat title text",
    "flow_timeline": "ip_threat tstart tend srcip dstip proto sport dport ipkt ibyt",
    "flow_storyboard_history": "ip_threat title text saved",
    "flow_findings": "rank finding detector severity score source dest dst_port protocol as_name "
    "country first_seen last_seen flows bytes_out bytes_in summary evidence technique context "
    "flows_filter",
    "flow_detectors": "detector ran reason",
}
HOSTILE = '\'; DROP TABLE flow_scores; -- "x" $1 %s <script>alert(1)</script> \\ \t 😀 é'


def story(text: str = "seen", ip: str = "192.0.2.1") -> pa.Table:
    return pa.table({"ip_threat": [ip], "title": ["title"], "text": [text]})


@pytest.fixture
def store(store_url: str) -> ft.FlowStore:
    return ft.FlowStore(store_url)


def test_tables_have_the_columns_of_the_seed_first(store: ft.FlowStore) -> None:
    assert list(TABLES) == list(SEED)
    for name, columns in SEED.items():
        found = store.query(f"SELECT * FROM {name}").column_names
        assert found[: len(columns.split())] == columns.split()
        assert found[-1] == "day"


def test_views_have_the_names_of_the_original_code(store: ft.FlowStore) -> None:
    row = pa.table({"srcip": ["a"], "score": [0.5], "destip_internal": [True], "rank": [0]})
    with store.transaction() as transaction:
        transaction.append("flow_scores", DAY, row)
        transaction.append("flow_edge", DAY, pa.table({"srcip": ["a"], "hh": [23], "md": [44]}))
    query = (
        "SELECT srcip, ml_score, dstip_internal FROM spot_flow_scores WHERE y=$1 AND m=9 AND d=15"
    )
    assert store.query(query, (2013,)).to_pylist() == [
        {"srcip": "a", "ml_score": 0.5, "dstip_internal": True}
    ]
    assert store.query("SELECT mn FROM spot_flow_edge")["mn"].to_pylist() == [44]
    assert store.query("SELECT * FROM spot_flow_chords").column_names[-3:] == ["y", "m", "d"]


def test_replace_day_keeps_other_days(store: ft.FlowStore) -> None:
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story("old"))
        transaction.append("flow_storyboard", NEXT, story("next"))
    with store.transaction() as transaction:
        transaction.replace_day("flow_storyboard", DAY, story("new"))
    texts = store.read("flow_storyboard", order=["day"])["text"].to_pylist()
    assert texts == ["new", "next"]
    assert store.read("flow_storyboard", day=NEXT)["text"].to_pylist() == ["next"]
    assert store.read("flow_storyboard", start=NEXT).num_rows == 1
    assert store.read("flow_storyboard", end=DAY).num_rows == 1


def test_both_databases_return_the_declared_types(store: ft.FlowStore) -> None:
    rows = pa.table(
        {
            "srcip": pa.array(["2001:db8::1"], pa.large_string()),
            "ibyt": pa.array([2**40], pa.uint64()),
            "score": pa.array([1e-9]),
            "rank": pa.array([7], pa.int64()),
        }
    )
    with store.transaction() as transaction:
        transaction.append("flow_scores", DAY, rows)
    read = store.read("flow_scores")
    assert read.schema == TABLES["flow_scores"]
    row = read.to_pylist()[0]
    assert (row["srcip"], row["ibyt"], row["score"]) == ("2001:db8::1", 2**40, 1e-9)
    assert row["day"] == DAY
    assert row["src_rep"] is None


def test_after_an_error_nothing_is_changed(store: ft.FlowStore) -> None:
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    with pytest.raises(ZeroDivisionError), store.transaction() as transaction:
        transaction.replace_day("flow_storyboard", DAY, story("half"))
        assert transaction.read("flow_storyboard", DAY)["text"].to_pylist() == ["half"]
        _ = 1 / 0
    assert store.read("flow_storyboard")["text"].to_pylist() == ["seen"]


@pytest.mark.parametrize("column", ["ip_threat", "title", "text"])
def test_text_is_stored_as_it_is(store: ft.FlowStore, column: str) -> None:
    text = HOSTILE + "x" * 100_000
    rows = story().set_column(story().column_names.index(column), column, pa.array([text]))
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, rows)
    assert store.read("flow_storyboard", where={column: text})[column].to_pylist() == [text]
    assert store.read("flow_storyboard", where={column: f"{text}'"}).num_rows == 0
    with store.transaction() as transaction:
        transaction.delete("flow_storyboard", DAY, {column: text})
    assert store.count("flow_storyboard") == 0
    assert store.count("flow_scores") == 0


def test_invalid_rows_and_names_are_errors(store: ft.FlowStore) -> None:
    with pytest.raises(ArgumentError, match="unknown table 'flows'"):
        store.read("flows")
    with pytest.raises(ArgumentError, match="unknown column 'day; --'"):
        store.read("flow_chords", order=["day; --"])
    with pytest.raises(ArgumentError, match="'1=1 OR ip'"):
        store.read("flow_chords", where={"1=1 OR ip": "x"})
    with (
        pytest.raises(InputError, match="flow_scores, column sport"),
        store.transaction() as transaction,
    ):
        transaction.append("flow_scores", DAY, pa.table({"sport": [2**31]}))
    with pytest.raises(StoreError, match="nowhere"):
        store.query("SELECT * FROM nowhere")


def test_a_query_does_not_change_anything(store: ft.FlowStore) -> None:
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    try:
        store.query("DELETE FROM flow_storyboard")
    except StoreError as error:
        assert "read-only" in str(error)
    assert store.count("flow_storyboard") == 1


def test_opening_again_keeps_everything(store_url: str) -> None:
    store = ft.FlowStore(store_url)
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    again = ft.FlowStore(store_url)
    assert again.schema_version == len(MIGRATIONS)
    assert again.count("flow_storyboard") == 1


def test_a_store_of_a_later_version_is_refused(store_url: str) -> None:
    with ft.FlowStore(store_url).transaction() as transaction:
        transaction.execute("INSERT INTO flowtriage_schema (version) VALUES ($1)", (99,))
    with pytest.raises(StoreError, match="schema version 99.*update flowtriage"):
        ft.FlowStore(store_url)


def test_an_earlier_version_is_brought_up_to_date(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtriage.store import store as module

    with ft.FlowStore(store_url).transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    later = (*module.MIGRATIONS, ("ALTER TABLE flow_storyboard ADD COLUMN author TEXT",))
    monkeypatch.setattr(module, "MIGRATIONS", later)
    store = ft.FlowStore(store_url)
    assert store.schema_version == len(later)
    assert store.query("SELECT text, author FROM flow_storyboard").to_pylist() == [
        {"text": "seen", "author": None}
    ]


def test_scores_of_version_2_are_kept(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from flowtriage.store import store as module

    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS[:2])
    old = ft.FlowStore(store_url)
    columns = "tstart, srcip, dstip, srcport, dstport, score, scored, day"
    values = "'2013-09-15 10:00:00', '10.0.0.1', '8.8.8.8', 1, 2, 1, 'x', DATE '2013-09-15'"
    with old.transaction() as transaction:
        transaction.execute(f"INSERT INTO flow_threat_investigation ({columns}) VALUES ({values})")
    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS)
    new = ft.FlowStore(store_url)
    assert new.schema_version == len(MIGRATIONS)
    (row,) = new.read("flow_threat_investigation").to_pylist()
    assert (row["srcip"], row["score"], row["flows"], row["day"]) == ("10.0.0.1", 1, None, DAY)
    assert new.query("SELECT srcip, y FROM spot_flow_threat_investigation").to_pylist() == [
        {"srcip": "10.0.0.1", "y": 2013}
    ]


def test_flows_of_version_3_are_added_up_by_addresses(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtriage.store import store as module

    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS[:3])
    old = ft.FlowStore(store_url)
    columns = "tstart, srcip, dstip, srcport, dstport, score, scored, flows, denied_flows, day"
    rows = [("8.8.8.8", 1, 3, 0), ("8.8.8.8", 1, 0, 0), ("8.8.8.8", 2, 4, 5), ("9.9.9.9", 1, 7, 0)]
    with old.transaction() as transaction:
        for number, (dest, port, *flows) in enumerate(rows):
            transaction.execute(
                f"INSERT INTO flow_threat_investigation ({columns}) VALUES ('{number}', "
                f"'10.0.0.1', '{dest}', 1, {port}, 1, 'x', {flows[0]}, {flows[1]}, "
                "DATE '2013-09-15')"
            )
    monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS)
    new = ft.FlowStore(store_url)
    found = new.read("flow_threat_investigation", order=["tstart"])
    assert found["flows"].to_pylist() == [7, 7, 7, 7]
    assert found["denied_flows"].to_pylist() == [5, 5, 5, 0]
    assert new.read("flow_scores").num_rows == 0


def test_a_migration_that_fails_leaves_the_earlier_version(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtriage.store import store as module

    store = ft.FlowStore(store_url)
    broken = (
        "ALTER TABLE flow_storyboard ADD COLUMN author TEXT",
        "ALTER TABLE nowhere ADD x TEXT",
    )
    monkeypatch.setattr(module, "MIGRATIONS", (*module.MIGRATIONS, broken))
    with pytest.raises(StoreError, match="nowhere"):
        ft.FlowStore(store_url)
    assert store.schema_version == len(MIGRATIONS)
    assert "author" not in store.query("SELECT * FROM flow_storyboard").column_names


def test_many_create_the_tables_at_once(store_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: ft.FlowStore(store_url), range(6)))
    assert {store.schema_version for store in stores} == {len(MIGRATIONS)}


def test_writers_in_threads_lose_nothing(store: ft.FlowStore) -> None:
    def write(number: int) -> None:
        with store.transaction() as transaction:
            transaction.append("flow_storyboard", DAY, story(ip=f"192.0.2.{number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert len(set(store.read("flow_storyboard")["ip_threat"].to_pylist())) == 12


def test_a_read_inside_a_transaction_of_duckdb_is_refused(tmp_path: Path) -> None:
    store = ft.FlowStore(f"duckdb:///{tmp_path}/flows.duckdb")
    with store.transaction(), pytest.raises(StoreError, match="transaction open"):
        store.count("flow_scores")
    assert store.count("flow_scores") == 0


HOLD = """
import sys
from flowtriage import FlowStore
store = FlowStore(sys.argv[1])
with store._engine.connected(writing=sys.argv[2] == "w"):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("holder", "mine", "free"),
    [("w", "r", False), ("w", "w", False), ("r", "w", False), ("r", "r", True)],
)
def test_a_file_has_one_writer_or_many_readers(
    tmp_path: Path, holder: str, mine: str, free: bool
) -> None:
    url = f"duckdb:///{tmp_path}/flows.duckdb"
    ft.FlowStore(url)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url, holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"

        def use() -> None:
            store = ft.FlowStore(url, wait=0.1)
            if mine == "w":
                with store.transaction() as transaction:
                    transaction.append("flow_storyboard", DAY, story())

        if free:
            use()
        else:
            message = f"locked by process {other.pid}.*one writer or several readers"
            with pytest.raises(StoreLockedError, match=message):
                use()
            waiting = threading.Timer(0.3, other.communicate)
            waiting.start()
            ft.FlowStore(url, wait=20)
            waiting.join()
        other.kill()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///flows", "invalid store URL.*; give duckdb:///flows.duckdb"),
        ("duckdb:///", "invalid store URL"),
        ("duckdb:///:memory:", "invalid store URL"),
        ("flows.duckdb", "invalid store URL"),
    ],
)
def test_urls_of_no_store(url: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ft.FlowStore(url)


def test_invalid_paths(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder .*/absent does not exist; create it"):
        ft.FlowStore(f"duckdb:///{tmp_path}/absent/flows.duckdb")
    other = tmp_path / "text.duckdb"
    other.write_text("no database\n" * 1000)
    with pytest.raises(StoreError, match="not a valid DuckDB database"):
        ft.FlowStore(f"duckdb:///{other}")
    with pytest.raises(StoreError, match="Cannot open file"):
        ft.FlowStore("duckdb:////proc/flows.duckdb")


def test_a_full_disk_stores_nothing(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/flows.duckdb"
    store = ft.FlowStore(url)
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    size = (tmp_path / "flows.duckdb").stat().st_size
    done = run_code(
        """
        import os, resource, signal, sys, datetime
        import pyarrow as pa
        from flowtriage import FlowStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = FlowStore(sys.argv[1])
        most = int(sys.argv[2]) + 50_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        texts = [os.urandom(500).hex() for _ in range(20_000)]
        with store.transaction() as transaction:
            rows = pa.table({"ip_threat": texts, "title": texts, "text": texts})
            transaction.replace_day("flow_storyboard", datetime.date(2013, 9, 15), rows)
        """,
        url,
        str(size),
    )
    assert done.returncode != 0
    assert "flowtriage.errors.StoreError: store duckdb:///" in done.stderr
    assert ft.FlowStore(url).read("flow_storyboard")["text"].to_pylist() == ["seen"]


def test_a_server_that_cannot_be_reached_or_refuses(server: Server) -> None:
    with pytest.raises(StoreError, match="Connection refused"):
        ft.FlowStore("postgresql://tests@127.0.0.1:1/flows")
    with pytest.raises(StoreError, match="password authentication failed") as refused:
        ft.FlowStore(server.url("postgres", password="wrong"))
    assert "wrong" not in str(refused.value)
    with pytest.raises(StoreError, match='database "absent" does not exist'):
        ft.FlowStore(server.url("absent"))
    assert "of%20the%20tests" not in repr(ft.FlowStore(server.new_database()))


def test_a_server_that_goes_away_in_the_middle_has_stored_nothing(server: Server) -> None:
    store = ft.FlowStore(server.new_database())
    with store.transaction() as transaction:
        transaction.append("flow_storyboard", DAY, story())
    with (
        pytest.raises(StoreError, match="store postgresql://tests:"),
        store.transaction() as transaction,
    ):
        transaction.replace_day("flow_storyboard", DAY, story("half"))
        server.stop("immediate")
        try:
            transaction.append("flow_chords", DAY, pa.table({"ip_threat": ["x"]}))
        finally:
            server.start()
    assert store.read("flow_storyboard")["text"].to_pylist() == ["seen"]

"""Stories: storage, history, and concurrent writers."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError, FormatError, StoreLockedError
from flowtriage.oa import queries
from flowtriage.threat_investigation.story.spot_files import read_globe, read_stats
from postgresql import Server
from threat_work import DAY, HOSTILE, IP, TWO_WAY, flow, investigation, settings_in, table

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

FLOWS = table(flow(IP, "8.8.8.8"), flow(TWO_WAY, IP), flow(IP, TWO_WAY))
NEXT = DAY + dt.timedelta(days=1)


@pytest.fixture
def nb(tmp_path: Path, store_url: str) -> ft.FlowThreatInvestigation:
    return investigation(tmp_path, FLOWS, store_url)


def store_of(nb: ft.FlowThreatInvestigation) -> ft.FlowStore:
    assert nb.store is not None
    return nb.store


def test_a_story_is_replaced_and_its_history_is_kept(nb: ft.FlowThreatInvestigation) -> None:
    nb.search(IP)
    first = nb.save("first", "one")
    assert (first.ip, first.day, first.storage) == (IP, DAY, store_of(nb).url)
    nb.search(TWO_WAY)
    nb.save("other", "of another address")
    nb.search(IP)
    assert nb.save("second", "two").saved > first.saved
    board = queries.story_board(store_of(nb), DAY)
    assert board["title"].to_pylist() == ["second", "other"]
    assert nb.history(IP)["text"].to_pylist() == ["two", "one"]
    assert nb.history(IP)["saved"].to_pylist()[1] == first.saved
    assert nb.history()["title"].to_pylist() == ["second", "first", "other"]
    assert queries.time_line(store_of(nb), DAY, IP).num_rows == 3
    result = nb.search(IP)
    assert result.stories["title"].tolist() == ["second", "first"]


def test_a_story_of_another_program_goes_into_the_history(nb: ft.FlowThreatInvestigation) -> None:
    theirs = pa.table({"ip_threat": [IP], "title": ["theirs"], "text": ["by Spot"]})
    with store_of(nb).transaction() as change:
        change.append("flow_storyboard", DAY, theirs)
        change.append("flow_storyboard", NEXT, theirs)
    assert nb.history(IP).to_pylist() == [*theirs.append_column("saved", [[None]]).to_pylist()]
    nb.search(IP)
    nb.save("ours", "")
    assert nb.history(IP)["title"].to_pylist() == ["ours", "theirs"]
    assert store_of(nb).read("flow_storyboard", day=NEXT).num_rows == 1
    nb.save("theirs", "by Spot")
    nb.save("ours", "")
    assert nb.history(IP)["title"].to_pylist() == ["ours", "theirs", "ours", "theirs"]


@pytest.mark.parametrize("text", [HOSTILE, "", "😀" * 100_000, HOSTILE + "x" * 100_000])
def test_text_is_unchanged(nb: ft.FlowThreatInvestigation, tmp_path: Path, text: str) -> None:
    nb.search(IP)
    nb.save(text, text)
    for rows in (queries.story_board(store_of(nb), DAY), nb.history(IP)):
        assert rows.select(["title", "text"]).to_pylist() == [{"title": text, "text": text}]
    assert store_of(nb).count("flow_scores") == 0
    page = nb.run(IP, options=["written"]).write_html(tmp_path / "r.html").read_text("utf-8")
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab\0c", "title contains a NUL character at character 3"),
        ("\ud83d", "title contains an unpaired surrogate at character 1"),
        (None, "title must be a string, got None"),
    ],
)
def test_text_that_stores_cannot_hold_is_an_error(
    nb: ft.FlowThreatInvestigation, tmp_path: Path, text: str, expected: str
) -> None:
    nb.search(IP)
    with pytest.raises(ArgumentError, match=expected):
        nb.save(text, "text")
    with pytest.raises(ArgumentError, match=expected.replace("title", "text")):
        nb.save("title", text)
    assert store_of(nb).count("flow_storyboard_history") == 0
    assert not (tmp_path / "data").exists()


def test_files_are_written_with_the_story(nb: ft.FlowThreatInvestigation, tmp_path: Path) -> None:
    nb.search(IP)
    saved = nb.save("title", "text")
    folder = tmp_path / "data" / "flow" / "2013-09-15"
    assert [path.parent for path in saved.files] == [folder] * 3
    assert read_stats(folder / "stats-10_0_0_1.json").peers == 2
    assert read_globe(folder / "globe-10_0_0_1.json").destinations["ip"].to_pylist()
    assert all(path.name in str(saved) for path in saved.files)


def test_nothing_is_stored_if_files_cannot_be_written(
    nb: ft.FlowThreatInvestigation, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("no folder")
    nb.search(IP)
    with pytest.raises(OSError, match="data"):
        nb.save("title", "text")
    assert store_of(nb).count("flow_storyboard_history") == 0
    assert queries.time_line(store_of(nb), DAY, IP).num_rows == 0


SAVE = """
import sys
import flowtriage as ft
from pathlib import Path
from threat_work import settings_in
who, folder, url = sys.argv[1:]
nb = ft.FlowThreatInvestigation(
    url, "2013-09-15", flows=f"{folder}/flows", configuration=settings_in(Path(folder)), silent=True
)
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    nb.search("10.0.0.1" if number % 2 else "203.0.113.9")
    nb.save(f"{who} {number}", "text")
"""


def test_two_analysts_lose_nothing(tmp_path: Path, server: Server) -> None:
    url = server.new_database()
    nb = investigation(tmp_path, FLOWS, url)
    code = [sys.executable, "-c", SAVE]
    places = {"cwd": Path(__file__).parents[1] / "support"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    analysts = [
        subprocess.Popen([*code, who, str(tmp_path), url], **places, **pipes)  # type: ignore[call-overload]
        for who in ("one", "two")
    ]
    for analyst in analysts:
        assert analyst.stdout.readline() == "ready\n"
    for analyst in analysts:
        analyst.stdin.write("\n")
        analyst.stdin.flush()
    for analyst in analysts:
        analyst.communicate(timeout=120)
        assert analyst.returncode == 0
    expected = {f"{who} {number}" for who in ("one", "two") for number in range(6)}
    assert set(nb.history()["title"].to_pylist()) == expected
    assert nb.history().num_rows == 12
    board = queries.story_board(store_of(nb), DAY)
    assert board["ip_threat"].to_pylist() == [IP, TWO_WAY]
    for ip, rows in ((IP, 3), (TWO_WAY, 2)):
        latest = nb.history(ip)["title"][0].as_py()
        assert latest in board["title"].to_pylist()
        assert queries.time_line(store_of(nb), DAY, ip).num_rows == rows


def test_second_writer_of_a_file_gets_an_error(tmp_path: Path) -> None:
    store = ft.FlowStore(f"duckdb:///{tmp_path}/flows.duckdb", wait=0.1)
    nb = investigation(tmp_path, FLOWS, store)
    nb.search(IP)
    hold = (
        "import sys, duckdb; opened = duckdb.connect(sys.argv[1]); print('open', flush=True); "
        "sys.stdin.read()"
    )
    path = str(tmp_path / "flows.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreLockedError, match=f"locked by process {other.pid}"):
            nb.save("title", "text")
        other.communicate()
    nb.save("title", "text")
    assert nb.history()["title"].to_pylist() == ["title"]


def test_analysts_in_threads_lose_nothing(tmp_path: Path, store_url: str) -> None:
    analysts = [investigation(tmp_path, FLOWS, store_url) for _ in range(4)]

    def work(number: int) -> None:
        nb = analysts[number]
        nb.search(IP)
        for turn in range(3):
            nb.save(f"{number} {turn}", "text")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    titles = analysts[0].history(IP)["title"].to_pylist()
    assert sorted(titles) == [f"{number} {turn}" for number in range(4) for turn in range(3)]
    assert queries.story_board(store_of(analysts[0]), DAY)["title"].to_pylist() == titles[:1]
    assert queries.time_line(store_of(analysts[0]), DAY, IP).num_rows == 3


def test_stories_in_files(tmp_path: Path) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, configuration=settings_in(tmp_path), silent=True)
    nb.search(IP)
    assert nb.history().num_rows == 0
    nb.save(HOSTILE, "x" * 100_000)
    saved = nb.save("second", "😀")
    path = Path(saved.storage)
    assert path.name == "story-10_0_0_1.jsonl"
    assert [json.loads(line)["title"] for line in path.read_text().splitlines()] == [
        HOSTILE,
        "second",
    ]
    assert nb.history(IP)["title"].to_pylist() == ["second", HOSTILE]
    nb.search(TWO_WAY)
    nb.save("third", "")
    assert nb.history()["title"].to_pylist() == ["second", HOSTILE, "third"]
    assert nb.history(TWO_WAY)["title"].to_pylist() == ["third"]
    path.write_text("{")
    with pytest.raises(FormatError, match="story-10_0_0_1.jsonl is not a file of stories"):
        nb.history()

"""Functions of logs that are streamed, against the same functions of all flows in memory."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from command_line import run
from flowtriage.quality import QualityWarning
from real_logs import REAL

FIELDS = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration"),
    *("orig_ip_bytes", "resp_ip_bytes", "conn_state"),
)

VERBS: dict[str, Callable[[Any], pa.Table]] = {
    "flow_index": ft.flow_index,
    "flow_summary": ft.flow_summary,
    "timeline": lambda flows: ft.timeline(flows, by="dest", bins=7),
    "top_n": lambda flows: ft.top_n(flows, key=["dest", "dst_port"], by="bytes", n=5),
    "expanded_search": lambda flows: ft.expanded_search(flows, "10.0.0.3"),
}


def records(seed: int, *, growing: bool) -> list[tuple[Any, ...]]:
    """Records of connections, some of them reported again: as they were, or with more bytes."""
    chance = random.Random(seed)
    rows = []
    for number in range(400):
        start = 1_734_718_982 + chance.randrange(3_600) + chance.choice((0.25, 0.5))
        ends = [f"10.0.0.{number % 7}", 40_000 + number, f"192.0.2.{number % 5}", 443]
        duration, sent, answered = chance.randrange(1, 90), chance.randrange(999), 40
        times = chance.choice((1, 1, 2, 3))
        for again in range(times):
            more = again if growing else 0
            counts = [duration + more, sent + more * 10, answered + chance.choice((0, more))]
            rows.append((start, f"C{number}", *ends, "tcp", *counts, "S1" if more else "SF"))
    chance.shuffle(rows)
    return rows


def written(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    lines = ["#separator \\x09", "#unset_field\t-", "#fields\t" + "\t".join(FIELDS)]
    lines += ["\t".join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def logs(folder: Path, rows: list[tuple[Any, ...]]) -> Path:
    """Write a folder of three logs, one of them packed."""
    import gzip

    for part in range(3):
        path = written(folder / f"conn{part}.log", rows[part::3])
    packed = folder / "conn2.log.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return folder


@pytest.mark.parametrize("growing", [True, False], ids=["superseded", "repeated"])
@pytest.mark.parametrize("verb", VERBS)
def test_superseded_records_are_dropped_from_streamed_logs(
    verb: str, growing: bool, tmp_path: Path
) -> None:
    folder = logs(tmp_path, records(5, growing=growing))
    flows = ft.read_flows(folder)
    assert (flows.report.rows_superseded > 100) == growing
    sources = [folder, str(folder / "*.log*"), sorted(folder.iterdir())]
    expected = VERBS[verb](flows)
    assert expected.num_rows > 0
    for source in sources:
        assert VERBS[verb](source).equals(expected), source


def test_superseded_records_are_those_that_say_less_than_the_last_one(tmp_path: Path) -> None:
    rows = records(6, growing=True)
    log = written(tmp_path / "conn.log", rows)
    last: dict[Any, tuple[int, int]] = {}
    for row in rows:
        state = (row[7], row[8] + row[9])
        last[row[:6]] = max(last.get(row[:6], state), state)
    kept = [row for row in rows if (row[7], row[8] + row[9]) == last[row[:6]]]
    top = ft.top_n(log, key="source", by="src_bytes", n=1).to_pylist()[0]
    assert top["src_bytes"] == max(
        sum(row[8] for row in kept if row[2] == address) for address in {row[2] for row in rows}
    )


def test_migrated_rows_are_dropped_from_streamed_logs(tmp_path: Path) -> None:
    old = [
        {
            "FlowStartTime": f"2025-07-01T{hour:02}:20:00Z",
            "VMIPAddress": f"10.0.0.{hour % 3}",
            "PublicIPs": "192.0.2.1",
            "FlowDirection": "O",
            "AllowedInFlows": 0,
            "AllowedOutFlows": 1 + hour,
        }
        for hour in range(24)
    ]
    new = [
        {
            "FlowStartTime": f"2025-07-01T{hour:02}:40:00Z",
            "SrcIp": f"10.0.0.{hour % 3}",
            "DestPublicIps": "192.0.2.1",
            "DestIp": "",
            "SrcPublicIps": "",
            "FlowDirection": "Outbound",
            "AllowedInFlows": 0,
            "AllowedOutFlows": 100,
            "AclRule": "r",
        }
        for hour in range(10, 24)
    ]
    for name, table in (("a-old", old), ("b-new", new)):
        pq.write_table(pa.Table.from_pylist(table), tmp_path / f"{name}.parquet")
    flows = ft.read_flows(tmp_path)
    assert flows.report.rows_migrated > 5
    for verb in VERBS.values():
        assert verb(tmp_path).equals(verb(flows))


@pytest.mark.extra
def test_top_of_streamed_logs_states_what_reading_them_whole_states(tmp_path: Path) -> None:
    folder = logs(tmp_path, records(7, growing=True))
    arguments = ("--key", "dest", "--by", "bytes", "--internal", "10.0.0.0/8")
    streamed = run("top", str(folder), *arguments)
    # A list with an option that needs all flows is read into memory.
    whole = run("top", str(folder), *arguments, "--stitch")
    assert streamed.returncode == 0
    assert streamed.stdout == whole.stdout
    assert streamed.stderr == whole.stderr


def test_one_warning_tells_of_bad_rows_of_logs_that_are_read_again(tmp_path: Path) -> None:
    log = written(tmp_path / "conn.log", records(8, growing=True))
    log.write_text(log.read_text() + "broken\n")
    with pytest.warns(QualityWarning) as warned:
        ft.flow_index(log)
    assert len(warned) == 1
    assert "1 of" in str(warned[0].message)


@pytest.mark.parametrize("name", REAL)
def test_real_logs_give_the_same_streamed_and_in_memory(name: str, shared: Path) -> None:
    log = shared / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        flows = ft.read_flows(log)
        for title, verb in VERBS.items():
            assert verb(log).equals(verb(flows)), title


def damaged(text: str) -> str:
    """Damage every seventh line of a log, in another way each time."""
    ways = (
        lambda line: line.replace("\t", " ", 1),
        lambda line: line + "\tmore",
        lambda line: line.replace("10.0.0.", "10.0.0.999"),
        lambda line: line.replace("\ttcp\t", "\ttcp\t-"),
        lambda line: line.replace("192.0.2.", "::ffff:192.0.2."),
        lambda line: line.replace("\t443\t", "\t70000\t"),
    )
    lines = text.splitlines(keepends=True)
    for number in range(5, len(lines), 7):
        lines[number] = ways[number // 7 % len(ways)](lines[number][:-1]) + "\n"
    return "".join(lines)


def test_damaged_logs_give_the_same_streamed_and_in_memory(tmp_path: Path) -> None:
    log = written(tmp_path / "conn.log", records(9, growing=True))
    log.write_text(damaged(log.read_text()))
    flows = ft.read_flows(log)
    assert flows.report.rows_bad > 50
    for title, verb in VERBS.items():
        with pytest.warns(QualityWarning) as warned:
            assert verb(log).equals(verb(flows)), title
        assert f"{flows.report.rows_bad:,} of {flows.report.rows_read:,}" in str(warned[0].message)

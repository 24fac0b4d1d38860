"""`flowtriage convert`, and the sources that all commands read."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import flowtriage as ft
from command_line import run
from flowtriage import sample
from flowtriage.write import FORMATS

pytestmark = pytest.mark.extra

LINE = "2024-01-01T00:00:00Z,10.0.0.1,10.0.0.2,dns,1\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "in.log"
    ft.write_flows(sample.office_day(), path, format="zeek")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_log_is_written_in_every_format(log: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    done = run("convert", log, out, "--format", name)
    assert f"{len(ft.read_flows(log)):,} records written to {out}" in done.stdout
    assert done.stderr == ""
    assert ft.flow_index(out).equals(ft.flow_index(log))


def test_several_sources_become_one(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.gz").write_bytes(gzip.compress(log.read_bytes()))
    out = tmp_path / "out.json.zst"
    run("convert", log, f"{tmp_path}/fol*", out, "--format", "asim")
    assert len(ft.read_flows(out)) == 2 * sample.office_day().num_rows


def test_an_existing_file_is_overwritten_only_by_force(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before")
    refused = run("convert", log, out, "--format", "zeek", status=2)
    assert "already exists; --force overwrites it" in refused.stderr
    assert out.read_text() == "before"
    run("convert", log, out, "--format", "zeek", "--force")
    assert out.read_bytes() == log.read_bytes()


NFDUMP = (
    "firstSeen,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes\n"
    "2024-12-20 18:23:02,TCP,10.0.0.4,50000,192.0.2.1,443,9,900\n"
    "2024-12-20 18:23:02,TCP,192.0.2.1,443,10.0.0.4,50000,8,800\n"
)


def test_options_of_reading_are_the_same_for_every_command(tmp_path: Path) -> None:
    path, out = tmp_path / "flow.csv", tmp_path / "out.parquet"
    path.write_text(NFDUMP)
    reading = ["--from", "nfdump", "--tz", "+02:00", "--stitch", "--internal", "192.0.2.0/24"]
    expected = ft.read_flows(
        path, format="nfdump", tz="+02:00", stitch=True, internal=["192.0.2.0/24"]
    )
    run("convert", path, out, "--format", "parquet", *reading)
    written = ft.read_flows(out).to_arrow()
    assert written.select(["src_ip", "start_time", "dst_bytes", "direction"]).to_pylist() == [
        {
            "src_ip": "10.0.0.4",
            "start_time": datetime(2024, 12, 20, 16, 23, 2, tzinfo=UTC),
            "dst_bytes": 800,
            "direction": "inbound",
        }
    ]
    report = json.loads(run("report", path, *reading, "--json").stdout)
    assert report == expected.report.to_dict()
    top = ("top", path, "--key", "FlowDirection", "--by", "flows", "--json", *reading)
    assert [row["FlowDirection"] for row in json.loads(run(*top).stdout)] == ["I"]
    summary = ("summary", path, "--host", "10.0.0.4", "--json", *reading)
    assert json.loads(run(*summary).stdout)["report"] == report


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            "src_ip=client,dst_ip=server,start_time=at:ms",
            "at,client,server\n1734718982000,10.0.0.4,192.0.2.1\n",
        ),
        ("${start} ${srcaddr} ${dstaddr}", "1734718982 10.0.0.4 192.0.2.1\n"),
        ("start,srcaddr,dstaddr", "1734718982 10.0.0.4 192.0.2.1\n"),
    ],
)
def test_columns_are_named_on_the_command_line(tmp_path: Path, columns: str, text: str) -> None:
    path, out = tmp_path / "flow.csv", tmp_path / "out.parquet"
    path.write_text(text)
    run("convert", path, out, "--format", "parquet", "--columns", columns)
    names = ["start_time", "src_ip", "dst_ip"]
    at = datetime(2024, 12, 20, 18, 23, 2, tzinfo=UTC)
    (row,) = ft.read_flows(out).to_arrow().select(names).to_pylist()
    assert tuple(row.values()) == (at, "10.0.0.4", "192.0.2.1")


def test_the_report_is_shown_as_facts(log: Path) -> None:
    text = run("report", log).stdout
    for label, fact in ft.flow_report(log).facts().items():
        assert label in text
        assert fact[:60] in text
    assert "give a FILE, or --sample" in run("report", status=2).stderr
    assert "Counters" in run("report", "--sample").stdout
    assert "--deduplicate" in run("report", "--help").stdout


def test_losses_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(
        "start_time,end_time,src_ip,dst_ip,service,flows\n"
        ",2024-01-01T00:00:00Z,10.0.0.1,10.0.0.2,dns,1\n"
        ",,ten,10.0.0.2,dns,1\n"
    )
    done = run("convert", path, tmp_path / "out", "--format", "zeek")
    assert "zeek has no field for end_time: 1 value dropped" in done.stderr
    assert "'ten' is not an IP address" in done.stderr
    assert "1 record (of 2 rows: 1 bad) written" in done.stdout


def test_invalid_arguments(log: Path, tmp_path: Path) -> None:
    done = run("convert", log, tmp_path / "out", "--format", "pcap", status=2)
    assert "cannot write format 'pcap'; did you mean parquet" in done.stderr
    assert "absent.log" in run("convert", "absent.log", "out", "--format", "zeek", status=2).stderr
    assert run("convert", log, "--format", "zeek", status=2).stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.log"]


def test_commands_read_from_standard_input(log: Path) -> None:
    arguments = ("top", "-", "--key", "dest", "--by", "bytes", "--json")
    done = run(*arguments, stdin=gzip.compress(log.read_bytes()))
    assert json.loads(done.stdout) == json.loads(run("top", log, *arguments[2:]).stdout)
    pytest.importorskip("fsspec")
    assert json.loads(run("top", f"file://{log}", *arguments[2:]).stdout) == json.loads(done.stdout)

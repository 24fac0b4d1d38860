"""Every place that a log can be in gives the same flows; what was passed over is told."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError, FormatError, MissingExtraError
from zeek_log import HEADER, LINES, LOG, zstd


@pytest.fixture
def expected(log: Path) -> pa.Table:
    table = ft.read_flows(log).to_arrow()
    assert table.num_rows == 100
    return table


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: zstd(text.encode()),
        lambda text: zstd(text[:3000].encode()) + zstd(text[3000:].encode()),
        lambda text: b"\x50\x2a\x4d\x18\4\0\0\0skip" + zstd(text.encode()),
        lambda text: gzip.compress(text[:3000].encode()) + gzip.compress(text[3000:].encode()),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode("utf-16")),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\r\n", 50).encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
)
def test_every_packing_and_encoding_gives_the_same_flows(
    log: Path, expected: pa.Table, encode: Callable[[str], bytes]
) -> None:
    log.write_bytes(encode(LOG))
    flows = ft.read_flows(log)
    assert flows.report.rows_bad == 0
    assert flows.to_arrow().equals(expected)


def test_open_files_are_read_from_where_they_stand_and_stay_open(
    log: Path, expected: pa.Table, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(LOG.encode()))
    utf16 = tmp_path / "utf16.log"
    utf16.write_text(LOG, encoding="utf-16-le")
    before = io.BytesIO(b"before" + LOG.encode())
    before.seek(6)
    sources: list[Any] = [
        log.open("rb"),
        log.open("rb", buffering=0),
        log.open(),
        utf16.open(encoding="utf-16-le"),
        gzip.open(packed),  # noqa: SIM115
        gzip.open(packed, "rt"),  # noqa: SIM115
        packed.open("rb"),
        io.BytesIO(LOG.encode()),
        io.BytesIO(zstd(LOG.encode())),
        io.StringIO(LOG),
        before,
        pa.OSFile(str(log)),
    ]
    for source in sources:
        with source:
            assert ft.read_flows(source).to_arrow().equals(expected), source
            assert not source.closed


def test_binary_tables_are_read_from_anything_that_is_open(
    expected: pa.Table, tmp_path: Path
) -> None:
    path = tmp_path / "flows.parquet"
    pq.write_table(expected, path)
    content = path.read_bytes()
    after = io.BytesIO(b"before" + content)
    after.seek(6)
    for source in (
        path,
        path.open("rb"),
        io.BytesIO(content),
        io.BytesIO(gzip.compress(content)),
        after,
    ):
        assert ft.read_flows(source).to_arrow().equals(expected)
        if isinstance(source, io.IOBase):
            source.close()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, expected.schema) as writer:
        writer.write_table(expected)
    arrow = sink.getvalue().to_pybytes()
    for source in (io.BytesIO(arrow), io.BytesIO(zstd(arrow))):
        assert ft.read_flows(source).to_arrow().equals(expected)


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
def test_a_pipe_is_read_without_going_back(log: Path, expected: pa.Table, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", log, pipe]) as writer:
        flows = ft.read_flows(pipe)
    assert writer.returncode == 0
    assert flows.to_arrow().equals(expected)


def test_a_text_file_opened_with_the_wrong_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_bytes(LOG.encode().replace(b"tcp", b"t\xffp"))
    with (
        path.open(encoding="utf-8") as file,
        pytest.raises(FormatError, match="open the file in binary mode"),
    ):
        ft.read_flows(file)


def test_globs_and_lists(log: Path, expected: pa.Table, tmp_path: Path) -> None:
    deep = tmp_path / "logs" / "2024"
    deep.mkdir(parents=True)
    (deep / "b.log").write_text(HEADER + "".join(LINES[50:]))
    (deep / "a.log.gz").write_bytes(gzip.compress((HEADER + "".join(LINES[:50])).encode()))
    for place in (
        f"{tmp_path}/logs/2024/*",
        tmp_path / "logs" / "**" / "*.log*",
        [deep / "a.log.gz", io.BytesIO((deep / "b.log").read_bytes())],
        (part for part in (deep / "a.log.gz", str(deep / "b.log"))),
    ):
        assert ft.read_flows(place).to_arrow().equals(expected), place
    with pytest.raises(FileNotFoundError, match="no file matches"):
        ft.read_flows(f"{tmp_path}/*.none")
    assert ft.flow_index(f"{tmp_path}/logs/2024/*").equals(ft.flow_index(log))


@pytest.mark.parametrize(
    "name", ["[1].log", "a*b.log", "what?.log", "two\nlines.log", "\u202e.log"]
)
def test_a_file_of_just_that_name_comes_before_a_pattern(
    expected: pa.Table, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(LOG)
    (tmp_path / "1.log").write_text("something else")
    (tmp_path / "aab.log").write_text("something else")
    flows = ft.read_flows(tmp_path / name)
    assert flows.to_arrow().equals(expected)
    (shown,) = flows.report.sources
    assert shown.isprintable()


def test_a_name_that_is_no_text_is_shown_safely(expected: pa.Table, tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff.log")  # noqa: PTH118
    try:
        with open(path, "w") as file:  # noqa: PTH123
            file.write(LOG)
    except OSError:
        pytest.skip("the file system wants names to be text")
    flows = ft.read_flows(os.fsdecode(path))
    assert flows.to_arrow().equals(expected)
    str(flows.report).encode()


def test_a_folder_is_read_in_order_and_tells_what_it_passed_over(
    expected: pa.Table, tmp_path: Path
) -> None:
    folder = tmp_path / "flow"
    schema = pa.table({"y": [2024]})
    for hour, part in ((1, expected.slice(0, 40)), (10, expected.slice(40))):
        inner = folder / "y=2024" / "m=1" / "d=2" / f"h={hour:02}"
        inner.mkdir(parents=True)
        pq.write_table(part, inner / "000000_0")
        (inner / "_SUCCESS").touch()
        (inner / ".000000_0.crc").write_bytes(b"crc\0")
    (folder / "_temporary").mkdir()
    pq.write_table(expected, folder / "_temporary" / "part-0.parquet")
    (folder / "README.txt").write_text("about this folder")
    pq.write_table(schema, folder / "other.parquet")
    (folder / "empty.log").touch()
    flows = ft.read_flows(folder)
    assert flows.to_arrow().equals(expected)
    assert [Path(name).parent.name for name in flows.report.sources] == ["h=01", "h=10"]
    reasons = {Path(name).name: why for name, why in flows.report.skipped_files.items()}
    assert set(reasons) == {
        "_SUCCESS",
        ".000000_0.crc",
        "part-0.parquet",
        "README.txt",
        "other.parquet",
        "empty.log",
    }
    assert len(flows.report.skipped_files) == 8
    assert "not recognised" in reasons["README.txt"]
    assert "is empty" in reasons["empty.log"]
    assert "README.txt" in str(flows.report)
    assert flows.report.to_dict()["skipped_files"] == flows.report.skipped_files


def test_a_folder_without_a_flow_log_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    (tmp_path / "b.txt").write_text("nothing")
    with pytest.raises(
        FormatError, match="none of the 2 files in this directory is a flow log; .*a.txt"
    ):
        ft.read_flows(tmp_path)


def test_a_file_named_itself_is_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "_hidden.log").write_text(LOG)
    assert len(ft.read_flows(tmp_path / "_hidden.log")) == 100
    (tmp_path / "other.txt").write_text("nothing")
    with pytest.raises(FormatError, match="not recognised"):
        ft.read_flows([tmp_path / "_hidden.log", tmp_path / "other.txt"])


def test_urls(expected: pa.Table) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe(
        {
            "/logs/a.log": (HEADER + "".join(LINES[:50])).encode(),
            "/logs/b.log.zst": zstd((HEADER + "".join(LINES[50:])).encode()),
            "/logs/_SUCCESS": b"",
        }
    )
    sink = io.BytesIO()
    pq.write_table(expected, sink)
    memory.pipe("/flows.parquet", sink.getvalue())
    for place in ("memory://logs", "memory://logs/*.log*", "memory://flows.parquet"):
        assert ft.read_flows(place).to_arrow().equals(expected), place
    flows = ft.read_flows("memory://logs")
    assert flows.report.sources == ["memory:///logs/a.log", "memory:///logs/b.log.zst"]
    assert list(flows.report.skipped_files) == ["memory:///logs/_SUCCESS"]
    with pytest.raises(FileNotFoundError):
        ft.read_flows("memory://absent.log")
    with pytest.raises(ArgumentError, match="gopher"):
        ft.read_flows("gopher://host/conn.log")
    memory.rm("/logs", recursive=True)
    memory.rm("/flows.parquet")


def test_a_url_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"needs fsspec: pip install"):
        ft.read_flows("s3://bucket/conn.log")


def test_secrets_in_a_url_are_not_told() -> None:
    with pytest.raises((ArgumentError, MissingExtraError)) as caught:
        ft.read_flows("gopher://user:hidden1@host/conn.log?signature=hidden2")
    assert "hidden" not in str(caught.value)


def test_a_dataframe_has_the_format_of_the_same_table() -> None:
    row = {"FlowStartTime": "2025-04-03 07:06", "SrcIp": "10.0.0.1", "DestIp": "8.8.8.8"}
    row |= {"FlowDirection": "Outbound", "AllowedOutFlows": "1"}
    for column in ("AclRule", "AclGroup", "SrcNic", "FlowEncryption"):
        table = pa.Table.from_pylist([row | {column: "x"}])
        for source in (table, table.to_pandas(), table.to_pylist()):
            assert ft.read_flows(source).report.format == "azure-nta", column

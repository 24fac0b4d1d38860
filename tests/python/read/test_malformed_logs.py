"""Logs with incomplete, oversized or undecodable records: the other records are read."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import flowtriage as ft
from flowtriage.errors import FormatError
from zeek_log import HEADER, LOG, line, zstd


def test_a_log_that_grows_gives_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    torn = line(1234567)[:-4]
    path.write_text(LOG + torn)
    with path.open("a") as writer:

        class Growing(io.FileIO):
            """The log, which is written to whenever it is read."""

            def read(self, size: int | None = -1) -> bytes:
                writer.write(line(1) * 1000)
                writer.flush()
                return super().read(size)

        with Growing(path) as growing:
            flows = ft.read_flows(growing)
    assert len(flows) == 100
    assert (flows.report.rows_read, flows.report.rows_bad) == (101, 1)
    assert str(flows.report.bad_rows[0]).endswith("is incomplete; the log was still being written")
    assert flows.report.bad_rows[0].number == 103
    shutil.copy(path, tmp_path / "still.log")
    assert len(ft.read_flows(tmp_path / "still.log")) > 1000


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_packed_log_cut_in_the_middle_gives_whole_records_only(
    log: Path, pack: Callable[[bytes], bytes]
) -> None:
    dice = random.Random(4)
    numbers = [dice.randrange(1 << 30) for _ in range(200_000)]
    rows = [line(n) for n in numbers]
    packed = pack((HEADER + "".join(rows)).encode())
    log.write_bytes(packed[: len(packed) // 2])
    flows = ft.read_flows(log)
    count = len(flows)
    assert 1000 < count < 200_000
    assert flows.to_arrow()["src_bytes"].to_pylist() == numbers[:count]
    (bad,) = flows.report.bad_rows
    assert "truncated" in bad.reason
    assert bad.number == count + 2


MEASURE = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
import flowtriage as ft
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.monotonic()
try:
    flows = ft.read_flows(sys.argv[1])
    print(len(flows), flows.report.rows_bad)
    print(flows.report.bad_rows[0].reason)
except ft.errors.FormatError as error:
    print("refused", str(error)[:500])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) >> 10, time.monotonic() - start)
"""


def measured(path: Path) -> tuple[list[str], int, float]:
    """What reading says, and the megabytes and seconds it took."""
    code = MEASURE.replace("import flowtriage as ft", "import flowtriage as ft, flowtriage.errors")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    *told, cost = done.stdout.splitlines()
    return told, int(cost.split()[0]), float(cost.split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("before", [LOG, ""])
@pytest.mark.parametrize("filling", ["x", '{"a":"', "\t", '"'])
def test_a_line_of_100_mb_is_refused_in_bounded_memory(
    tmp_path: Path, before: str, filling: str
) -> None:
    path = tmp_path / "conn.log"
    with path.open("w") as file:
        file.write(before)
        for _ in range(100):
            file.write(filling * ((1 << 20) // len(filling)))
        file.write("\n" + line(7))
    told, megabytes, seconds = measured(path)
    assert megabytes < 300
    assert seconds < 30
    if before:
        assert told[0] == "101 1"
        assert "is longer than 32 MB" in told[1]
    else:
        assert told[0].startswith("refused")


@pytest.mark.slow
def test_a_record_of_40_mb_in_an_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flows.json"
    row = {"start_time": 1, "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "flows": 1}
    good = json.dumps(row)
    path.write_text(f'[{good},{good},{{"a":"{"x" * (40 << 20)}"}},{good}]')
    told, megabytes, _ = measured(path)
    assert told == [
        "2 1",
        "is longer than 32 MB; nothing after the start of this record was read",
    ]
    assert megabytes < 300


@pytest.mark.slow
def test_a_quotation_mark_never_closed_loses_one_record(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    row = "2024-01-01T00:00:00Z,10.0.0.1,10.0.0.2,dns,1\n"
    with path.open("w") as file:
        file.write("start_time,src_ip,dst_ip,service,flows\n" + row)
        file.write(row.replace("dns", '"dns'))
        for _ in range(100):
            file.write(row * 10_000)
    told, megabytes, seconds = measured(path)
    assert told[0] == "1000001 1"
    assert megabytes < 1000
    assert seconds < 60


@pytest.mark.slow
def test_a_line_of_a_million_columns(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_text(LOG + "x\t" * 1_000_000 + "\n" + line(1))
    told, _, seconds = measured(path)
    assert told[0] == "101 1"
    assert "1000001 values" in told[1]
    assert seconds < 30
    path.write_text("x," * 1_000_000 + "\n1,2\n")
    told, megabytes, seconds = measured(path)
    assert told[0].startswith("refused")
    assert megabytes < 1500
    assert seconds < 60


def test_nul_bytes_are_bad_rows_or_no_log_at_all(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_bytes((LOG + "\0" * 5000 + "\n" + line(1)).encode())
    flows = ft.read_flows(path)
    assert (len(flows), flows.report.rows_bad) == (101, 1)
    path.write_bytes(b"\0" * 5000 + LOG.encode())
    with pytest.raises(FormatError, match="binary data"):
        ft.read_flows(path)


def test_damaged_utf_16_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    content = LOG.encode("utf-16")
    place = content.index("tcp".encode("utf-16-le"))
    path.write_bytes(content[:place] + b"\x00\xd8" + content[place + 2 :])
    flows = ft.read_flows(path)
    assert (len(flows), flows.report.rows_bad) == (99, 1)
    path.write_bytes(content + b"\n")
    assert ft.read_flows(path).report.rows_bad == 1

"""Times that cannot be right, and what a damaged end of a file costs."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import flowtriage as ft
from flowtriage.quality import notices
from small_logs import zeek

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)


def aws(path: Path, *spans: tuple[int, int]) -> ft.Flows:
    rows = [
        f"2 1 eni-1 10.0.0.{n} 8.8.8.8 50000 443 6 10 1000 {start} {end} ACCEPT OK"
        for n, (start, end) in enumerate(spans)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return ft.read_flows(path)


def test_impossible_starts_are_outliers_among_any_number_of_rows(tmp_path: Path) -> None:
    usual = [(1_700_000_000 + n, 1_700_000_060 + n) for n in range(11)]
    far = [(-5, 1_700_000_060), (0, 1_700_000_060), (99_999_999_999, 99_999_999_999)]
    flows = aws(tmp_path / "aws.log", *usual, *far)
    quality = flows.report.quality
    assert quality is not None
    assert (quality.time_outliers, quality.long_records) == (3, 2)
    assert quality.max_record_duration == dt.timedelta(seconds=1_700_000_065)
    found = notices(flows.report)
    assert found["Time outliers"].startswith("3 rows")
    assert found["Long records"].startswith("2 last more than a year")


def test_long_logs_and_long_connections_are_usual(tmp_path: Path) -> None:
    year = 365 * 86_400
    spans = [(1_600_000_000 + n * year, 1_600_000_000 + n * year + year) for n in range(4)]
    quality = aws(tmp_path / "aws.log", *spans).report.quality
    assert quality is not None
    assert (quality.time_outliers, quality.long_records) == (0, 0)


def test_the_cut_end_of_a_gzip_file_is_one_more_row_that_is_bad(tmp_path: Path) -> None:
    rows = [{"ts": f"177240960{n % 10}.{n}", "id.orig_p": 40000 + n} for n in range(3000)]
    whole = gzip.compress(zeek(tmp_path / "conn.log", *rows).read_bytes())
    path = tmp_path / "cut.log.gz"
    path.write_bytes(whole[: len(whole) // 2])
    flows = ft.read_flows(path)
    assert 0 < len(flows) < 3000
    assert (flows.report.rows_read, flows.report.rows_bad) == (len(flows) + 1, 1)
    text = notices(flows.report)["Bad rows"]
    assert text.startswith(f"1 of {len(flows) + 1:,} rows")
    assert f"{path}, line" in text

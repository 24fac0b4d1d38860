"""Notices of a report: what limits the numbers is said, and nothing else."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.quality import QualityWarning, notices, warn_notices
from flowtriage.quality.sums import exact_sum
from small_logs import canonical, nfdump, zeek


def bad_log(path: Path, value: str = "many") -> Path:
    return zeek(path, {}, {"id.orig_p": value}, {"id.orig_p": "50001"})


def test_flows_without_limits_have_no_notice() -> None:
    report = ft.read_flows(sample.office_day()).report
    assert notices(report) == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_notices(report)


def test_bad_rows_are_stated_with_the_first_one(tmp_path: Path) -> None:
    report = ft.read_flows(bad_log(tmp_path / "conn.log")).report
    (text,) = notices(report).values()
    assert text.startswith("1 of 3 rows could not be used and was dropped; the first: ")
    assert "line 6, column id.orig_p: 'many'" in text


def test_a_truncated_file_is_stated(tmp_path: Path) -> None:
    rows = [{"uid": f"C{n}" * 40} for n in range(500)]
    content = gzip.compress(zeek(tmp_path / "conn.log", *rows).read_bytes())
    (tmp_path / "conn.log.gz").write_bytes(content[: len(content) * 2 // 3])
    assert "after this line" in notices(ft.read_flows(tmp_path / "conn.log.gz").report)["Bad rows"]


def test_other_totals_of_a_trailer_are_stated(tmp_path: Path) -> None:
    log = nfdump(tmp_path / "flows.csv", {}, trailer="2,9000,10,1,1,1")
    found = notices(ft.read_flows(log).report)
    assert "states 2, but 1 was read" in found["Trailer total: flows"]
    assert "states 9,000, but 5,000 were read" in found["Trailer total: bytes"]


def test_an_unreadable_file_of_a_directory_is_stated(tmp_path: Path) -> None:
    zeek(tmp_path / "conn.log", {})
    (tmp_path / "other.log").write_text("what is this?\n")
    (tmp_path / "_SUCCESS").touch()
    assert notices(ft.read_flows(tmp_path).report)["Skipped files"].startswith("1; the first: ")


def test_unidirectional_records_matter_if_they_are_most_of_them() -> None:
    def found(*received: int | None) -> dict[str, str]:
        ports = pa.array([1001, 1002, 1003], pa.uint16())
        flows = canonical(3, src_port=ports, src_bytes=[9, 9, 9], dst_bytes=list(received))
        return notices(ft.read_flows(flows).report)

    assert "Unidirectional records" not in found(9, 9, 0)
    assert found(9, 0, 0)["Unidirectional records"].startswith("2 of 3")


def test_a_timespan_is_stated_but_no_reason_to_warn() -> None:
    flows = ft.read_flows(canonical(), timespan=("2020-01-01", "2020-01-02"))
    assert notices(flows.report)["Outside the timespan"].startswith("1 record starts")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_notices(flows.report)


def test_a_function_warns_of_inflated_totals_of_a_file(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    row = {
        "FlowStartTime": "2024-05-01T01:00:00Z",
        "VMIPAddress": "10.0.0.4",
        "PublicIPs": "1.1.1.1 9.9.9.9",
        "FlowDirection": "O",
        "AllowedOutFlows": 5,
        "AllowedInFlows": 0,
    }
    with pytest.warns(QualityWarning, match="Totals may be inflated: by up to 5 flows"):
        ft.flow_index(pandas.DataFrame([row]))


def test_a_warning_escapes_what_a_log_contains(tmp_path: Path) -> None:
    log = bad_log(tmp_path / "conn.log", "\u202e\x1b[31m")
    with pytest.warns(QualityWarning) as caught:
        ft.flow_index(log)
    text = str(caught[0].message)
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("stream", [False, True])
def test_the_report_counts_records_and_flows(stream: bool) -> None:
    flows = canonical(3, flows=[5, 7, 0], denied_flows=pa.array([None, 1, 2], pa.int64()))
    report = ft.flow_report(flows) if stream else ft.read_flows(flows).report
    assert (report.records, report.flows, report.denied_flows) == (3, 12, 3)
    assert report.facts()["Records"] == "3"
    assert report.facts()["Flows"] == "12 allowed, 3 denied"
    document = report.to_dict()
    assert [document[name] for name in ("records", "flows", "denied_flows")] == [3, 12, 3]


def test_sums_are_exact_beyond_64_bits() -> None:
    largest = 2**63 - 1
    assert exact_sum(pa.chunked_array([[largest, None], [largest]])) == 2 * largest
    assert exact_sum(pa.chunked_array([pa.nulls(2, pa.int64())])) == 0

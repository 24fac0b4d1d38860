"""Read Spot's ranked results."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtriage.errors import ArgumentError, FormatError
from flowtriage.oa import results

LINES = (
    "2013-09-15 23:44:10\t2013\t9\t15\t23\t44\t10\t4.5\t10.0.0.1\t192.0.2.1\t50123\t443\tTCP"
    "\t12\t3000\t14\t9000\t1.5E-7\n"
    "2013-09-15 01:02:03\t2013\t9\t15\t1\t2\t3\t0\t10.0.0.2\t2001:db8::1\t0\t0\tICMP"
    "\t1\t84\t0\t0\t2.5E-7\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flow_results.csv"
    path.write_text(LINES)
    return path


def test_rows_as_spot_writes_them(path: Path) -> None:
    table = results.read(path)
    assert table.schema == results.RESULTS
    first, second = table.to_pylist()
    assert first == {
        "treceived": "2013-09-15 23:44:10",
        "tryear": 2013,
        "trmonth": 9,
        "trday": 15,
        "trhour": 23,
        "trminute": 44,
        "trsec": 10,
        "tdur": 4.5,
        "sip": "10.0.0.1",
        "dip": "192.0.2.1",
        "sport": 50123,
        "dport": 443,
        "proto": "TCP",
        "ipkt": 12,
        "ibyt": 3000,
        "opkt": 14,
        "obyt": 9000,
        "score": 1.5e-7,
        "rank": 0,
    }
    assert (second["dip"], second["score"], second["rank"]) == ("2001:db8::1", 2.5e-7, 1)


def test_the_limit_is_read_and_no_more(path: Path) -> None:
    path.write_text(LINES + "not a flow at all\n")
    assert results.read(path, limit=2).num_rows == 2
    with pytest.raises(FormatError, match=r"flow_results\.csv"):
        results.read(path)
    with pytest.raises(ArgumentError, match="limit"):
        results.read(path, limit=0)


def test_another_mapping(path: Path) -> None:
    path.write_text("1e-9\textra\t2013-09-15 23:44:10\t10.0.0.1\t192.0.2.1\n")
    mapping = {"score": 0, "treceived": 2, "sip": 3, "dip": 4, "mood": 1}
    (row,) = results.read(path, mapping).to_pylist()
    assert (row["score"], row["sip"], row["dip"], row["dport"]) == (
        *(1e-9, "10.0.0.1", "192.0.2.1"),
        None,
    )
    with pytest.raises(ArgumentError, match="lacks score"):
        results.read(path, {name: at for name, at in mapping.items() if name != "score"})
    with pytest.raises(FormatError, match="tab-separated"):
        results.read(path, mapping | {"dip": 9})


def test_quotes_and_missing_values_are_taken_as_they_are(path: Path) -> None:
    path.write_text(LINES.replace("TCP", '"; DROP TABLE flow_scores; --').replace("4.5", "NULL"))
    row = results.read(path).to_pylist()[0]
    assert (row["proto"], row["tdur"]) == ('"; DROP TABLE flow_scores; --', None)


def test_empty_and_missing_files(path: Path) -> None:
    path.write_text("")
    assert results.read(path).equals(results.RESULTS.empty_table())
    path.unlink()
    with pytest.raises(FileNotFoundError):
        results.read(path)


def test_written_results_are_read_back(path: Path, tmp_path: Path) -> None:
    table = results.read(path)
    results.write(table, tmp_path / "again.csv")
    assert results.read(tmp_path / "again.csv").equals(table)


def test_names_of_flow_scores(path: Path) -> None:
    assert results.DEFAULT.scores(results.read(path)).column_names == [
        *("tstart", "srcip", "dstip", "sport", "dport", "proto"),
        *("ipkt", "ibyt", "opkt", "obyt", "score", "rank"),
    ]

"""Quantities and untrusted text, formatted for plots and tables."""

from __future__ import annotations

import pyarrow as pa
import pytest

from flowtriage.humanize import counted, did_you_mean, human_bytes, sanitize, thousands


def test_numbers_read_like_python_writes_them() -> None:
    values = [0, 7, 999, 1000, 12_345, 999_999, 10**6, 2**62, -1, -1000, -98_765_432]
    assert thousands(pa.array(values)).to_pylist() == [f"{value:,}" for value in values]
    assert thousands(pa.array([2**64 - 1], pa.uint64())).to_pylist() == [f"{2**64 - 1:,}"]
    assert thousands(pa.array([], pa.int64())).to_pylist() == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1 MB"),
        (1_234_567_890, "1.2 GB"),
        (2**62, "4.6 EB"),
        (-1500, "-1.5 kB"),
        (None, None),
    ],
)
def test_bytes_have_a_unit(value: int | None, text: str | None) -> None:
    assert human_bytes(pa.array([value], pa.int64())).to_pylist() == [text]


def test_bytes_of_unsigned_and_chunked_columns() -> None:
    assert human_bytes(pa.array([2**64 - 1], pa.uint64())).to_pylist() == ["18.4 EB"]
    assert human_bytes(pa.chunked_array([[1], [2000]])).to_pylist() == ["1 B", "2 kB"]
    assert human_bytes(pa.chunked_array([], pa.int64())).to_pylist() == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 日本", "plain ünïcode 日本"),
        ("a\u202eb", "a\\u202eb"),
        ("a\x00b\x1b[31m", "a\\x00b\\x1b[31m"),
        ("a\tb\nc", "a\\tb\\nc"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_untrusted_text_is_escaped(text: str, shown: str) -> None:
    assert sanitize(text) == shown


def test_lines_can_be_kept_and_long_text_is_cut() -> None:
    assert sanitize("a\tb\nc\r", multiline=True) == "a\tb\nc\\r"
    assert sanitize("x" * 10, 10) == "x" * 10
    assert sanitize("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 flows"), (1, "1 flow"), (2, "2 flows"), (1234, "1,234 flows")]
)
def test_one_thing_has_the_singular(count: int, expected: str) -> None:
    assert counted(count, "flow") == expected
    assert counted(count, "", "") == f"{count:,}"
    verb = counted(count, "flow was read", "flows were read")
    assert verb == f"{expected} {'was' if count == 1 else 'were'} read"


def test_suggestions_are_the_three_nearest_in_order() -> None:
    known = ["zeek", "nfdump", "argus", "suricata", "ocsf"]
    assert did_you_mean("nfdmp", known) == "; did you mean nfdump, ocsf or zeek?"
    for odd in ("", None, 5, b"zz", ["x"], "\ud800", "z" * 1_000_000, float("nan")):
        assert did_you_mean(odd, known).count(",") == 1
        did_you_mean(odd, known).encode()
    assert did_you_mean("zeek", []) == ""
    assert did_you_mean("zeek", ["a"]) == "; did you mean a?"
    assert did_you_mean("5", [1, None, 5]).startswith("; did you mean 5, ")

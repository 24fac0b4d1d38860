"""Comparing the criterion benches of two commits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import compare_benches


def write(criterion: Path, bench: str, median: float) -> None:
    for run, nanoseconds in (("base", 1.0), ("new", median)):
        folder = criterion / bench / run
        folder.mkdir(parents=True)
        estimates = {"mean": {"point_estimate": 5.0}, "median": {"point_estimate": nanoseconds}}
        (folder / "estimates.json").write_text(json.dumps(estimates), encoding="utf-8")


def test_the_latest_medians_are_read(tmp_path: Path) -> None:
    write(tmp_path, "1 million flows/flow_index", 2e6)
    write(tmp_path, "parse", 3e6)
    assert compare_benches.read_medians(tmp_path) == {
        "1 million flows/flow_index": 2e6,
        "parse": 3e6,
    }
    assert compare_benches.read_medians(tmp_path / "absent") == {}


def test_the_minimum_of_several_rounds_counts() -> None:
    rounds = [{"a": 3.0, "b": 1.0}, {"a": 2.0, "b": 4.0}]
    assert compare_benches.minimum(rounds) == {"a": 2.0, "b": 1.0}


@pytest.mark.parametrize(("percent", "slower"), [(9.9, ["a"]), (10.1, []), (-60, ["a", "b"])])
def test_regressions_are_beyond_the_percentage(percent: float, slower: list[str]) -> None:
    changes = compare_benches.compare(
        {"a": 100.0, "b": 100.0, "gone": 1.0}, {"a": 110.0, "b": 50.0, "new": 1.0}
    )
    found = compare_benches.regressions(changes, percent)
    assert [change.bench for change in found] == slower


def test_the_table_tells_changes_and_absent_benches() -> None:
    changes = compare_benches.compare({"kept": 2e6, "gone": 1e6}, {"kept": 3e6, "new": 4e6})
    assert [line.split() for line in compare_benches.render(changes).splitlines()] == [
        ["bench", "base", "head", "change"],
        ["gone", "1.000", "ms", "absent"],
        ["kept", "2.000", "ms", "3.000", "ms", "+50.0", "%"],
        ["new", "absent", "4.000", "ms"],
    ]

"""The accuracy of the detectors is what docs/accuracy.md says, up to the tolerances there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip("polars")
pytest.importorskip("numpy")

from accuracy import figures
from accuracy.captures import score
from accuracy.figures import Figure
from accuracy.rules import FLOWTRIAGE
from accuracy.synthetic.scores import score_grid
from accuracy.truth import read_truth

pytestmark = pytest.mark.extra

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "accuracy.md"


def worse(measured: Iterable[Figure]) -> list[str]:
    """Return the figures that are worse than the written ones by more than their tolerance."""
    written = figures.read()
    return [
        f"{each.name}: {each.value}, written {written[each.name].value}"
        for each in measured
        if not written[each.name].permits(each.value)
    ]


def test_the_reduced_grid_is_as_accurate_as_written() -> None:
    cells = figures.reduced_cells()
    scored = score_grid(cells, [FLOWTRIAGE], figures.REDUCED_SEED)[0]
    assert scored.planted.height == len(cells)
    assert worse(figures.grid_figures(figures.REDUCED, scored)) == []


@pytest.mark.slow
def test_the_labelled_captures_are_as_accurate_as_written(shared: Path) -> None:
    captures = read_truth(shared / "labelled" / "truth.json")
    assert worse(figures.labelled_figures(list(score(captures, [FLOWTRIAGE])))) == []


def test_the_document_shows_the_written_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for each in figures.read().values():
        value = "–" if each.value is None else f"{each.value:.3f}"
        assert f"| {each.name} | {value} |" in text


@pytest.mark.parametrize(
    ("written", "measured", "permitted"),
    [
        (Figure("a", 0.9, 0.05), 0.85, True),
        (Figure("a", 0.9, 0.05), 0.84, False),
        (Figure("a", 0.9, 0.05), 1.0, True),
        (Figure("a", 0.9, 0.05), None, False),
        (Figure("a", None, 0.05), None, True),
        (Figure("a", 0.9, 0.1, lower_is_better=True), 1.0, True),
        (Figure("a", 0.9, 0.1, lower_is_better=True), 1.1, False),
        (Figure("a", 0.9, 0.0, lower_is_better=True), 0.0, True),
    ],
)
def test_a_figure_may_become_worse_by_its_tolerance(
    written: Figure, measured: float | None, permitted: bool
) -> None:
    assert written.permits(measured) is permitted


def test_figures_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "results" / "figures.json"
    kept = [Figure("a", 0.5, 0.1), Figure("b", None, 0.0, lower_is_better=True)]
    figures.write(kept, path)
    assert list(figures.read(path).values()) == kept
    assert [each["name"] for each in json.loads(path.read_text(encoding="utf-8"))] == ["a", "b"]

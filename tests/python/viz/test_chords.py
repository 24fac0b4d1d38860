"""Chord diagrams: how arcs and ribbons share a circle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("bokeh")
pytest.importorskip("duckdb")

from flowtriage.viz.chords import arcs_of, ribbon

pytestmark = pytest.mark.extra


def test_ribbons_share_the_circle_without_overlap() -> None:
    width = np.sqrt(np.array([[0.0, 1, 9], [4, 0, 0], [0, 25, 0]]))
    arcs = arcs_of(width)
    spans = arcs.slots[..., 0] - arcs.slots[..., 1]
    assert spans / spans.sum() == pytest.approx(width / width.sum())
    assert arcs.start - arcs.end == pytest.approx(spans.sum(axis=1))
    gaps = 2 * np.pi - spans.sum()
    assert gaps == pytest.approx(3 * np.radians(3.5))
    for at in range(3):
        slots = sorted(map(tuple, arcs.slots[at]), reverse=True)
        assert slots[0][0] == pytest.approx(arcs.start[at])
        assert slots[-1][1] == pytest.approx(arcs.end[at])
        assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(slots))
    assert (np.hypot(*ribbon(arcs, 0, 2).T) < 0.99).all()

"""Arcs of a circle, and ribbons between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowtriage.oa.plots.layout import Floats

_GAP = np.radians(3.5)
_FINE = np.radians(2)
_INNER, _OUTER = 0.985, 1.05
_CURVE = np.linspace(0, 1, 25)[1:-1, None]


@dataclass(frozen=True)
class Arcs:
    """Arcs, clockwise from the top.

    Attributes
    ----------
    begin, end
        Angle of each, in radians.
    slots
        Angles between which the ribbon of one to another begins, of shape (arcs, arcs, 2).
    """

    begin: Floats
    end: Floats
    slots: Floats


def arcs_of(width: Floats) -> Arcs:
    """Share the circle.

    Parameters
    ----------
    width
        How wide the ribbon of each to each other is at its beginning.

    Returns
    -------
    Arcs
        Each as wide as the ribbons that begin or end at it, with gaps between.

    Examples
    --------
    >>> arcs = arcs_of(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> np.degrees(arcs.begin - arcs.end).round().tolist()
    [176.0, 176.0]
    """
    count = len(width)
    whole = 2 * np.pi - _GAP * count
    scale = whole / width.sum()
    size = width.sum(axis=1) * scale
    before = np.cumsum(size) - size
    begin = np.pi / 2 - (before + _GAP * (np.arange(count) + 0.5))
    # Ribbons leave an arc in the order in which the circle is walked, so that fewer cross.
    turn = (np.arange(count)[None, :] - np.arange(count)[:, None]) % count
    order = np.argsort(-turn, axis=1, kind="stable")
    ordered = np.take_along_axis(width * scale, order, axis=1)
    ends = np.cumsum(ordered, axis=1)
    slots = np.empty((count, count, 2))
    np.put_along_axis(slots[:, :, 0], order, begin[:, None] - (ends - ordered), axis=1)
    np.put_along_axis(slots[:, :, 1], order, begin[:, None] - ends, axis=1)
    return Arcs(begin, begin - size, slots)


def ring(arcs: Arcs, at: int) -> Floats:
    """Return the outline of an arc, as points of shape (points, 2)."""
    there = _arc(arcs.begin[at], arcs.end[at])
    return np.concatenate([there, there[::-1] * (_OUTER / _INNER)])


def ribbon(arcs: Arcs, one: int, other: int) -> Floats:
    """Return the outline of a ribbon, as points of shape (points, 2)."""
    begin = _arc(*arcs.slots[one, other])
    end = _arc(*arcs.slots[other, one])
    return np.concatenate([begin, _curve(begin[-1], end[0]), end, _curve(end[-1], begin[0])])


def _arc(begin: float, end: float) -> Floats:
    points = np.linspace(begin, end, 2 + int(abs(end - begin) / _FINE))
    return np.asarray(_INNER * np.stack([np.cos(points), np.sin(points)], axis=1))


def _curve(begin: Floats, end: Floats) -> Floats:
    """Bend a line towards the middle (a quadratic Bézier curve)."""
    return np.asarray((1 - _CURVE) ** 2 * begin + _CURVE**2 * end)

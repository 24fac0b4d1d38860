"""Synthetic beacons: what varies between them, and their calls."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accuracy.synthetic.draw import DAY, Draw, Floats
from accuracy.synthetic.flows import Batch

PERIODS = (30, 60, 300, 900, 1800, 3600, 7200)
JITTERS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
LOSSES = (0.0, 0.1, 0.2, 0.3, 0.4)
DIRECT, NAT, PROXY = "direct", "NAT", "proxy"
BUSY_PROXY, TWO_BEHIND_NAT, CLOUD = "busy proxy", "two behind one NAT", "popular cloud"
PATHS = (DIRECT, NAT, PROXY)
HARD_PATHS = (BUSY_PROXY, TWO_BEHIND_NAT, CLOUD)
"""Ways to the controller that the acceptance figure leaves out."""

_EVENING, _MORNING = 22 * 3600, 6 * 3600


@dataclass(frozen=True)
class Beacon:
    """One cell of the grid.

    Attributes
    ----------
    period
        Seconds between calls.
    jitter
        Every gap is the period times a uniform number between 1 - jitter and 1 + jitter.
    loss
        Probability that a call is absent from the log.
    sleeps
        Whether the host is off from 22:00 to 06:00.
    varied
        Whether the sizes of the calls differ, by up to a factor of about 50.
    path
        How the calls reach the controller.
    """

    period: int
    jitter: float
    loss: float
    sleeps: bool
    varied: bool
    path: str


def grid(
    periods: Sequence[int] = PERIODS,
    jitters: Sequence[float] = JITTERS,
    losses: Sequence[float] = LOSSES,
    paths: Sequence[str] = PATHS,
) -> list[Beacon]:
    """Return all combinations, each with night sleep or not, constant or varied size."""
    switches = (False, True)
    cells = itertools.product(periods, jitters, losses, switches, switches, paths)
    return [Beacon(*cell) for cell in cells]


def call_times(beacon: Beacon, draw: Draw) -> Floats:
    """Draw the times of the calls in one day that are in the log."""
    most = int(DAY / (beacon.period * (1 - beacon.jitter))) + 2
    gaps = beacon.period * (1 + beacon.jitter * draw.uniform(most, -1, 1))
    time = np.cumsum(gaps) - beacon.period * draw.uniform(1)
    kept = (time >= 0) & (time < DAY) & (draw.uniform(most) >= beacon.loss)
    if beacon.sleeps:
        kept &= (time >= _MORNING) & (time < _EVENING)
    return time[kept]


def calls(
    beacon: Beacon, time: Floats, source: int, dest: int, proxy: int, draw: Draw
) -> Batch:  # fmt: skip
    """Return the flows of calls."""
    count = len(time)
    proxied = beacon.path in (PROXY, BUSY_PROXY)
    if beacon.varied:
        sent, received = draw.sizes(count, 900), draw.sizes(count, 4000)
    else:
        sent, received = np.full(count, 620), np.full(count, 1480)
    return Batch(
        time,
        np.full(count, source),
        np.full(count, proxy if proxied else dest),
        3128 if proxied else 443,
        "tcp",
        "http" if proxied else "ssl",
        sent,
        received,
        draw.uniform(count, 0.1, 0.9),
    )

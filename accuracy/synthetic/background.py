"""Benign traffic of office hosts: browsing, names, time, mail, updates, push, telemetry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from accuracy.synthetic.draw import DAY, Draw, Floats, Integers
from accuracy.synthetic.flows import Batch

SESSIONS, QUIET_SESSIONS = 15, 3
"""Browsing sessions of a host in a day; those of a host whose browsing goes through a proxy."""

_BY_HOUR = np.array(
    [1, 1, 1, 1, 1, 1, 4, 30, 75, 90, 85, 60, 30, 65, 85, 80, 65, 35, 12, 8, 7, 6, 3, 2]
)


@dataclass(frozen=True)
class Office:
    """Positions of the addresses that the hosts of a site use.

    `hosts` has one entry for each person, so that the address of a gateway is there several
    times; `sessions` and `proxied` belong to the same person.
    """

    hosts: Integers
    sessions: Integers
    proxied: np.ndarray
    own: Integers
    popular: Integers
    resolver: int
    mail: int
    proxy: int
    clocks: Integers


def background(office: Office, draw: Draw) -> Iterator[Batch]:
    """Yield one day of benign traffic of a site."""
    yield from _browsing(office, draw)
    yield from _clocks(office, draw)
    yield from _mail(office, draw)
    yield from _push(office, draw)
    yield from _telemetry(office, draw)
    yield from _updates(office, draw)
    yield from _chat(office, draw)
    yield from _niche(office, draw)


def _browsing(office: Office, draw: Draw) -> Iterator[Batch]:
    """Browse in sessions at random times of the day: bursts of connections and names."""
    counts = np.maximum(1, office.sessions + draw.integers(len(office.hosts), 5) - 2)
    person = np.repeat(np.arange(len(office.hosts)), counts)
    begin = _busy(draw, len(person))
    clicks = 4 + draw.integers(len(person), 11)
    session = np.repeat(np.arange(len(person)), clicks)
    waits = draw.exponential(len(session), 6.0)
    since = np.cumsum(waits)
    first = np.concatenate([[0], np.cumsum(clicks)[:-1]])
    time = begin[session] + since - np.repeat(since[first], clicks)
    who = person[session]
    peer = office.popular[draw.skewed(len(who), len(office.popular))]
    sent, received = draw.sizes(len(who), 1800, 1e6), draw.sizes(len(who), 24_000)
    seconds = draw.exponential(len(who), 8.0)
    proxied = office.proxied[who]
    for chosen, dest, port, service in (
        (~proxied, peer, 443, "ssl"),
        (proxied, np.full(len(who), office.proxy), 3128, "http"),
    ):
        yield Batch(
            time[chosen], office.hosts[who[chosen]], dest[chosen], port, "tcp", service,
            sent[chosen], received[chosen], seconds[chosen],
        )  # fmt: skip
    named = ~proxied & (draw.uniform(len(who)) < 0.7)
    yield _even(draw, time[named] - 0.05, office.hosts[who[named]], office.resolver, 53, "dns", 60)


def _clocks(office: Office, draw: Draw) -> Iterator[Batch]:
    time, person = _polls(draw, len(office.hosts), 2048, 0.002)
    clock = office.clocks[person % len(office.clocks)]
    yield _even(draw, time, office.hosts[person], clock, 123, "ntp", 76)


def _mail(office: Office, draw: Draw) -> Iterator[Batch]:
    """Poll the mail server of the site every 10 minutes, by day."""
    time, person = _polls(draw, len(office.hosts), 600, 0.01)
    awake = (time > 7 * 3600) & (time < 18.5 * 3600)
    time, person = time[awake], person[awake]
    count = len(time)
    yield Batch(
        time, office.hosts[person], np.full(count, office.mail), 993, "tcp", "ssl",
        1100 + draw.integers(count, 300), draw.sizes(count, 2500), draw.exponential(count, 1.0),
    )  # fmt: skip


def _push(office: Office, draw: Draw) -> Iterator[Batch]:
    """Connect a push service of a popular network again about every 30 minutes."""
    yield from _service(office, draw, which=2, port=5228, period=1800, jitter=0.03, sent=1400)


def _telemetry(office: Office, draw: Draw) -> Iterator[Batch]:
    """Send telemetry of the operating system, about every 15 minutes."""
    yield from _service(office, draw, which=0, port=443, period=900, jitter=0.05, sent=6000)


def _updates(office: Office, draw: Draw) -> Iterator[Batch]:
    """Look for updates, every 4 hours or so."""
    yield from _service(office, draw, which=8, port=443, period=14_400, jitter=0.3, sent=3000)


def _service(
    office: Office, draw: Draw, *, which: int, port: int, period: float, jitter: float, sent: int
) -> Iterator[Batch]:
    time, person = _polls(draw, len(office.hosts), period, jitter)
    direct = ~office.proxied[person]
    time, person = time[direct], person[direct]
    count = len(time)
    yield Batch(
        time, office.hosts[person], np.full(count, office.popular[which]), port, "tcp", "ssl",
        draw.sizes(count, sent, 1e6), draw.sizes(count, 5000), draw.exponential(count, 2.0),
    )  # fmt: skip


def _chat(office: Office, draw: Draw) -> Iterator[Batch]:
    """Call a network of its own from every host, at random times, all day."""
    gaps = draw.exponential(len(office.hosts) * 100, 1400.0).reshape(len(office.hosts), -1)
    time = np.cumsum(gaps, axis=1)
    person = np.broadcast_to(np.arange(len(office.hosts))[:, None], time.shape)
    inside = (time < DAY) & ~office.proxied[person]
    when, who = time[inside], person[inside]
    count = len(when)
    yield Batch(
        when, office.hosts[who], office.own[who], 443, "tcp", "ssl",
        draw.sizes(count, 1500, 1e6), draw.sizes(count, 6000), draw.exponential(count, 5.0),
    )  # fmt: skip


def _niche(office: Office, draw: Draw) -> Iterator[Batch]:
    """Poll, from a tenth of the hosts, a network that few other hosts visit."""
    chosen = np.flatnonzero((np.arange(len(office.hosts)) % 10 == 3) & ~office.proxied)
    time, which = _polls(draw, len(chosen), 1200, 0.05)
    person = chosen[which]
    dest, count = office.own[(person + 7) % len(office.own)], len(time)
    yield Batch(
        time, office.hosts[person], dest, 443, "tcp", "ssl",
        700 + draw.integers(count, 40), draw.sizes(count, 3000), draw.exponential(count, 1.0),
    )  # fmt: skip


def _polls(draw: Draw, people: int, period: float, jitter: float) -> tuple[Floats, Integers]:
    """Return times and people of polls that everybody makes from a time of their own."""
    calls = int(DAY / (period * (1 - jitter))) + 2
    gaps = period * (1 + jitter * draw.uniform(people * calls, -1, 1)).reshape(people, calls)
    time = np.cumsum(gaps, axis=1) - draw.uniform(people, 0, period)[:, None]
    inside = (time >= 0) & (time < DAY)
    person = np.broadcast_to(np.arange(people)[:, None], time.shape)
    return time[inside], person[inside]


def _even(
    draw: Draw, time: Floats, source: Integers, dest: Integers | int, port: int, service: str,
    size: int,
) -> Batch:  # fmt: skip
    """Return small UDP requests and their responses."""
    count = len(time)
    return Batch(
        time, source, np.broadcast_to(np.asarray(dest), count), port, "udp", service,
        size + draw.integers(count, 20), size + draw.integers(count, 200),
        draw.uniform(count, 0.001, 0.05),
    )  # fmt: skip


def _busy(draw: Draw, count: int) -> Floats:
    """Draw seconds of the day, weighted by office hours."""
    edges = np.cumsum(_BY_HOUR) / _BY_HOUR.sum()
    hour = np.searchsorted(edges, draw.uniform(count), side="right")
    return 3600.0 * (hour + draw.uniform(count))

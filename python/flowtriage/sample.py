"""A synthetic day of network flows for examples and tests.

:func:`office_day` generates one day of an office workstation, as logged by a Zeek-like sensor on
the host. It contains four findings: :data:`BEACON`, :data:`SCAN`, :data:`UPLOAD`, :data:`RARE`.

All traffic is fictitious. Public addresses are drawn at random from announced networks, so that
they resolve to an AS and a country; no real host of these networks took part in anything shown
here.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from itertools import accumulate
from typing import NamedTuple, TypeVar

import pyarrow as pa

_T = TypeVar("_T")
_Row = tuple[object, ...]


class Finding(NamedTuple):
    """A finding in the synthetic day."""

    kind: str
    peer: str  # public address of the peer
    asn: int  # AS that announces the address
    hours: tuple[float, float]  # start and end, in hours after midnight UTC
    flows: int
    story: str  # description for people


class Network(NamedTuple):
    """Public networks of one AS organisation, and their use by the host."""

    organisation: str  # part of the AS name
    prefixes: str  # CIDR prefixes, separated by spaces
    weight: int = 13  # relative share of the web flows
    kib: int = 22  # median size of a response in KiB
    quic: int = 0  # percentage of flows over QUIC


HOST_IP, HOST_NAME = "10.20.30.41", "ws-0341"
HOST_IPV6 = "fd4c:7a1e:93b2:30::41"  # unique local: the site translates prefixes at its border
BEACON_INTERVAL = dt.timedelta(minutes=5)
BEACON = Finding(
    "beacon",
    "77.71.113.58",
    57619,
    (0.0, 24.0),
    288,
    "A kilobyte in each direction every 5 minutes.",
)
SCAN = Finding(
    "scan", "45.76.139.22", 20473, (13.7, 13.78), 260, "Attempts on port after port, mostly failed."
)
UPLOAD = Finding(
    "upload", "89.44.169.132", 203055, (18.6, 23.4), 96, "Gigabytes, in sessions of moderate size."
)
RARE = Finding(
    "rare", "45.64.248.137", 18025, (3.2, 4.1), 2, "A network and a country seen only at night."
)
FINDINGS = (BEACON, SCAN, UPLOAD, RARE)
_SMALLER = """
    Alibaba 47.254.128.0/17  AppNexus 37.252.160.0/20  Automattic 192.0.64.0/18
    BBC 212.58.224.0/19  Cisco 66.163.32.0/20  Criteo 178.250.0.0/21  Datacamp 195.181.160.0/20
    DigitalOcean 157.245.0.0/16  Dropbox 162.125.0.0/16  Hetzner 95.216.0.0/15  OVH 51.68.0.0/16
    Incapsula 199.83.128.0/21  LeaseWeb 85.17.0.0/16  LinkedIn 144.2.12.0/22  SAP 130.214.0.0/16
    Oracle 130.61.0.0/16  Scaleway 51.15.0.0/16  SURF 145.100.0.0/16  Twitter 104.244.42.0/24
    Wikimedia 185.15.56.0/22  Wikimedia 2a02:ec80:300::/48  Zoom 206.247.0.0/16
"""  # organisation and prefix in turn
NETWORKS = (
    Network("Microsoft", "52.96.0.0/14 20.190.128.0/18 2603:1026:200::/39", 100, 14, 8),
    Network("Microsoft", "13.107.42.0/24 204.79.197.0/24 2620:1ec:a92::/48", 60, 14, 8),
    Network("Google", "142.250.0.0/15 172.217.16.0/20 2a00:1450:400e:800::/54", 150, 20, 60),
    Network("Google", "34.149.0.0/16 35.190.0.0/17 2600:1901::/48", 40, 9, 30),
    Network("Cloudflare", "104.16.0.0/16 172.67.0.0/16 2606:4700:4400::/48", 120, 22, 40),
    Network("Amazon", "3.248.0.0/13 13.32.0.0/15 2600:9000:2000::/36", 110, 28, 5),
    Network("Amazon", "44.192.0.0/12", 50, 8),
    Network("Akamai", "2.20.0.0/20 2.22.0.0/20 23.72.0.0/16 2a02:26f0:1700::/40", 110, 48, 15),
    Network("Fastly", "151.101.0.0/16 199.232.0.0/16 2a04:4e42::/40", 70, 40, 10),
    Network("Facebook", "157.240.0.0/17 31.13.64.0/18 2a03:2880:f100::/40", 45, 26, 50),
    Network("GitHub", "140.82.112.0/20", 36, 30),
    Network("Salesforce", "85.222.128.0/19 161.71.0.0/17", 30, 18),
    Network("Apple", "17.248.0.0/16", 24, 16, 10),
    Network("Netflix", "23.246.0.0/18", 12, 400),
    *map(Network, _SMALLER.split()[::2], _SMALLER.split()[1::2]),
)
SCHEMA = pa.schema(
    [(name, pa.timestamp("us", tz="UTC")) for name in ("start_time", "end_time")]
    + [(name, pa.string()) for name in ("src_ip", "dst_ip")]
    + [(name, pa.uint16()) for name in ("src_port", "dst_port")]
    + [(name, pa.string()) for name in ("protocol", "service")]
    + [(name, pa.int64()) for name in ("src_bytes", "dst_bytes", "src_packets", "dst_packets")]
    + [(name, pa.int64()) for name in ("flows", "denied_flows")]
    + [(name, pa.string()) for name in ("reported_direction", "state", "tcp_flags", "host")]
)
_CONTROLLER, _FILES, _PRINTER = "10.20.0.10", "10.20.0.21", "10.20.30.9"
_LINK_LOCAL, _RESOLVER, _CLOCK = "fe80::8a4d:31ff:fe0c:2941", "9.9.9.9", "162.159.200.123"
_GROUPS = (("224.0.0.251", 5353), ("ff02::fb", 5353), ("224.0.0.252", 5355), ("ff02::1:3", 5355))
_MONITOR, _ASSESSOR, _ADMIN = "10.20.5.7", "10.20.5.9", "10.20.5.20"
_CALLERS = {_MONITOR, _ASSESSOR, _ADMIN, SCAN.peer}
_BY_HOUR = (2, 1, 1, 1, 1, 2, 8, 34, 76, 90, 84, 62, 26, 64, 86, 82, 66, 34, 12, 8, 7, 6, 4, 3)
_HOURS = tuple(accumulate(_BY_HOUR))
_WEIGHTS = tuple(accumulate(network.weight for network in NETWORKS))
_ENDINGS = ("SF",) * 18 + ("RSTO", "RSTR", "S1")
_HANDSHAKE = {"S0": (1, 0), "REJ": (1, 1), "RSTO": (3, 1)}  # packets of each endpoint; else (3, 2)
_DENIED = {"REJ": 1, "S0": None}  # no response: unknown; else 0


class _Day:
    """Random generator and clock of the day.

    A seed gives the same day on every machine: only `random.Random.random()`, whose sequence Python
    guarantees, and arithmetic with exact IEEE 754 rounding are used.
    """

    def __init__(self, seed: int, day: dt.date) -> None:
        self.roll = random.Random(seed).random
        self.midnight = (day - dt.date(1970, 1, 1)) // dt.timedelta(microseconds=1)
        self.peers = [tuple(self._addresses(network)) for network in NETWORKS]

    def between(self, low: int, high: int) -> int:
        return low + int(self.roll() * (high - low + 1))

    def pick(self, items: Sequence[_T]) -> _T:
        return items[int(self.roll() * len(items))]

    def size(self, median: int, maximum: int = 12_000_000) -> int:
        """Draw a size from a heavy-tailed (log-logistic) distribution."""
        share = self.roll()
        return min(maximum, 200 + int(median * share / (1 - share)))

    def busy(self) -> float:
        """Draw a second of the day, weighted by office hours."""
        hour = bisect(_HOURS, self.between(0, _HOURS[-1] - 1))
        return min(3600 * (hour + self.roll()), 86_340.0)

    def _addresses(self, network: Network) -> Iterator[str]:
        prefixes = [ip_network(text) for text in network.prefixes.split()]
        for i in range(2 + network.weight // 7):
            prefix = prefixes[i % len(prefixes)]
            bits, last = (8, 254) if prefix.version == 4 else (64, 0x2FFF)
            subnet = self.between(0, (prefix.num_addresses >> bits) - 1)
            yield str(prefix[(subnet << bits) + self.between(1, last)])

    def flow(
        self, start: float, peer: str, port: int | None, service: str | None, sent: int,
        received: int, seconds: float | None = None, state: str = "SF", datagram: int = 0,
    ) -> _Row:  # fmt: skip
        """Build a row from the payload bytes that the initiator sent and received."""
        host = _LINK_LOCAL if peer.startswith("ff02:") else HOST_IPV6 if ":" in peer else HOST_IP
        source, target = (peer, host) if peer in _CALLERS else (host, peer)
        if seconds is None:
            seconds = 0.1 + (sent + received) / 3e6 + 20 * self.roll() * self.roll()
        header = (28 if datagram else 40) + (20 if ":" in peer else 0)
        size = datagram or 1500 - header
        out, back = -(-sent // size), -(-received // size)
        opening, ack_ratio = ((0, 0), 8) if datagram else (_HANDSHAKE.get(state, (3, 2)), 2)
        out, back = opening[0] + out + back // ack_ratio, opening[1] + back + out // ack_ratio
        time = self.midnight + int(start * 1e6)
        return (
            *(time, time + int(seconds * 1e6), source, target),
            *(None if port is None else self.between(49152, 65535), port),
            *("icmp" if port is None else "udp" if datagram else "tcp", service),
            *(sent + header * out, received + header * back, out, back),
            *(int(state != "REJ"), _DENIED.get(state, 0)),
            *("inbound" if source == peer else "outbound", state, None, HOST_NAME),
        )


def _browsing(day: _Day) -> Iterator[_Row]:
    """Generate web browsing: DNS queries and bursts of sessions with several networks."""
    for _ in range(360):
        now = day.busy()
        for _ in range(day.between(4, 14)):
            now += 0.06 + 1.2 * day.roll() * day.roll()
            which = bisect(_WEIGHTS, day.between(0, _WEIGHTS[-1] - 1))
            network, peers = NETWORKS[which], day.peers[which]
            peer = peers[int(len(peers) * day.roll() * day.roll())]  # skewed to the first
            if day.roll() < 0.7:
                resolver = _RESOLVER if day.roll() < 0.15 else _CONTROLLER
                reply, wait = day.between(60, 420), 0.04 * day.roll()
                yield day.flow(now - 0.05, resolver, 53, "dns", 45, reply, wait, datagram=1250)
            sent, received = day.between(900, 3200), day.size(1024 * network.kib)
            if 100 * day.roll() < network.quic:
                yield day.flow(now, peer, 443, "quic", sent, received, datagram=1250)
            elif day.roll() < 0.04:
                yield day.flow(now, peer, 80, "http", 420, received)
            else:
                yield day.flow(now, peer, 443, "ssl", sent, received, state=day.pick(_ENDINGS))


def _background(day: _Day) -> Iterator[_Row]:
    """Generate mail sync, telemetry and updates, around the clock."""
    for i in range(720):
        now, peer = 120 * (i + 0.9 * day.roll()), day.pick(day.peers[day.pick((0, 0, 1, 2, 6))])
        yield day.flow(now, peer, 443, "ssl", day.size(2500, 90_000), day.size(5000))
    for i in range(24):
        now, peer = 3600 * (2.1, 7.4, 12.2)[i % 3] + 15 * i, day.pick(day.peers[day.pick((0, 8))])
        yield day.flow(now, peer, 443, "ssl", 9000, day.between(4_000_000, 45_000_000))


def _calls(day: _Day) -> Iterator[_Row]:
    """Generate video calls: audio, video and screen sharing over UDP."""
    for hour, minutes in ((8.5, 26), (10.0, 51), (13.5, 34), (15.25, 44)):
        start, seconds = 3600 * hour + 90 * day.roll(), 60 * (minutes + day.roll())
        relay = f"52.113.{day.between(192, 223)}.{day.between(1, 254)}"
        yield day.flow(start - 2, relay, 443, "ssl", 6000, 19_000)
        for port, rate, size in ((3479, 9_000, 160), (3480, 95_000, 1150), (3481, 30_000, 1100)):
            sent, received = (int(rate * seconds * (0.8 + 0.4 * day.roll())) for _ in range(2))
            yield day.flow(start, relay, port, None, sent, received, seconds, "SF", size)


def _site(day: _Day) -> Iterator[_Row]:
    """Generate site traffic: Kerberos, LDAP, SMB, printing, NTP and link-local multicast."""
    for _ in range(130):
        now = day.busy()
        yield day.flow(now, _CONTROLLER, 88, "krb", 980, 1210, 0.02, datagram=1250)
        yield day.flow(now + 0.05, _CONTROLLER, 389, "ldap_tcp", 900, day.size(3000, 200_000))
    for _ in range(170):
        sent, received, seconds = day.size(9_000), day.size(60_000), 2 + 600 * day.roll()
        yield day.flow(day.busy(), _FILES, 445, "smb", sent, received, seconds)
    for _ in range(14):
        yield day.flow(day.busy(), _PRINTER, 9100, None, day.size(300_000), 900)
    for now in range(9, 86_400, 1024):
        yield day.flow(now, day.pick((_CONTROLLER, _CLOCK)), 123, "ntp", 48, 48, 0.03, "SF", 1250)
    for _ in range(420):
        now, (group, port) = day.pick((day.busy(), 86_399 * day.roll())), day.pick(_GROUPS)
        yield day.flow(now, group, port, "dns", day.between(26, 120), 0, 0.0, "S0", 1250)


def _administration(day: _Day) -> Iterator[_Row]:
    """Generate inbound management traffic: pings, a vulnerability scan, remote logons."""
    for i in range(96):
        yield day.flow(900 * i + 3 * day.roll(), _MONITOR, None, None, 128, 128, 3.01, "OTH", 32)
    for i, port in enumerate((22, 80, 135, 139, 443, 445, 3389, 5985, 5986, 8080)):
        state = "RSTO" if port in {22, 135, 445, 5985} else "REJ"
        yield day.flow(8100 + 2.5 * i, _ASSESSOR, port, None, 0, 0, 0.002, state)
    for hour, seconds in ((7.6, 240), (9.7, 660), (14.1, 1380), (16.4, 360)):
        yield day.flow(3600 * hour, _ADMIN, 22, "ssh", 40 * seconds, 160 * seconds, seconds)


def _moments(day: _Day, finding: Finding) -> Iterator[float]:
    """Draw the start times of a finding, spread over its hours with jitter."""
    start, end = finding.hours
    for i in range(finding.flows):
        yield 3600 * (start + (end - start) * (i + 0.8 * day.roll()) / finding.flows)


def _findings(day: _Day) -> Iterator[_Row]:
    """Generate :data:`FINDINGS`."""
    for i in range(BEACON.flows):
        now = 40 + i * BEACON_INTERVAL.total_seconds() + 14 * day.roll() - 7
        size, reply = day.between(940, 1060), day.between(900, 1100)
        yield day.flow(now, BEACON.peer, 443, "ssl", size, reply, 0.3 + day.roll())
    for port, now in enumerate(_moments(day, SCAN), start=1):
        state = "RSTO" if port in {22, 135} else "S0" if day.roll() < 0.7 else "REJ"
        yield day.flow(now, SCAN.peer, port, None, 0, 0, 0.0 if state == "S0" else 0.03, state)
    for finding, sent, received in ((UPLOAD, 45_000_000, 60_000), (RARE, 2_200, 6_000)):
        for now in _moments(day, finding):
            scale = 0.5 + day.roll()
            yield day.flow(now, finding.peer, 443, "ssl", int(sent * scale), int(received * scale))


def office_day(*, seed: int = 7, day: dt.date = dt.date(2026, 3, 2)) -> pa.Table:
    """Generate one day of flows of an office workstation.

    Parameters
    ----------
    seed
        Random seed; the same seed gives the same table on every machine.
    day
        The day, in UTC. Every flow starts on this day; a few end after it.

    Returns
    -------
    pyarrow.Table
        About 8,000 flows in the canonical schema (:data:`SCHEMA`), ordered by `start_time`, with
        IP-layer bytes. The sensor runs on the host: it logs directions, and flows rejected by the
        host count as denied. `denied_flows` is null for flows without a response, whose cause is
        unknown; `tcp_flags` is always null.

    Examples
    --------
    >>> from flowtriage.sample import UPLOAD, office_day
    >>> flows = office_day()
    >>> sent = flows.group_by("dst_ip").aggregate([("src_bytes", "sum")])
    >>> sent.sort_by([("src_bytes_sum", "descending")])["dst_ip"][0].as_py() == UPLOAD.peer
    True
    """
    generator = _Day(seed, day)
    activities = (_browsing, _background, _calls, _site, _administration, _findings)
    rows = [row for activity in activities for row in activity(generator)]
    columns = zip(SCHEMA.types, zip(*rows, strict=True), strict=True)
    table = pa.table([pa.array(values, kind) for kind, values in columns], schema=SCHEMA)
    return table.sort_by([(name, "ascending") for name in SCHEMA.names[:6]])

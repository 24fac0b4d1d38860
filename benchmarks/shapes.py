"""Seeded inputs of several shapes, as Arrow tables in the schema of the flow index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SEED = 20260302
DAY = 1_772_409_600_000_000
"""2026-03-02 in microseconds."""
HOST = "10.0.0.0"
"""Address of the host in shapes with one host."""

_DAY_LENGTH = 86_400_000_000
_MAX_DURATION = 600_000_000
_SERVICES = pa.array(["https", "http", "dns", "ntp", "ssh", "smb"])
_SCATTER = 2_654_435_761  # odd, so multiples of it are distinct modulo any power of two
_INSIDE = 10 << 24, 1 << 24  # 10.0.0.0/8
_PUBLIC = 20 << 24, 1 << 30  # 20.0.0.0 to 83.255.255.255, none of it reserved
_PUBLIC_HOSTS = 13 << 24, 1 << 24  # 13.0.0.0/8
_HEXTETS = pa.array([f"{value:x}" for value in range(1 << 16)])

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """Distribution of flows, independent of their number.

    Attributes
    ----------
    title
        Name in the report.
    hosts, peers, pairs
        Number of hosts, of peers, and of communicating pairs.
    ipv6
        Whether half of the pairs use IPv6.
    nulls
        Share of nulls in addresses, services and volumes.
    volumes
        Whether there are bytes and packets.
    dictionary
        Whether strings are dictionary-encoded.
    outbound
        Whether all flows are outbound, instead of half of the pairs.
    public
        Whether hosts also have public addresses.
    """

    title: str
    hosts: int
    peers: int
    pairs: int
    ipv6: bool = False
    nulls: float = 0.0
    volumes: bool = False
    dictionary: bool = False
    outbound: bool = False
    public: bool = False


_NETWORK = (20_000, 100_000, 1_140_000)
SHAPES = {
    "host": Shape("one host with few peers", 1, 200, 400),
    "network": Shape("a network with high cardinality", *_NETWORK),
    "ipv6": Shape("the network, half of it IPv6", *_NETWORK, ipv6=True),
    "nulls": Shape("the network with volumes and nulls", *_NETWORK, nulls=0.05, volumes=True),
    "zeek": Shape("sensor log with bytes and packets", 2_000, 20_000, 100_000, volumes=True),
    "dictionary": Shape("the network, dictionary-encoded", *_NETWORK, dictionary=True),
    "outbound": Shape("the network, outbound only", *_NETWORK, outbound=True),
    "public": Shape("the network, all addresses public", *_NETWORK, public=True),
    "outbound-host": Shape("one host with few peers, outbound only", 1, 200, 400, outbound=True),
    "outbound-server": Shape(
        "one host with many peers, outbound only", 1, 100_000, 200_000, outbound=True
    ),
    "million": Shape("a network with a million groups", 20_000, 100_000, 166_667),
}
ADDRESSES = "addresses"
"""Input that is one column of distinct public addresses."""


def make(name: str, rows: int, part: int = 0) -> pa.Table:
    """Make a part of the input `name`, deterministically."""
    if name == ADDRESSES:
        return pa.table({"address": _ipv4(rows, *_PUBLIC)})
    return _flows(SHAPES[name], rows, part)


def _flows(shape: Shape, rows: int, part: int) -> pa.Table:
    of_all_parts = np.random.default_rng(SEED)
    sources, dests, outbound = _pairs(shape, of_all_parts)
    pool = _pool(shape, of_all_parts)
    random = np.random.default_rng([SEED, part])
    pair = random.integers(0, shape.pairs, rows)
    start = DAY + random.integers(0, _DAY_LENGTH, rows)
    columns = {
        "source": sources[pair],
        "dest": dests[pair],
        "L7Protocol": random.integers(0, len(_SERVICES), rows),
        "FlowDirection": outbound[pair],
    }
    texts = {"source": pool, "dest": pool, "L7Protocol": _SERVICES}
    texts["FlowDirection"] = pa.array(["I", "O"])
    nullable = {"source", "dest", "L7Protocol"}
    made: dict[str, pa.Array] = {
        name: _text(
            numbers,
            texts[name],
            _mask(rows, shape.nulls if name in nullable else 0.0, random),
            dictionary=shape.dictionary,
        )
        for name, numbers in columns.items()
    }
    made["TotalAllowedFlows"] = pa.array(random.integers(1, 20, rows))
    if shape.volumes:
        made |= _volumes(shape, rows, random)
    for name, times in (
        ("first_seen", start),
        ("last_seen", start + random.integers(0, _MAX_DURATION, rows)),
    ):
        made[name] = pa.array(times, pa.timestamp("us", "UTC"))
    return pa.table(made)


def _pairs(shape: Shape, random: np.random.Generator) -> tuple[Integers, Integers, Integers]:
    """Return source, destination (indices into the pool) and direction of every pair."""
    families = 1 + shape.ipv6
    family = np.arange(shape.pairs) % families
    host = random.integers(0, shape.hosts, shape.pairs) * families + family
    peer = random.integers(0, shape.peers, shape.pairs) * families + family
    peer += shape.hosts * families
    outbound = (np.arange(shape.pairs) // families % 2) | shape.outbound
    sources = np.where(outbound == 1, host, peer)
    dests = np.where(outbound == 1, peer, host)
    return sources, dests, outbound


def _pool(shape: Shape, random: np.random.Generator) -> pa.Array:
    """Return the addresses of all hosts, then of all peers; families alternate."""
    hosts = _PUBLIC_HOSTS if shape.public else _INSIDE
    ends = [_ipv4(shape.hosts, *hosts), _ipv4(shape.peers, *_PUBLIC)]
    if shape.ipv6:
        ends = [_alternate(end, _ipv6(len(end), random)) for end in ends]
    return pa.concat_arrays(ends)


def _ipv4(count: int, first: int, width: int) -> pa.Array:
    """Return distinct addresses, scattered over a range."""
    numbers = first + np.arange(count) * _SCATTER % width
    octets = [pa.array(numbers >> shift & 255).cast(pa.string()) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*octets, ".")


def _ipv6(count: int, random: np.random.Generator) -> pa.Array:
    """Return addresses without a zero group, which are canonical unchanged."""
    first = pa.array(["2001", "2400", "2600", "2a00"]).take(pa.array(np.arange(count) % 4))
    others = (_HEXTETS.take(pa.array(random.integers(1, 1 << 16, count))) for _ in range(7))
    return pc.binary_join_element_wise(first, *others, ":")


def _alternate(even: pa.Array, odd: pa.Array) -> pa.Array:
    order = np.arange(2 * len(even)).reshape(2, -1).T.ravel()
    return pa.concat_arrays([even, odd]).take(pa.array(order))


def _mask(rows: int, share: float, random: np.random.Generator) -> npt.NDArray[np.bool_] | None:
    return random.random(rows) < share if share else None


def _text(
    numbers: Integers, texts: pa.Array, mask: npt.NDArray[np.bool_] | None, *, dictionary: bool
) -> pa.Array:
    encoded = pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32(), mask=mask), texts)
    return encoded if dictionary else encoded.dictionary_decode()


def _volumes(shape: Shape, rows: int, random: np.random.Generator) -> dict[str, pa.Array]:
    made = {}
    for way in ("src", "dst"):
        packets = 1 + random.geometric(0.05, rows)
        values = {"bytes": packets * random.integers(40, 1_500, rows), "packets": packets}
        for unit, numbers in values.items():
            mask = _mask(rows, shape.nulls, random)
            made[f"{way}_{unit}"] = pa.array(numbers, pa.int64(), mask=mask)
    return {name: made[name] for name in ("src_bytes", "dst_bytes", "src_packets", "dst_packets")}

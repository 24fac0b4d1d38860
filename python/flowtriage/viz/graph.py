"""From suspicious connections to a graph of few enough nodes to be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MAX_NODES = 120
_OWN = (64, 32, 16, 8, 4)
"""Addresses with a single neighbour that a neighbour keeps before the rest are one node."""
_FACTS = ("internal", "geoloc", "context", "rep")


@dataclass(frozen=True)
class Graph:
    """Who is connected to whom.

    Attributes
    ----------
    nodes
        `name`, `grouped` (number of addresses that the node stands for), `connections`, `rank`
        (the lowest), and what is known of the address: `internal`, `geoloc`, `context`, `rep`.
    edges
        `source` and `dest` (places in `nodes`), `connections`, `rank` (the lowest), `score`.
    addresses, connections
        How many there are; how many of the latter are drawn is the sum of those of the edges.
    """

    nodes: pa.Table
    edges: pa.Table
    addresses: int
    connections: int


def graph_of(rows: pa.Table, most: int = MAX_NODES) -> Graph:
    """Make the graph of suspicious connections.

    Parameters
    ----------
    rows
        Of `flow_scores`, in order of rank; at least one.
    most
        Most nodes. Where there are more, the addresses that only one other address is connected
        to become one node, but for the first few; then the connections of the lowest ranks stay.

    Returns
    -------
    Graph
        Each pair of source and destination once.
    """
    ends = [pc.fill_null(rows[name], "not known") for name in ("srcip", "dstip")]
    facts = _facts(rows, ends)
    codes = [pc.index_in(end, facts["name"].combine_chunks()) for end in ends]
    columns = {"source": codes[0], "dest": codes[1], "rank": rows["rank"], "score": rows["score"]}
    once = pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows)
    edges = _summed(pa.table({**columns, "connections": once}))
    known = facts.num_rows
    place = np.arange(known)
    if known > most:
        place = _folded(edges, known, most)
        edges = _summed(_moved(edges, place))
        edges = edges.filter(_within(edges, most))
    kept, inverse = np.unique(_ends(edges), return_inverse=True)
    shared = np.bincount(place[place >= known], minlength=2 * known)[kept]
    position = np.zeros(2 * known, np.int64)
    position[kept] = np.arange(len(kept))
    edges = _moved(edges, position)
    own = pa.array(kept, pa.int64(), mask=kept >= known)
    nodes = facts.take(own)
    names = pc.fill_null(nodes["name"], "")
    grouped = pa.array(np.maximum(shared, 1))
    nodes = nodes.set_column(0, "name", names).append_column("grouped", grouped)
    flat = inverse.reshape(-1)
    twice = np.repeat(edges["connections"].to_numpy(), 2)
    lowest = np.full(len(kept), np.iinfo(np.int64).max)
    np.minimum.at(lowest, flat, np.repeat(edges["rank"].to_numpy(), 2))
    count = np.bincount(flat, twice, len(kept)).astype(np.int64)
    nodes = nodes.append_column("connections", pa.array(count))
    return Graph(nodes.append_column("rank", pa.array(lowest)), edges, known, rows.num_rows)


def _facts(rows: pa.Table, ends: list[pa.ChunkedArray]) -> pa.Table:
    """Return each address once, with what is known of it."""
    sides = [("srcip_internal", "src"), ("destip_internal", "dst")]
    parts = [
        pa.table(
            [end, rows[internal], *(rows[f"{side}_{fact}"] for fact in _FACTS[1:])],
            names=["name", *_FACTS],
        )
        for end, (internal, side) in zip(ends, sides, strict=True)
    ]
    both = pa.concat_tables(parts).group_by("name", use_threads=False)
    known = both.aggregate([(fact, "max") for fact in _FACTS])
    return known.rename_columns(["name", *_FACTS])


def _summed(edges: pa.Table) -> pa.Table:
    """Return each pair of ends once, those of the lowest ranks first."""
    sums = edges.group_by(["source", "dest"], use_threads=False).aggregate(
        [("rank", "min"), ("score", "min"), ("connections", "sum")]
    )
    named = sums.rename_columns(["source", "dest", "rank", "score", "connections"])
    return named.sort_by([(name, "ascending") for name in ("rank", "source", "dest")])


def _moved(edges: pa.Table, place: Places) -> pa.Table:
    for at, name in enumerate(("source", "dest")):
        edges = edges.set_column(at, name, pa.array(place[edges[name].to_numpy()]))
    return edges


def _ends(edges: pa.Table) -> Places:
    return np.stack([edges[name].to_numpy() for name in ("source", "dest")], axis=1)


def _folded(edges: pa.Table, known: int, most: int) -> Places:
    """Return for each address its place; one that is shared is beyond those that are known."""
    ends = np.sort(_ends(edges).astype(np.int64), axis=1)
    links = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    degree = np.bincount(links.ravel(), minlength=known)
    hub = np.full(known, -1)
    for one, other in ((0, 1), (1, 0)):
        hanging = (degree[links[:, one]] == 1) & (degree[links[:, other]] > 1)
        hub[links[hanging, one]] = links[hanging, other]
    rank = np.full(known, np.iinfo(np.int64).max)
    np.minimum.at(rank, ends.ravel(), np.repeat(edges["rank"].to_numpy(), 2))
    hanging = np.flatnonzero(hub >= 0)
    hanging = hanging[np.lexsort((rank[hanging], hub[hanging]))]
    hubs = hub[hanging]
    before = np.arange(len(hubs)) - np.searchsorted(hubs, hubs)
    for own in _OWN:
        shared = hanging[before >= own]
        place = np.arange(known)
        place[shared] = known + hub[shared]
        if len(np.unique(place)) <= most:
            break
    return place


def _within(edges: pa.Table, most: int) -> pa.Array:
    """Tell which edges, taken in their order, have no more than so many ends."""
    _, first = np.unique(_ends(edges).ravel(), return_index=True)
    new = np.bincount(first // 2, minlength=edges.num_rows)
    return pa.array(np.cumsum(new) <= most)


Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
_ROUNDS = 400
_GRAVITY = 0.9
_WIDE = 1.7


def spread(count: int, ends: Places) -> Floats:
    """Place nodes so that neighbours are near each other and all others are apart.

    Nodes push each other off, those of many edges more, edges pull, and the middle pulls a
    little, so that parts that are not connected stay in sight (after Fruchterman and Reingold,
    1991). The same graph always looks the same.

    Parameters
    ----------
    count
        Number of nodes.
    ends
        The two ends of each edge, of shape (edges, 2).

    Returns
    -------
    numpy.ndarray
        Places of shape (count, 2), within -1.7 to 1.7 across and -1 to 1 upwards.

    Examples
    --------
    >>> spread(1, np.empty((0, 2), np.int64)).tolist()
    [[0.0, 0.0]]
    """
    if count == 1:
        return np.zeros((1, 2))
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt((np.arange(count) + 0.5) / count)
    place = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    near = np.sqrt(1 / count)
    weight = np.sqrt(1 + np.bincount(ends.ravel(), minlength=count))
    for heat in np.linspace(0.1, 0.002, _ROUNDS):
        apart = place[:, None, :] - place[None, :, :]
        square = np.maximum((apart**2).sum(axis=2), 1e-6)
        push = (apart * (near**2 * weight / square)[:, :, None]).sum(axis=1)
        along = place[ends[:, 0]] - place[ends[:, 1]]
        pull = along * (np.sqrt((along**2).sum(axis=1)) / near)[:, None]
        np.add.at(push, ends[:, 0], -pull)
        np.add.at(push, ends[:, 1], pull)
        push -= _GRAVITY * place
        length = np.maximum(np.sqrt((push**2).sum(axis=1)), 1e-9)
        place += push * (np.minimum(length, heat) / length)[:, None]
    place -= (place.max(axis=0) + place.min(axis=0)) / 2
    size = np.maximum(np.abs(place).max(axis=0), 1e-9)
    if size[1] > size[0]:
        place, size = place[:, ::-1], size[::-1]
    return np.asarray(place / size * [_WIDE, 1])

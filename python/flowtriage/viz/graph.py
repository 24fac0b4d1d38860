"""The graph of suspicious connections, limited to a readable number of nodes, and its layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.quality.sums import aggregated

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MAX_NODES = 120
_LEAVES = (64, 32, 16, 8, 4)
"""Limits to try on the leaves of a node; a leaf is an address with a single neighbour."""
_FACTS = ("internal", "geoloc", "context", "rep")
_GRAVITY, _SEED, _HALF_WIDTH = 0.3, 1, 1.7


@dataclass(frozen=True)
class Graph:
    """Addresses as nodes, connections as edges, and the totals of both before grouping.

    Nodes have `name` (empty for several addresses), `grouped` (number of addresses),
    `connections`, `rank` (the lowest), and facts of the address: `internal`, `geoloc`, `context`,
    `rep`. Edges have `source` and `dest` (indices in `nodes`), `connections`, `rank`, `score`.
    """

    nodes: pa.Table
    edges: pa.Table
    addresses: int
    connections: int


def graph_of(rows: pa.Table, max_nodes: int = MAX_NODES) -> Graph:
    """Build the graph of rows of `flow_scores`, in order of rank; at least one.

    Above the maximum number of nodes, each keeps a few leaves (addresses with a single neighbour)
    and the rest of its leaves become one node; then the edges of the highest rank numbers are
    dropped.
    """
    ends = [pc.fill_null(rows[name], "not known") for name in ("srcip", "dstip")]
    facts = _facts(rows, ends)
    codes = [pc.index_in(end, facts["name"].combine_chunks()) for end in ends]
    columns = {"source": codes[0], "dest": codes[1], "rank": rows["rank"], "score": rows["score"]}
    one = pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows)
    edges = _summed(pa.table({**columns, "connections": one}))
    known = facts.num_rows
    node = np.arange(known)
    if known > max_nodes:
        node = _group_leaves(edges, known, max_nodes)
        edges = _summed(_renumbered(edges, node))
        edges = edges.filter(_within(edges, max_nodes))
    kept, inverse = np.unique(_ends(edges), return_inverse=True)
    grouped = np.bincount(node[node >= known], minlength=2 * known)[kept]
    index = np.zeros(2 * known, np.int64)
    index[kept] = np.arange(len(kept))
    edges = _renumbered(edges, index)
    nodes = facts.take(pa.array(kept, pa.int64(), mask=kept >= known))
    nodes = nodes.set_column(0, "name", pc.fill_null(nodes["name"], ""))
    flat = inverse.reshape(-1)
    twice = np.repeat(edges["connections"].to_numpy(), 2)
    lowest = np.full(len(kept), np.iinfo(np.int64).max)
    np.minimum.at(lowest, flat, np.repeat(edges["rank"].to_numpy(), 2))
    count = np.bincount(flat, twice, len(kept)).astype(np.int64)
    measures = {"grouped": np.maximum(grouped, 1), "connections": count, "rank": lowest}
    for name, values in measures.items():
        nodes = nodes.append_column(name, pa.array(values))
    return Graph(nodes, edges, known, rows.num_rows)


def _facts(rows: pa.Table, ends: list[pa.ChunkedArray]) -> pa.Table:
    """Return one row per address, with its facts."""
    columns = [
        ["srcip_internal", *(f"src_{fact}" for fact in _FACTS[1:])],
        ["destip_internal", *(f"dst_{fact}" for fact in _FACTS[1:])],
    ]
    parts = [
        pa.table([end, *rows.select(names).columns], names=["name", *_FACTS])
        for end, names in zip(ends, columns, strict=True)
    ]
    both = pa.concat_tables(parts).group_by("name", use_threads=False)
    known = both.aggregate([(fact, "max") for fact in _FACTS])
    return known.rename_columns(["name", *_FACTS])


def _summed(edges: pa.Table) -> pa.Table:
    """Merge edges of the same two nodes; sort by rank."""
    sums = aggregated(
        edges, ["source", "dest"], [("rank", "min"), ("score", "min"), ("connections", "sum")]
    )
    named = sums.rename_columns(["source", "dest", "rank", "score", "connections"])
    return named.sort_by([(name, "ascending") for name in ("rank", "source", "dest")])


def _renumbered(edges: pa.Table, index: Indices) -> pa.Table:
    for column, name in enumerate(("source", "dest")):
        edges = edges.set_column(column, name, pa.array(index[edges[name].to_numpy()]))
    return edges


def _ends(edges: pa.Table) -> Indices:
    return np.stack([edges[name].to_numpy() for name in ("source", "dest")], axis=1)


def _group_leaves(edges: pa.Table, known: int, max_nodes: int) -> Indices:
    """Return the node of each address; the grouped leaves of address `a` are node `known + a`."""
    ends = np.sort(_ends(edges).astype(np.int64), axis=1)
    links = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    degree = np.bincount(links.ravel(), minlength=known)
    hub = np.full(known, -1)
    for one, other in ((0, 1), (1, 0)):
        leaf = (degree[links[:, one]] == 1) & (degree[links[:, other]] > 1)
        hub[links[leaf, one]] = links[leaf, other]
    rank = np.full(known, np.iinfo(np.int64).max)
    np.minimum.at(rank, ends.ravel(), np.repeat(edges["rank"].to_numpy(), 2))
    leaves = np.flatnonzero(hub >= 0)
    leaves = leaves[np.lexsort((rank[leaves], hub[leaves]))]
    hubs = hub[leaves]
    position = np.arange(len(hubs)) - np.searchsorted(hubs, hubs)
    for limit in _LEAVES:
        rest = leaves[position >= limit]
        node = np.arange(known)
        node[rest] = known + hub[rest]
        if len(np.unique(node)) <= max_nodes:
            break
    return node


def _within(edges: pa.Table, max_nodes: int) -> pa.Array:
    """Select the first edges that together have at most `max_nodes` nodes."""
    _, first = np.unique(_ends(edges).ravel(), return_index=True)
    new = np.bincount(first // 2, minlength=edges.num_rows)
    return pa.array(np.cumsum(new) <= max_nodes)


def layout(count: int, ends: Indices) -> Floats:
    """Compute node positions that keep neighbours close and all other nodes apart.

    The same graph always gets the same layout: networkx's `spring_layout` with a fixed seed. An
    invisible node with a weak edge to every other node keeps unconnected parts in view. `ends` has
    the indices of the two nodes of each edge. Positions are -1.7 to 1.7 horizontally, -1 to 1
    vertically.

    Examples
    --------
    >>> layout(1, np.empty((0, 2), np.int64)).tolist()
    [[0.0, 0.0]]
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from(((node, count) for node in range(count)), weight=_GRAVITY)
    graph.add_edges_from(ends[ends[:, 0] != ends[:, 1]].tolist(), weight=1.0)
    found = nx.spring_layout(graph, seed=_SEED)
    position = np.array([found[node] for node in range(count)])
    position -= (position.max(axis=0) + position.min(axis=0)) / 2
    extent = np.maximum(np.abs(position).max(axis=0), 1e-9)
    if extent[1] > extent[0]:
        position, extent = position[:, ::-1], extent[::-1]
    return np.asarray(position / extent * [_HALF_WIDTH, 1])

"""Number of peers by direction and network context: stats and dendrogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError, InputError
from flowtriage.threat_investigation.story.text import dump_json, parse_json

BRANCHES = {"inbound": "Inbound Only", "outbound": "Outbound Only", "two-way": "two way"}
"""Name of the branch of each direction, in order."""
NO_CONTEXT = "no context"
"""Name of the branch of peers without a network context."""


@dataclass(frozen=True)
class Branch:
    """Peers under one name.

    Attributes
    ----------
    name
        Direction or network context.
    peers
        Number of peers; 0 for each direction of a dendrogram from Spot.
    branches
        The same peers by network context.
    """

    name: str
    peers: int
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Stats:
    """Number of peers by direction and network context.

    Attributes
    ----------
    name
        The address, or its name.
    peers
        Number of peers.
    branches
        The three directions: inbound only, outbound only, two way.
    """

    name: str
    peers: int
    branches: tuple[Branch, ...]

    @classmethod
    def of(cls, sets: pa.Table, name: str) -> Stats:
        """Count the peers of an address.

        Parameters
        ----------
        sets
            Result of `flowtriage.connection_sets` with the column `context`.
        name
            The address, or its name.

        Raises
        ------
        InputError
            If `sets` lacks a column or has an unknown direction.
        """
        branches = _branches(sets)
        return cls(name, sum(branch.peers for branch in branches), branches)

    def to_json(self) -> str:
        """Return the stats in Spot's format: ``name``, ``size``, ``children``."""
        return dump_json(_node(Branch(self.name, self.peers, self.branches), "size", 2))

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the stats") -> Stats:
        """Parse stats from `to_json` or from Spot; see `Globe.from_json`."""
        root = _branch(parse_json(content, where), "size", 2, where)
        return cls(root.name, root.peers, root.branches)


@dataclass(frozen=True)
class Dendrogram:
    """Number of peers as a tree: the directions with peers, and their network contexts.

    Attributes
    ----------
    name
        The address.
    branches
        The directions that have peers.
    time
        Free text; Spot leaves it empty.
    """

    name: str
    branches: tuple[Branch, ...]
    time: str = ""

    @classmethod
    def of(cls, sets: pa.Table, ip: str) -> Dendrogram:
        """Count the peers of an address; see `Stats.of`."""
        return cls(ip, tuple(branch for branch in _branches(sets) if branch.peers))

    def to_json(self) -> str:
        """Return the tree in Spot's format: ``name``, ``time``, ``children`` with ``impact``."""
        children = [_node(branch, "impact", 1) for branch in self.branches]
        return dump_json({"name": self.name, "time": self.time, "children": children})

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the dendrogram") -> Dendrogram:
        """Parse a dendrogram from `to_json` or from Spot; see `Globe.from_json`."""
        root = parse_json(content, where)
        name, time = (_string(root, key, where) for key in ("name", "time"))
        return cls(name, _children(root, "impact", 2, where), time)


def _branches(sets: pa.Table) -> tuple[Branch, ...]:
    if missing := [name for name in ("direction", "context") if name not in sets.column_names]:
        raise InputError(f"connection sets lack the columns {', '.join(missing)}")
    direction, context = (sets[name].cast(pa.string()) for name in ("direction", "context"))
    if not pc.all(pc.is_in(direction, value_set=pa.array(list(BRANCHES))), min_count=0).as_py():
        raise InputError(f"connection sets have a direction other than {', '.join(BRANCHES)}")
    named = pc.if_else(pc.equal(pc.fill_null(context, ""), ""), NO_CONTEXT, context)
    counted = (
        pa.table({"direction": direction, "context": named})
        .group_by(["direction", "context"], use_threads=False)
        .aggregate([([], "count_all")])
        .sort_by([("count_all", "descending"), ("context", "ascending")])
    )
    return tuple(
        _direction_branch(name, counted.filter(pc.equal(counted["direction"], code)))
        for code, name in BRANCHES.items()
    )


def _direction_branch(name: str, counted: pa.Table) -> Branch:
    leaves = zip(counted["context"].to_pylist(), counted["count_all"].to_pylist(), strict=True)
    branches = tuple(Branch(*leaf) for leaf in leaves)
    return Branch(name, sum(branch.peers for branch in branches), branches)


def _node(branch: Branch, measure: str, depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"name": branch.name, measure: branch.peers}
    if depth:
        node["children"] = [_node(one, measure, depth - 1) for one in branch.branches]
    return node


def _branch(node: Any, measure: str, depth: int, where: str) -> Branch:
    name = _string(node, "name", where)
    peers = node.get(measure)
    if not isinstance(peers, int) or isinstance(peers, bool) or peers < 0:
        raise FormatError(f"{where}: {measure} is not an integer of 0 or more")
    return Branch(name, peers, _children(node, measure, depth, where) if depth else ())


def _children(node: Any, measure: str, depth: int, where: str) -> tuple[Branch, ...]:
    children = node.get("children")
    if not isinstance(children, list):
        raise FormatError(f"{where}: children is not an array")
    return tuple(
        _branch(child, measure, depth - 1, f"{where}: children[{at}]")
        for at, child in enumerate(children)
    )


def _string(node: Any, key: str, where: str) -> str:
    if not isinstance(node, dict):
        raise FormatError(f"{where} is not an object with {key}")
    value = node.get(key)
    if not isinstance(value, str):
        raise FormatError(f"{where}: {key} is not a string")
    return value

"""How many peers an address has, by direction and context: stats and dendrogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError, InputError
from flowtriage.threat_investigation.story.text import parsed, written

BRANCHES = {"inbound": "Inbound Only", "outbound": "Outbound Only", "two-way": "two way"}
"""Name of the branch for each direction, in their order."""
NO_CONTEXT = "no context"
"""Name of the peers that no network context covers."""


@dataclass(frozen=True)
class Branch:
    """Peers under one name.

    Attributes
    ----------
    name
        Direction or network context.
    peers
        How many there are; a dendrogram that Spot wrote has 0 for each direction.
    branches
        The same peers in smaller groups.
    """

    name: str
    peers: int
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Stats:
    """How many peers there are of each direction, and of each context.

    Attributes
    ----------
    name
        The address, or what it is called.
    peers
        How many there are.
    branches
        Always three: inbound only, outbound only, two way.
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
            The address, or what it is called.

        Raises
        ------
        InputError
            If `sets` lacks a column, or a direction is none.
        """
        branches = _branches(sets)
        return cls(name, sum(branch.peers for branch in branches), branches)

    def to_json(self) -> str:
        """Write as Spot does: ``name``, ``size``, ``children``."""
        return written(_node(Branch(self.name, self.peers, self.branches), "size", 2))

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the stats") -> Stats:
        """Read what `to_json` or Spot wrote; see `Globe.from_json`."""
        root = _branch(parsed(content, where), "size", 2, where)
        return cls(root.name, root.peers, root.branches)


@dataclass(frozen=True)
class Dendrogram:
    """The tree of an address: directions that occur, and the contexts in them.

    Attributes
    ----------
    name
        The address.
    branches
        Those of inbound only, outbound only and two way that have peers.
    time
        Text of its own; Spot leaves it empty.
    """

    name: str
    branches: tuple[Branch, ...]
    time: str = ""

    @classmethod
    def of(cls, sets: pa.Table, ip: str) -> Dendrogram:
        """Grow the tree of an address; parameters and errors are those of `Stats.of`."""
        return cls(ip, tuple(branch for branch in _branches(sets) if branch.peers))

    def to_json(self) -> str:
        """Write as Spot does: ``name``, ``time``, ``children`` with ``impact``."""
        children = [_node(branch, "impact", 1) for branch in self.branches]
        return written({"name": self.name, "time": self.time, "children": children})

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the dendrogram") -> Dendrogram:
        """Read what `to_json` or Spot wrote; see `Globe.from_json`."""
        root = parsed(content, where)
        name, time = (_text(root, key, where) for key in ("name", "time"))
        return cls(name, _children(root, "impact", 2, where), time)


def _branches(sets: pa.Table) -> tuple[Branch, ...]:
    if missing := [name for name in ("direction", "context") if name not in sets.column_names]:
        raise InputError(f"the connection sets have no column {', '.join(missing)}")
    direction, context = (sets[name].cast(pa.string()) for name in ("direction", "context"))
    if not pc.all(pc.is_in(direction, value_set=pa.array(list(BRANCHES))), min_count=0).as_py():
        raise InputError(f"the connection sets have a direction other than {', '.join(BRANCHES)}")
    named = pc.if_else(pc.equal(pc.fill_null(context, ""), ""), NO_CONTEXT, context)
    counted = (
        pa.table({"direction": direction, "context": named})
        .group_by(["direction", "context"], use_threads=False)
        .aggregate([([], "count_all")])
        .sort_by([("count_all", "descending"), ("context", "ascending")])
    )
    return tuple(
        _grown(name, counted.filter(pc.equal(counted["direction"], code)))
        for code, name in BRANCHES.items()
    )


def _grown(name: str, counted: pa.Table) -> Branch:
    leaves = zip(counted["context"].to_pylist(), counted["count_all"].to_pylist(), strict=True)
    branches = tuple(Branch(*leaf) for leaf in leaves)
    return Branch(name, sum(branch.peers for branch in branches), branches)


def _node(branch: Branch, measure: str, depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"name": branch.name, measure: branch.peers}
    if depth:
        node["children"] = [_node(one, measure, depth - 1) for one in branch.branches]
    return node


def _branch(node: Any, measure: str, depth: int, where: str) -> Branch:
    name = _text(node, "name", where)
    peers = node.get(measure)
    if not isinstance(peers, int) or isinstance(peers, bool) or peers < 0:
        raise FormatError(f"{where}: {measure} is no whole number from 0")
    return Branch(name, peers, _children(node, measure, depth, where) if depth else ())


def _children(node: Any, measure: str, depth: int, where: str) -> tuple[Branch, ...]:
    children = node.get("children")
    if not isinstance(children, list):
        raise FormatError(f"{where}: children is no list")
    return tuple(
        _branch(child, measure, depth - 1, f"{where}: children[{at}]")
        for at, child in enumerate(children)
    )


def _text(node: Any, key: str, where: str) -> str:
    if not isinstance(node, dict):
        raise FormatError(f"{where} is no object with {key}")
    text = node.get(key)
    if not isinstance(text, str):
        raise FormatError(f"{where}: {key} is no text")
    return text

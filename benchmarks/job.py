"""What a job is: one piece of work, done by flowtriage and by its peers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

FLOWTRIAGE = "flowtriage"

Facts = dict[str, pa.Table]
"""What results have to agree on: tables by name, the order of whose rows does not count."""


def as_it_is(table: pa.Table) -> Any:
    """Take the input as Arrow, without any preparation."""
    return table


def no_figures(_result: Any) -> dict[str, int]:
    """Tell nothing but time and memory."""
    return {}


@dataclass(frozen=True)
class Peer:
    """One way to do a job.

    Attributes
    ----------
    package
        Distribution that does it; the peer is left out where it is not installed.
    form
        In which form the result is wanted; ratios are among peers of one form.
    work
        What is timed: from the prepared input to the result.
    facts
        What has to be equal in the results of all peers.
    prepare
        What is done beforehand and not timed: from the Arrow input to the peer's own.
    figures
        Other numbers that the report tells of a result, by name.
    most_rows
        The most rows that it is asked to do, where more would take too long.
    """

    package: str
    form: str
    work: Callable[[Any], Any]
    facts: Callable[[Any], Facts]
    prepare: Callable[[pa.Table], Any] = as_it_is
    figures: Callable[[Any], dict[str, int]] = field(default=no_figures)
    most_rows: int | None = None

    @property
    def name(self) -> str:
        """Name in results and in the report."""
        return f"{self.package}, {self.form}" if self.form else self.package

    def installed(self) -> bool:
        """Whether the package is there."""
        return importlib.util.find_spec(self.package.replace("-", "_")) is not None


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Attributes
    ----------
    title, note
        What the report says of it.
    inputs
        Names of inputs that `shapes.make` knows.
    sizes
        Numbers of rows.
    peers
        All ways to do it. The first is flowtriage's, and ratios are to its time.
    """

    title: str
    note: str
    inputs: tuple[str, ...]
    sizes: tuple[int, ...]
    peers: tuple[Peer, ...]

    def peer(self, name: str) -> Peer:
        """Return the peer of that name."""
        return next(peer for peer in self.peers if peer.name == name)

"""Jobs: one piece of work, done by flowtriage and its peers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

FLOWTRIAGE = "flowtriage"

Facts = dict[str, pa.Table]
"""Tables by name that must be equal in all results; row order does not matter."""


def unprepared(table: pa.Table) -> Any:
    """Return the Arrow input unchanged."""
    return table


def no_figures(_result: Any) -> dict[str, int]:
    """Report no figures besides time and memory."""
    return {}


@dataclass(frozen=True)
class Peer:
    """One way to do a job.

    Attributes
    ----------
    package
        Distribution to use; the peer is skipped if it is not installed.
    form
        Form of the result; ratios are between peers of the same form.
    work
        Timed function: from the prepared input to the result.
    facts
        Part of the result that must be equal for all peers.
    prepare
        Untimed function: from the Arrow input to the peer's own.
    figures
        Other numbers about a result in the report, by name.
    max_rows
        Maximum input, where more would take too long.
    """

    package: str
    form: str
    work: Callable[[Any], Any]
    facts: Callable[[Any], Facts]
    prepare: Callable[[pa.Table], Any] = unprepared
    figures: Callable[[Any], dict[str, int]] = field(default=no_figures)
    max_rows: int | None = None

    @property
    def name(self) -> str:
        """Name in results and in the report."""
        return f"{self.package}, {self.form}" if self.form else self.package

    def installed(self) -> bool:
        """Whether the package is installed."""
        return importlib.util.find_spec(self.package.replace("-", "_")) is not None


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Attributes
    ----------
    title, note
        Text in the report.
    inputs
        Names of inputs of `shapes.make`.
    sizes
        Numbers of rows.
    peers
        Implementations. The first is flowtriage's, the reference of ratios.
    """

    title: str
    note: str
    inputs: tuple[str, ...]
    sizes: tuple[int, ...]
    peers: tuple[Peer, ...]

    def peer(self, name: str) -> Peer:
        """Return the peer of that name."""
        return next(peer for peer in self.peers if peer.name == name)

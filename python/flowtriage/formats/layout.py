"""Layouts of the records in text logs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuples:
    """Records that are strings of delimited values in an array of JSON objects.

    `path` is that of the array, such as `properties.flows[].flowTuples[]`; `least` is the minimum
    number of values.
    """

    path: str
    names: tuple[str, ...]
    least: int
    delimiter: str = ","

    def is_in(self, name: str) -> bool:
        """Return whether the value of this name contains the records."""
        return self.path.startswith((f"{name}[]", f"{name}."))


@dataclass(frozen=True)
class Headerless:
    """A text log without a header, whose first line matches the regular expression `line`."""

    line: str
    names: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True)
class Trailer:
    """Trailer of a text log: a fixed first line, a line of names, a line of totals.

    `totals` has their names, and the canonical columns whose sums they are.
    """

    first: str
    totals: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class TextLayout:
    """Layout of the records in a text file; without names they are JSON.

    JSON has one object a line or, with `objects`, objects separated by anything.
    """

    names: list[str]
    delimiter: str = ","
    quoted: bool = True
    comment: str | None = None
    objects: bool = False
    tuples: Tuples | None = None

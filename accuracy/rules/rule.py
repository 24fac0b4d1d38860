"""A rule: a function from flows to alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

Run = Callable[[pa.Table, Sequence[str] | None], pl.DataFrame]
"""Returns the alarms in canonical flows; the second argument is the internal networks."""


@dataclass(frozen=True)
class Rule:
    """A rule that is scored.

    Attributes
    ----------
    name
        Name in the document.
    kinds
        Kinds of behaviour that the rule looks for; None means all.
    note
        What was derived again, and from what.
    run
        The rule itself.
    """

    name: str
    kinds: tuple[str, ...] | None
    note: str
    run: Run

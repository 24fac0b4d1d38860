"""What a run of a notebooklet is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowtriage.timespan import Span


@dataclass(frozen=True)
class Asked:
    """Arguments of `run` as they are meant.

    Attributes
    ----------
    value, data
        As they were given.
    options
        Names of the options that were chosen.
    span
        The span of time; None for that of the data.
    silent
        Whether to show nothing.
    """

    value: Any
    data: Any
    options: set[str]
    span: Span | None
    silent: bool

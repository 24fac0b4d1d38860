"""Browser of the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from flowtriage.errors import ArgumentError, MissingExtraError
from flowtriage.humanize import did_you_mean, quoted

if TYPE_CHECKING:
    import pandas as pd
    from msticpy.nbwidgets import SelectItem

_FIRST = 3
_TIME = "TimeGenerated"
_SIZE = {"width": "70%", "height": "300px"}


def view_events(data: Any, summary_cols: Sequence[str] | str | None, **kwargs: Any) -> SelectItem:
    """Return a list of rows as described in `NotebookletResult.view_events`."""
    if not hasattr(data, "iloc") or not hasattr(data, "columns") or not len(data):
        raise ArgumentError("there is no table with rows; give a DataFrame, or its attribute")
    given = [summary_cols] if isinstance(summary_cols, str) else summary_cols
    names = list(data.columns[:_FIRST]) if given is None else list(given)
    if missing := [name for name in names if name not in data.columns]:
        known = [str(name) for name in data.columns]
        raise ArgumentError(
            f"unknown columns: {', '.join(map(quoted, missing))}{did_you_mean(missing[0], known)}"
        )
    if _TIME in data.columns and _TIME not in names:
        names.insert(0, _TIME)
    try:
        from msticpy.nbwidgets import SelectItem
    except ImportError:
        raise MissingExtraError(
            'view_events needs msticpy: pip install "flowtriage[notebook]"'
        ) from None
    shown = {"item_dict": _labels(data, names), "action": _shows(data)}
    return SelectItem(**{**shown, **_SIZE, **kwargs})


def _labels(data: pd.DataFrame, names: list[str]) -> dict[str, int]:
    """Return the position of each row by its label; labels are numbered unless all differ."""
    texts = data[names].astype(str).agg(" - ".join, axis=1).tolist()
    if len(set(texts)) < len(texts):
        texts = [f"{number:,}. {text}" for number, text in enumerate(texts, 1)]
    return {text: position for position, text in enumerate(texts)}


def _shows(data: pd.DataFrame) -> Callable[[int], pd.DataFrame]:
    def row(position: int) -> pd.DataFrame:
        """Return the values of a row that are not empty, one below the other."""
        values = data.iloc[position]
        empty = values.isna() | values.astype(str).str.strip().eq("")
        return values[~empty].to_frame()

    return row

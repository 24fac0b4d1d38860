"""Limits at which Azure's query services cut a result.

Source: https://learn.microsoft.com/azure/azure-monitor/service-limits
        https://learn.microsoft.com/azure/data-explorer/kusto/concepts/querylimits
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CUT = re.compile(r"\bpartial\w*|truncat|too[ _]large|result set.*exceed|query result.*limit", re.I)
"""Words of warnings and errors about a result that is cut."""
_ROWS = (30_000, 500_000)
_MEGABYTES = 64
_NEAR = (0.95, 1.05)
_SAMPLE = 1000


def row_limit(frame: pd.DataFrame) -> str | None:
    """Return a message if a result has the size at which services cut results, else None.

    Examples
    --------
    >>> import pandas as pd
    >>> row_limit(pd.DataFrame({"SrcIP": ["10.0.0.4"] * 30_000}))
    'exactly 30,000 rows, a limit of the service: rows are missing; give a shorter timespan'
    """
    if len(frame) in _ROWS:
        return (
            f"exactly {len(frame):,} rows, a limit of the service: rows are missing; give a "
            "shorter timespan"
        )
    low, high = (share * _MEGABYTES for share in _NEAR)
    if low <= (size := _megabytes(frame)) <= high:
        return (
            f"about {size:,.0f} MB, near the limit of {_MEGABYTES} MB of the service: rows may be "
            "missing; give a shorter timespan"
        )
    return None


def possibly_cut(rows: int) -> str | None:
    """Return a message if a given table has a number of rows at which services cut results.

    Examples
    --------
    >>> possibly_cut(30_000)
    'exactly 30,000 rows, at which services cut results: rows may be missing'
    """
    if rows not in _ROWS:
        return None
    return f"exactly {rows:,} rows, at which services cut results: rows may be missing"


def _megabytes(frame: pd.DataFrame) -> float:
    """Estimate the size of a result as text, from evenly spaced rows."""
    step = max(1, len(frame) // _SAMPLE)
    sample = frame.iloc[::step]
    text = sample.to_csv(index=False, header=False)
    return len(text.encode("utf-8", "replace")) / len(sample) * len(frame) / 1e6

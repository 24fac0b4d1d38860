"""The tables of a result that pandas holds otherwise than Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

_INDEX_NAMES = {
    "src_ip": "source",
    "dst_ip": "dest",
    "service": "L7Protocol",
    "direction": "FlowDirection",
    "flows": "TotalAllowedFlows",
}
_LETTERS = {"inbound": "I", "outbound": "O", "internal": "L", "external": "X", "unknown": "U"}


def index_data(flows: pa.Table) -> pd.DataFrame:
    """Return flows under the names and in the notation of the index."""
    import pyarrow.compute as pc

    words, letters = pa.array(_LETTERS.keys()), pa.array(_LETTERS.values())
    place = flows.column_names.index("direction")
    direction = letters.take(pc.index_in(flows["direction"], words).combine_chunks())
    renamed = [_INDEX_NAMES.get(name, name) for name in flows.column_names]
    table = flows.set_column(place, "direction", direction).rename_columns(renamed)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def with_lists(summary: pa.Table) -> pd.DataFrame:
    """Convert a summary to pandas, with Python lists in the cells of its lists."""
    frame: pd.DataFrame = summary.to_pandas()
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        frame[name] = summary[name].to_pylist()
    return frame

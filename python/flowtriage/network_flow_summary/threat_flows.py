"""Flows of the addresses that threat intelligence has results about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd


def with_flows(results: pd.DataFrame, index: pa.Table) -> pd.DataFrame:
    """Add the columns of the flow index: a row for each result and flow of its address.

    Results keep their order; flows of an address are in the order of the index. A column of the
    results that has the name of one of the index is renamed to `lookup_` and its name.
    """
    names = {name: f"lookup_{name}" for name in index.column_names if name != "Ioc"}
    results = results.rename(columns=names)
    other_end = pc.fill_null(pc.not_equal(index["source"], index["dest"]), True)
    ends = pa.concat_tables(
        [
            index.append_column("Ioc", index["source"]),
            index.filter(other_end).append_column("Ioc", index["dest"].filter(other_end)),
        ]
    )
    wanted = pa.array(results["Ioc"].unique().tolist(), pa.string())
    flows = ends.filter(pc.is_in(ends["Ioc"], value_set=wanted)).to_pandas()
    flows["Ioc"] = flows["Ioc"].astype(results["Ioc"].dtype)
    merged: pd.DataFrame = results.merge(flows, on="Ioc", how="left")
    return merged

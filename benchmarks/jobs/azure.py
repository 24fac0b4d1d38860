"""Flows for msticnb: a DataFrame with the columns of AzureNetworkAnalytics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.engines import comparable
from benchmarks.engines.engine import KEYS
from benchmarks.job import Facts

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


def frame(table: pa.Table) -> pd.DataFrame:
    """Rename the columns as in Azure and add those that msticnb reads."""
    rows = table.num_rows
    outbound = pc.equal(table["FlowDirection"], "O")
    inside = pc.if_else(outbound, table["source"], table["dest"])
    outside = pc.if_else(outbound, table["dest"], table["source"])
    flows = table["TotalAllowedFlows"]
    made = pa.table(
        {
            "FlowStartTime": table["first_seen"],
            "FlowEndTime": table["last_seen"],
            "FlowType": pa.repeat("AzurePublic", rows),
            "VMName": pa.repeat("vm", rows),
            "VMIPAddress": inside,
            "PublicIPs": outside,
            "SrcIP": pa.repeat("", rows),
            "DestIP": pa.repeat("", rows),
            "L4Protocol": pa.repeat("T", rows),
            "L7Protocol": table["L7Protocol"],
            "DestPort": pa.repeat(443, rows),
            "FlowDirection": table["FlowDirection"],
            "AllowedOutFlows": pc.if_else(outbound, flows, 0),
            "AllowedInFlows": pc.if_else(outbound, 0, flows),
            "AllExtIPs": outside,
            "TotalAllowedFlows": flows,
        }
    )
    result: pd.DataFrame = made.to_pandas()
    return result


def labels(table: pa.Table) -> dict[str | None, str]:
    """Look up every address, labelled as in flowtriage."""
    import flowtriage as ft

    both = pa.chunked_array([*table["source"].chunks, *table["dest"].chunks])
    found = ft.AsnDatabase().lookup(both.unique())
    numbered = pc.binary_join_element_wise("AS", found["asn"].cast(pa.string()), "")
    labels = pc.coalesce(
        pc.binary_join_element_wise(numbered, found["as_name"], " "), found["as_name"]
    )
    return dict(zip(found["address"].to_pylist(), labels.to_pylist(), strict=True))


def whois(table: pa.Table) -> Callable[..., pd.DataFrame]:
    """Make a stand-in for msticpy's `get_whois_df`, which would query the network.

    It uses a dictionary prepared beforehand. (Called for both ends, msticpy 3.0 returns the results
    of the destinations for the sources, too, so the original function is not comparable.)
    """
    results = labels(table)

    def get_whois_df(
        data: pd.DataFrame, ip_column: str, *, asn_col: str, **_others: Any
    ) -> pd.DataFrame:
        return data.assign(**{asn_col: data[ip_column].map(results)})

    return get_whois_df


def facts(index: pd.DataFrame, summary: pd.DataFrame) -> Facts:
    """Compute the index, and totals, protocols and addresses of every group of AS.

    msticnb leaves out the column `SourceASN` where all sources are private.
    """
    keys = ["DestASN"]
    if "SourceASN" in summary and set(summary["SourceASN"]) != {"Private address"}:
        keys.append("SourceASN")
    totals = index[[*KEYS, "TotalAllowedFlows"]]
    made = {"index": _arrow(totals), "summary": _arrow(summary[[*keys, "TotalAllowedFlows"]])}
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        made[name] = _arrow(summary[[*keys, name]].explode(name))
    return made


def _arrow(frame: pd.DataFrame) -> pa.Table:
    return comparable(pa.Table.from_pandas(frame, preserve_index=False))

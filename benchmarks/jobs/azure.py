"""Flows as msticnb wants them: a DataFrame with the columns of AzureNetworkAnalytics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.job import Facts
from benchmarks.jobs.columns import KEYS, columns

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


def frame(table: pa.Table) -> pd.DataFrame:
    """Name the columns of outbound flows as Azure does, and add those that msticnb reads."""
    rows = table.num_rows
    made = pa.table(
        {
            "FlowStartTime": table["first_seen"],
            "FlowEndTime": table["last_seen"],
            "FlowType": pa.repeat("AzurePublic", rows),
            "VMName": pa.repeat("vm", rows),
            "VMIPAddress": table["source"],
            "PublicIPs": table["dest"],
            "SrcIP": pa.repeat("", rows),
            "DestIP": pa.repeat("", rows),
            "L4Protocol": pa.repeat("T", rows),
            "L7Protocol": table["L7Protocol"],
            "DestPort": pa.repeat(443, rows),
            "FlowDirection": table["FlowDirection"],
            "AllowedOutFlows": table["TotalAllowedFlows"],
            "AllowedInFlows": pa.repeat(0, rows),
            "AllExtIPs": table["dest"],
            "TotalAllowedFlows": table["TotalAllowedFlows"],
        }
    )
    result: pd.DataFrame = made.to_pandas()
    return result


def known_answers(table: pa.Table) -> dict[str, str]:
    """Return what a look-up tells of every destination, labelled as flowtriage does."""
    import flowtriage as ft

    found = ft.AsnDatabase().lookup(table["dest"].combine_chunks().unique())
    numbered = pc.binary_join_element_wise("AS", found["asn"].cast(pa.string()), "")
    labels = pc.coalesce(
        pc.binary_join_element_wise(numbered, found["as_name"], " "), found["as_name"]
    )
    return dict(zip(found["address"].to_pylist(), labels.to_pylist(), strict=True))


def whois(answers: dict[str, str]) -> Callable[..., pd.DataFrame]:
    """Make the stand-in for msticpy's `get_whois_df`, which would ask the network."""

    def get_whois_df(
        data: pd.DataFrame, ip_column: str, *, asn_col: str, **_others: Any
    ) -> pd.DataFrame:
        return data.assign(**{asn_col: data[ip_column].map(answers)})

    return get_whois_df


def facts(index: pd.DataFrame, summary: pd.DataFrame) -> Facts:
    """Index, and totals, protocols and addresses of every destination's autonomous system."""
    made: Facts = {
        "index": columns(
            pa.Table.from_pandas(index, preserve_index=False), [*KEYS, "TotalAllowedFlows"]
        ),
        "summary": columns(
            pa.Table.from_pandas(summary[["DestASN", "TotalAllowedFlows"]], preserve_index=False),
            ["DestASN", "TotalAllowedFlows"],
        ),
    }
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        exploded = summary[["DestASN", name]].explode(name)
        made[name] = columns(
            pa.Table.from_pandas(exploded, preserve_index=False), ["DestASN", name]
        )
    return made

"""The columns of Azure's old table for rows of its new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MACHINES = ["SrcVm", "DestVm"]
_ALWAYS = {"VMName", "VMIPAddress", "AllExtIPs"}


def with_old_names(source: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """Add columns of `AzureNetworkAnalytics_CL`, or fill them, in rows of `NTANetAnalytics`.

    They are the machine that logged a flow, its address and its peer, and the endpoints if the
    source has rows of both tables. `flows` are those of the rows.
    """
    if not set(_MACHINES) <= set(source.columns):
        return source
    new = source[_MACHINES].notna().any(axis="columns")
    inbound = flows["reported_direction"] == "inbound"
    values = {
        "VMName": flows["host"],
        "VMIPAddress": flows["dst_ip"].where(inbound, flows["src_ip"]),
        "AllExtIPs": flows["src_ip"].where(inbound, flows["dst_ip"]),
        "SrcIP": flows["src_ip"],
        "DestIP": flows["dst_ip"],
    }
    filled = {
        name: source[name].astype(object).mask(new, value) if name in source else value.where(new)
        for name, value in values.items()
        if name in source or name in _ALWAYS
    }
    return source.assign(**filled)

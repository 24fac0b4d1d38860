"""The machines that rows of `NTANetAnalytics` name at both ends of a flow."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.hosts import matching_name
from flowtriage.read.source_columns import SOURCE_ROW, SourceColumns

_ENDS = {"SrcVm": "SrcIp", "DestVm": "DestIp"}


def named_ends(flows: pa.Table, columns: SourceColumns) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each machine that the rows of flows name, whoever logged them."""
    found: dict[str, dict[str, None]] = {}
    for name, address in _ENDS.items():
        for machine, text in columns.pairs(flows[SOURCE_ROW], name, address):
            if machine and (parsed := parse_address(text)):
                found.setdefault(machine, {})[parsed] = None
    return {machine: tuple(addresses) for machine, addresses in found.items()}


def addresses_at_ends(flows: pa.Table, columns: SourceColumns, name: str) -> tuple[str, ...]:
    """Return the addresses at which rows name a machine.

    Raises
    ------
    AmbiguousHostError
        If the name matches several machines.
    """
    ends = named_ends(flows, columns)
    return ends.get(matching_name(name, ends) or "", ())

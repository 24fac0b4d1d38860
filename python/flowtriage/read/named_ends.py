"""The machines that rows of `NTANetAnalytics` name at both ends of a flow."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.hosts import matching_name
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.hosts import NAMED_ENDS
from flowtriage.read.source_columns import SOURCE_ROW, SourceColumns

_COLUMNS = {name.casefold() for pair in NAMED_ENDS.items() for name in pair}


def named_ends(flows: pa.Table, columns: SourceColumns | None) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each machine that the rows of flows name, whoever logged them.

    Without columns of a source, those of the flows are read.
    """
    found: dict[str, dict[str, None]] = {}
    for name, address in NAMED_ENDS.items():
        for machine, text in (
            columns.pairs(flows[SOURCE_ROW], name, address)
            if columns
            else _pairs(flows, name, address)
        ):
            if machine and (parsed := parse_address(text)):
                found.setdefault(machine, {})[parsed] = None
    return {machine: tuple(addresses) for machine, addresses in found.items()}


def with_named_ends(request: ReadRequest) -> ReadRequest:
    """Return the request for the same flows with the columns that `without_named_ends` reads."""
    return replace(request, options=replace(request.options, named_ends=True))


def without_named_ends(flows: Flows, name: str) -> tuple[Flows, tuple[str, ...]]:
    """Return flows without the columns of `NAMED_ENDS`, and the addresses where these name a host.

    Raises
    ------
    AmbiguousHostError
        If the name matches several machines.
    """
    table = flows.to_arrow()
    kept = [column for column in table.column_names if column.casefold() not in _COLUMNS]
    return Flows(table.select(kept), flows.report), addresses_at_ends(table, None, name)


def _pairs(flows: pa.Table, one: str, other: str) -> list[tuple[str, str]]:
    """Return the distinct values of two columns of flows; no nulls."""
    names = {name.casefold(): name for name in flows.column_names}
    chosen = [names[n] for name in (one, other) if (n := name.casefold()) in names]
    if len(chosen) < 2:
        return []
    texts = [flows[name].cast(pa.string()) for name in chosen]
    pairs = pa.table(texts, ["one", "other"]).group_by(["one", "other"], use_threads=False)
    rows = pairs.aggregate([]).drop_null()
    return list(zip(rows["one"].to_pylist(), rows["other"].to_pylist(), strict=True))


def addresses_at_ends(flows: pa.Table, columns: SourceColumns | None, name: str) -> tuple[str, ...]:
    """Return the addresses at which rows name a machine.

    Raises
    ------
    AmbiguousHostError
        If the name matches several machines.
    """
    ends = named_ends(flows, columns)
    return ends.get(matching_name(name, ends) or "", ())

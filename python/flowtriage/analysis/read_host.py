"""Reading the flows of one host from a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flowtriage.analysis.hosts import HostFlows, addresses_of_name, flows_of_host
from flowtriage.inputs.hosts import matching_name
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.hosts import Hosts
from flowtriage.read.named_ends import with_named_ends, without_named_ends
from flowtriage.read.read_flows import read_request
from flowtriage.read.streaming import local_logs

_PARQUET_RATIO = 8
"""Size of flows as text, about, in relation to Parquet."""
LARGE = 32 << 20
"""Size in bytes from which logs are searched for the host; smaller ones are read whole."""


def read_flows_of_host(
    request: ReadRequest,
    name: str | None,
    addresses: tuple[str, ...],
    *,
    resolve: bool = True,
    stitch: bool | float = False,
    deduplicate: bool = False,
) -> tuple[Flows, HostFlows]:
    """Read the flows of a host; of logs beyond `LARGE` bytes no others.

    Such logs are searched for the host, so that their other flows need no memory. The first look
    at the logs of a named host finds its addresses, the second one its flows. The other parameters
    are those of `flows_of_host` and `read_flows`.
    """
    if name and resolve:
        request = with_named_ends(request)
    if not is_large(request.source):
        flows = read_request(request, stitch=stitch, deduplicate=deduplicate)
        if name and resolve:
            flows, ends = without_named_ends(flows, name)
            addresses = tuple(dict.fromkeys([*addresses, *ends]))
        return flows, flows_of_host(flows.to_arrow(), name, addresses, resolve=resolve)
    if name and resolve:
        found = read_request(_restricted(request, Hosts(addresses, (name,))))
        flows, ends = without_named_ends(found, name)
        named = flows.to_arrow()
        name = matching_name(name, named["host"].unique().drop_null().to_pylist()) or name
        own = addresses_of_name(named, name)
        addresses = tuple(dict.fromkeys([*addresses, *ends, *own]))
        request = replace(request, options=replace(request.options, named_ends=False))
    hosts = Hosts(addresses, (name,) if name else ())
    flows = read_request(_restricted(request, hosts), stitch=stitch, deduplicate=deduplicate)
    return flows, flows_of_host(flows.to_arrow(), name, addresses, resolve=resolve)


def _restricted(request: ReadRequest, hosts: Hosts) -> ReadRequest:
    return replace(request, options=replace(request.options, hosts=hosts))


def is_large(source: Any) -> bool:
    """Return whether a source is logs, by path, that have at least `LARGE` bytes."""
    return sum(map(_text_size, local_logs(source))) >= LARGE


def _text_size(path: Path) -> int:
    """Return about the size that a log has as text."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return size * _PARQUET_RATIO if file.read(4) == b"PAR1" else size

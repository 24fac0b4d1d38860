"""Reading the flows of one host from a source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from flowtriage.analysis.hosts import HostFlows, addresses_of_name, flows_of_host
from flowtriage.inputs.arrow import FlowSource, is_dataframe, is_rows, is_stream
from flowtriage.inputs.hosts import matching_name
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.hosts import Hosts
from flowtriage.read.read_flows import read_request


def read_flows_of_host(
    request: ReadRequest,
    name: str | None,
    addresses: tuple[str, ...],
    *,
    resolve: bool = True,
    stitch: bool | float = False,
    deduplicate: bool = False,
) -> tuple[Flows, HostFlows]:
    """Read the flows of a host, and no others that a search of the source can leave out.

    The first look at the source of a named host finds its addresses, the second one its flows; a
    source that can be read only once is read whole. The other parameters are those of
    `flows_of_host` and `read_flows`.
    """
    if name and not _can_be_read_again(request.source):
        flows = read_request(request, stitch=stitch, deduplicate=deduplicate)
        return flows, flows_of_host(flows.to_arrow(), name, addresses, resolve=resolve)
    if name and resolve:
        named = read_request(_restricted(request, Hosts(addresses, (name,)))).to_arrow()
        name = matching_name(name, named["host"].unique().drop_null().to_pylist()) or name
        addresses = tuple(dict.fromkeys([*addresses, *addresses_of_name(named, name)]))
    hosts = Hosts(addresses, (name,) if name else ())
    flows = read_request(_restricted(request, hosts), stitch=stitch, deduplicate=deduplicate)
    return flows, flows_of_host(flows.to_arrow(), name, addresses, resolve=resolve)


def _restricted(request: ReadRequest, hosts: Hosts) -> ReadRequest:
    return replace(request, options=replace(request.options, hosts=hosts))


def _can_be_read_again(source: FlowSource | ReadRequest) -> bool:
    if isinstance(source, (str, os.PathLike, Flows)) or is_dataframe(source) or is_rows(source):
        return True
    if isinstance(source, Sequence):
        return all(map(_can_be_read_again, source))
    return is_stream(source) and hasattr(source, "num_rows")

"""Query the flows of a host."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.hosts import addresses_of_name, observed_at
from flowtriage.errors import MsticnbDataProviderError
from flowtriage.inputs.hosts import matching_name
from flowtriage.inputs.timespan import Timespan
from flowtriage.msticnb import as_theirs
from flowtriage.providers.data_providers import QueryProvider
from flowtriage.providers.local_flows import LocalFlows
from flowtriage.providers.queries import available_queries, check_host_name, run_queries
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows

_BY_ADDRESS = (
    ("AzureNetworkAnalytics_CL", "list_azure_network_flows_by_ip"),
    ("NTANetAnalytics", "list_nta_network_flows_by_ip"),
)
_BY_HOST = (
    ("AzureNetworkAnalytics_CL", "list_azure_network_flows_by_host"),
    ("NTANetAnalytics", "list_nta_network_flows_by_host"),
)


def query_flows(
    provider: QueryProvider | LocalFlows,
    name: str | None,
    addresses: tuple[str, ...],
    span: Timespan,
    *,
    resolve: bool = True,
) -> Flows:
    """Query a provider for the flows of a host.

    A host with a name is queried by name, then by its addresses for flows that other hosts
    observed; with `resolve`, also by the addresses that the flows report for the name.
    `LocalFlows` returns all flows of the span.
    """
    if isinstance(provider, LocalFlows):
        return provider.flows(span)
    if not available_queries(provider, (*_BY_ADDRESS, *_BY_HOST)):
        raise as_theirs(
            MsticnbDataProviderError(
                f"the query provider {provider.environment} has no network flows; it needs one "
                f"of the queries {', '.join(query for _, query in (*_BY_HOST, *_BY_ADDRESS))}, "
                f"and for KQL the table AzureNetworkAnalytics_CL or NTANetAnalytics"
            )
        )
    ends = {"start": span.start, "end": span.end}
    parts = []
    if name:
        label = check_host_name(name).partition(".")[0]
        flows = read_flows(list(run_queries(provider, _BY_HOST, host_name=label, **ends)))
        table = flows.to_arrow()
        hosts = pc.unique(table["host"]).drop_null().to_pylist()
        name = (matching_name(name, hosts) if resolve else None) or name
        parts.append(_filter(flows, observed_at(table, name)))
        if resolve:
            addresses = tuple(dict.fromkeys([*addresses, *addresses_of_name(table, name)]))
    if addresses:
        results = run_queries(provider, _BY_ADDRESS, ip_address_list=list(addresses), **ends)
        flows = read_flows(list(results))
        queried = observed_at(flows.to_arrow(), name) if name else None
        parts.append(flows if queried is None else _filter(flows, pc.invert(queried)))
    return read_flows(parts, timespan=span)


def _filter(flows: Flows, mask: pa.ChunkedArray) -> Flows:
    return Flows(flows.to_arrow().filter(mask), flows.report)

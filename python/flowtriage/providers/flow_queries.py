"""Query the flows of a host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import MsticnbDataProviderError
from flowtriage.inputs.hosts import matching_name
from flowtriage.inputs.timespan import Timespan
from flowtriage.msticnb import as_theirs
from flowtriage.providers.answered_flows import AnsweredFlows, check_columns, joined
from flowtriage.providers.data_providers import QueryProvider
from flowtriage.providers.local_flows import LocalFlows
from flowtriage.providers.queries import (
    Answers,
    available_queries,
    check_host_name,
    require_answer,
    run_queries,
)
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows
from flowtriage.read.source_columns import SOURCE_ROW, SourceColumns, read_frames

_OLD, _NEW = "AzureNetworkAnalytics_CL", "NTANetAnalytics"
_BY_ADDRESS = ((_OLD, "list_azure_network_flows_by_ip"), (_NEW, "list_nta_network_flows_by_ip"))
_BY_HOST = ((_OLD, "list_azure_network_flows_by_host"), (_NEW, "list_nta_network_flows_by_host"))
DENIED_LEFT_OUT = f"The query of {_OLD} leaves out records of denied flows only"


@dataclass(frozen=True)
class QueriedFlows:
    """Flows that a provider returned, of all times, with `SOURCE_ROW`; and its columns."""

    flows: Flows
    columns: SourceColumns


def query_flows(
    provider: QueryProvider | LocalFlows, addresses: tuple[str, ...], span: Timespan
) -> Flows:
    """Query a provider for the flows of addresses; `LocalFlows` returns all flows of the span."""
    if isinstance(provider, LocalFlows):
        return provider.flows(span)
    found = query_host_flows(provider, None, addresses, span).flows
    table = found.to_arrow().drop_columns([SOURCE_ROW])
    return read_flows(Flows(table, found.report), timespan=span)


def query_host_flows(
    provider: QueryProvider,
    name: str | None,
    addresses: tuple[str, ...],
    span: Timespan,
    *,
    resolve: bool = True,
) -> QueriedFlows:
    """Query a provider for the flows of a host.

    A host with a name is queried by name, then by its addresses for flows that other hosts
    observed; with `resolve`, also by the addresses that the flows report for the name. No record
    is read twice.

    Raises
    ------
    MsticnbDataProviderError
        If the provider has no network flows, or all queries fail.
    """
    _check_available(provider)
    ends = {"start": span.start, "end": span.end}
    named, addressed = Answers(), Answers()
    parts: list[AnsweredFlows] = []
    if name:
        label = check_host_name(name).partition(".")[0]
        named = run_queries(provider, _BY_HOST, check_columns, host_name=label, **ends)
        parts = [AnsweredFlows.read(answer) for answer in named.rows]
        hosts = {host for part in parts for host in part.hosts}
        name = (matching_name(name, hosts) if resolve else None) or name
        if resolve:
            reported = (part.addresses(name, span) for part in parts)
            addresses = tuple(dict.fromkeys([*addresses, *chain.from_iterable(reported)]))
    if addresses:
        addressed = run_queries(
            provider, _BY_ADDRESS, check_columns, ip_address_list=list(addresses), **ends
        )
        others = [AnsweredFlows.read(answer) for answer in addressed.rows] if name else []
        parts = joined(parts, others, name, addresses) if name else []
    elif name and any(part.is_observed(name) for part in parts):
        parts = [part.observed(name) for part in parts]
    require_answer(named, addressed)
    rows = [part.answer for part in parts] if name else addressed.rows
    flows, columns = read_frames([row.frame for row in rows])
    tables = list(dict.fromkeys(row.table for row in rows))
    flows.report.sources = tables
    if len(tables) == 1:
        flows.report.bad_rows = [replace(row, source=tables[0]) for row in flows.report.bad_rows]
    if any(row.table == _OLD for row in rows) and not _has_denied_only(flows.to_arrow()):
        flows.report.add_limits([DENIED_LEFT_OUT])
    messages = [*named.failed, *addressed.failed, *named.cut, *addressed.cut]
    flows.report.incomplete += dict.fromkeys(messages)
    return QueriedFlows(flows, columns)


def _check_available(provider: QueryProvider) -> None:
    if not available_queries(provider, (*_BY_ADDRESS, *_BY_HOST)):
        raise as_theirs(
            MsticnbDataProviderError(
                f"the query provider {provider.environment} has no network flows; it needs one "
                f"of the queries {', '.join(query for _, query in (*_BY_HOST, *_BY_ADDRESS))}, "
                f"and for KQL the table {_OLD} or {_NEW}"
            )
        )


def _has_denied_only(flows: pa.Table) -> bool:
    denied_only = pc.and_(pc.equal(flows["flows"], 0), pc.greater(flows["denied_flows"], 0))
    return bool(pc.any(denied_only).as_py())

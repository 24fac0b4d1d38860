"""The host that a run is about: asking for it, and what to say of it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from flowtriage.errors import MsticnbMissingParameterError
from flowtriage.flows import Flows
from flowtriage.host import HostFlows, busiest_addresses, reverse_name
from flowtriage.providers.flow_queries import query_flows
from flowtriage.providers.host_queries import HostFacts, query_host
from flowtriage.providers.msticnb import as_theirs
from flowtriage.timespan import Span


def ask(
    provider: Any, host: HostFacts, span: Span | None, *, learn: bool
) -> tuple[Flows, HostFacts]:
    """Ask the query provider for the flows of a host, and first what it knows of it.

    Parameters
    ----------
    provider
        The query provider, or None.
    host
        Name and addresses as they were given.
    span
        The span of time.
    learn
        Whether to ask what the provider knows of the host.

    Raises
    ------
    MsticnbMissingParameterError
        If there is no provider, or the span has not both of its ends.
    MsticnbDataProviderError, AmbiguousHostError, ArgumentError
        As for `query_host` and `query_flows`.
    """
    if provider is None:
        raise _missing(
            "data is missing, and there is no provider to ask: give data= (a path, a "
            "DataFrame or an Arrow table), or load a provider with flowtriage.init(…)"
        )
    if span is None or span.start is None or span.end is None:
        raise _missing(
            "timespan is missing: give timespan=, or start= and end=, for flows from the "
            "query provider"
        )
    facts = query_host(provider, host.name, host.addresses) if learn else host
    return query_flows(provider, facts.name, facts.addresses, span, resolve=learn), facts


def notices(host: HostFlows, facts: HostFacts, flows: pa.Table) -> list[str]:
    """Say who the host is, what is not certain about it, and what to try if it does not occur."""
    addresses = ", ".join(host.addresses)
    who = f"{host.name} ({addresses})" if host.name and addresses else host.name or addresses
    if host.flows.num_rows:
        said = [f"{who}: {host.flows.num_rows:,} of {flows.num_rows:,} flows."]
    else:
        busiest = ", ".join(busiest_addresses(flows))
        hint = f" The busiest sources are {busiest}." if busiest else ""
        said = [f"{who} does not occur in the {flows.num_rows:,} flows.{hint}"]
    names = facts.candidates or (() if facts.name else host.candidates)
    if names:
        said.append(f"Its addresses were seen under several names: {', '.join(names)}.")
    return [*said, *facts.problems]


def dns_name_of(addresses: tuple[str, ...]) -> str | None:
    """Return the name of the first address that has one in the domain name system."""
    return next((name for address in addresses if (name := reverse_name(address))), None)


def _missing(message: str) -> MsticnbMissingParameterError:
    return as_theirs(MsticnbMissingParameterError(message))

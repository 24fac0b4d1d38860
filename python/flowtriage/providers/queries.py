"""Queries of msticpy query providers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowtriage.errors import ArgumentError, MsticnbDataProviderError
from flowtriage.msticnb import as_theirs
from flowtriage.providers.data_providers import QueryProvider, canonical_name

if TYPE_CHECKING:
    import pandas as pd

_OWN_QUERIES = Path(__file__).parent / "kql" / "azure_network.yaml"
_KQL = {"MSSentinel", "MSSentinel_Legacy", "Kusto", "Kusto_Legacy"}
_HOST_NAME = re.compile(r"[\w$][\w$.-]{0,254}")


def run_queries(
    provider: QueryProvider, queries: Iterable[tuple[str, str]], **parameters: Any
) -> Iterator[pd.DataFrame]:
    """Query each table that a provider has, and yield the results with rows.

    Parameters
    ----------
    provider
        The query provider.
    queries
        Pairs of table and query name. Of several queries for one table, the first that the
        provider has is run. A KQL provider must also have the table, if its tables are known.
    **parameters
        Parameters of the queries.

    Raises
    ------
    MsticnbDataProviderError
        If the provider is not connected, or a query does not return a table.
    """
    for _, query in available_queries(provider, queries):
        result = getattr(provider, query)(**parameters)
        if not hasattr(result, "iloc"):
            raise as_theirs(
                MsticnbDataProviderError(f"query {query} failed: {' '.join(str(result).split())}")
            )
        if len(result):
            yield result


def available_queries(
    provider: QueryProvider, queries: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the tables that a provider has, each with the full name of its first query."""
    if not provider.connected:
        raise as_theirs(
            MsticnbDataProviderError(
                f"the query provider {provider.environment} is not connected; "
                "call its connect(), or give data="
            )
        )
    kql = canonical_name(str(provider.environment)) in _KQL
    if kql and not provider.list_queries("list_nta_network_flows"):
        provider.import_query_file(str(_OWN_QUERIES))
    tables = set(provider.schema_tables) if kql else set()
    names = {full.rpartition(".")[2]: full for full in reversed(provider.list_queries())}
    available: dict[str, str] = {}
    for table, query in queries:
        if query in names and (not tables or table in tables):
            available.setdefault(table, names[query])
    return list(available.items())


def check_host_name(name: str) -> str:
    """Return a host name that is safe as a query parameter.

    msticpy inserts parameters into the query text unescaped, so a quotation mark in a name would
    end the string literal around it.

    Raises
    ------
    ArgumentError
        If the name has characters other than letters, digits, `.`, `-`, `_` and `$`.
    """
    if not _HOST_NAME.fullmatch(name):
        raise ArgumentError(
            f"invalid host name {name!r} for a query; give letters, digits, '.', '-', '_' "
            "and '$' only"
        )
    return name

"""Asking a query provider of msticpy by the name of a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowtriage.errors import ArgumentError, MsticnbDataProviderError
from flowtriage.msticnb import as_theirs
from flowtriage.providers.data_providers import canonical

if TYPE_CHECKING:
    import pandas as pd

_OWN_QUERIES = Path(__file__).parent / "kql" / "azure_network.yaml"
_KQL = {"MSSentinel", "MSSentinel_Legacy", "Kusto", "Kusto_Legacy"}
_HOST_NAME = re.compile(r"[\w$][\w$.-]{0,254}")


def answers(
    provider: Any, queries: Iterable[tuple[str, str]], **parameters: Any
) -> Iterator[pd.DataFrame]:
    """Ask each table that a provider has, and yield the answers that hold rows.

    Parameters
    ----------
    provider
        A msticpy `QueryProvider`.
    queries
        Table and name of a query; of several for one table, the first that the provider has is
        asked. Of a provider in KQL the table must be there too, if its tables are known.
    **parameters
        Parameters of the queries.

    Raises
    ------
    MsticnbDataProviderError
        If the provider is not connected, or returns something other than a table.
    """
    for _, query in available(provider, queries):
        answer = getattr(provider, query)(**parameters)
        if not hasattr(answer, "iloc"):
            raise as_theirs(
                MsticnbDataProviderError(f"query {query} failed: {' '.join(str(answer).split())}")
            )
        if len(answer):
            yield answer


def available(provider: Any, queries: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the tables that a provider has, each with the whole name of its first query."""
    if not provider.connected:
        raise as_theirs(
            MsticnbDataProviderError(
                f"the query provider {provider.environment} is not connected; "
                "call its connect(), or give data="
            )
        )
    kql = canonical(str(provider.environment)) in _KQL
    if kql and not provider.list_queries("list_nta_network_flows"):
        provider.import_query_file(str(_OWN_QUERIES))
    tables = set(provider.schema_tables) if kql else set()
    names = {whole.rpartition(".")[2]: whole for whole in reversed(provider.list_queries())}
    found: dict[str, str] = {}
    for table, query in queries:
        if query in names and (not tables or table in tables):
            found.setdefault(table, names[query])
    return list(found.items())


def checked_name(name: str) -> str:
    """Return a host name that may stand in a query.

    msticpy writes parameters into the text of a query as they are, so a quotation mark in a name
    would end the text that it stands in.

    Raises
    ------
    ArgumentError
        If the name holds anything but letters, digits, `.`, `-`, `_` and `$`.
    """
    if not _HOST_NAME.fullmatch(name):
        raise ArgumentError(
            f"host name {name!r} cannot be asked for: it holds something other than letters, "
            "digits, '.', '-', '_' and '$'"
        )
    return name

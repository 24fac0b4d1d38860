"""Queries of msticpy query providers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowtriage.errors import ArgumentError, MsticnbDataProviderError
from flowtriage.humanize import sanitize
from flowtriage.msticnb import as_theirs
from flowtriage.providers.data_providers import QueryProvider, canonical_name
from flowtriage.providers.service_limits import CUT, row_limit

if TYPE_CHECKING:
    import pandas as pd

_OWN_QUERIES = Path(__file__).parent / "kql" / "azure_network.yaml"
_KQL = {"MSSentinel", "MSSentinel_Legacy", "Kusto", "Kusto_Legacy"}
_HOST_NAME = re.compile(r"[\w$][\w$.-]{0,254}")
_MAX_MESSAGE = 300


@dataclass(frozen=True)
class Answer:
    """The rows that a query returned about a table."""

    table: str
    query: str
    frame: pd.DataFrame


@dataclass
class Answers:
    """The answers with rows, and messages about queries that failed or were answered in part.

    `cut` has those about tables whose rows are incomplete. `answered` is whether any query was
    answered, with rows or without; `error` is the last exception of those that failed.
    """

    rows: list[Answer] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    answered: bool = False
    error: Exception | None = None

    @property
    def frames(self) -> list[pd.DataFrame]:
        """The rows of all answers."""
        return [answer.frame for answer in self.rows]


def run_queries(
    provider: QueryProvider,
    queries: Iterable[tuple[str, str]],
    check: Callable[[Answer], None] | None = None,
    **parameters: Any,
) -> Answers:
    """Run the first query that a provider has for each table.

    `check` raises an exception for an answer that cannot be used.

    Raises
    ------
    MsticnbDataProviderError
        If the provider is not connected.
    """
    answers = Answers()
    for table, query in available_queries(provider, queries):
        try:
            with _cut_results(table, answers.cut):
                result = attrgetter(query)(provider)(**parameters)
            if result is None:
                answers.failed.append(f"query of {table} returned None instead of a table")
                answers.answered = True
                continue
            if not hasattr(result, "iloc"):
                raise MsticnbDataProviderError(str(result))
            answer = Answer(table, query.rpartition(".")[2], result)
            if len(result) and check:
                check(answer)
        except Exception as error:
            answers.failed.append(f"query of {table} failed: {_message(error)}")
            answers.error = error
            continue
        answers.answered = True
        if len(result):
            answers.rows.append(answer)
            if limit := row_limit(result):
                answers.cut.append(f"{table}: {limit}")
    return answers


def require_answer(*asked: Answers) -> None:
    """Raise an exception that names the tables if queries failed and none was answered."""
    errors = [answers.error for answers in asked if answers.error]
    if errors and not any(answers.answered for answers in asked):
        messages = dict.fromkeys(message for answers in asked for message in answers.failed)
        raise as_theirs(MsticnbDataProviderError("; ".join(messages))) from errors[-1]


@contextmanager
def _cut_results(table: str, cut: list[str]) -> Iterator[None]:
    """Turn warnings about a result that is cut into messages; issue all others again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        text = str(one.message)
        if CUT.search(text):
            cut.append(f"{table}: the result is incomplete ({sanitize(text, _MAX_MESSAGE)})")
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _message(error: Exception) -> str:
    parts = [part for part in error.args if isinstance(part, str)] or [str(error)]
    text = sanitize(" ".join(" ".join(parts).split()), _MAX_MESSAGE) or type(error).__name__
    hint = "; give a shorter timespan" if CUT.search(text) else ""
    return f"{text}{hint}"


def available_queries(
    provider: QueryProvider, queries: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the tables that a provider has, each with the full name of its first query.

    A KQL provider must also have the table, if its tables are known.
    """
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
    tables = {table.casefold() for table in provider.schema_tables} if kql else set()
    names = {full.rpartition(".")[2]: full for full in reversed(provider.list_queries())}
    available: dict[str, str] = {}
    for table, query in queries:
        if query in names and (not tables or table.casefold() in tables):
            available.setdefault(table, names[query])
    return list(available.items())


def check_host_name(name: str) -> str:
    """Return a host name that is safe as a query parameter.

    msticpy inserts parameters into the query text unescaped, so a quotation mark in a name would
    end the string literal around it.
    """
    if not _HOST_NAME.fullmatch(name):
        raise ArgumentError(
            f"invalid host name {name!r} for a query; give letters, digits, '.', '-', '_' "
            "and '$' only"
        )
    return name

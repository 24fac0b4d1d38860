"""Queries to one source of reputation: msticpy's `TILookup`, or a source with its interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.enrich.reputation.results import ioc_types

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class SourceResults:
    """Results of the providers of one source, in the columns of msticpy's `TILookup`.

    `supported` has the address types that each provider supports, or None if it does not say;
    `errors` has reasons of failure.
    """

    addresses: pa.Array
    tables: list[pa.Table | pd.DataFrame] = field(default_factory=list)
    supported: dict[str, set[str] | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def query_source(source: Any, addresses: pa.Array, *, progress: bool) -> SourceResults:
    """Query all providers of a source together.

    If that fails, each provider is queried separately: one that cannot be reached must not lose
    the results of the others.
    """
    results = SourceResults(addresses, supported=providers_of(source))
    names = list(results.supported)
    if not names or not len(addresses):
        return results
    try:
        results.tables.append(_query(source, addresses, names, progress))
    except Exception as error:
        if len(names) == 1:
            results.errors[names[0]] = _reason(error)
        for name in names if len(names) > 1 else ():
            try:
                results.tables.append(_query(source, addresses, [name], progress))
            except Exception as failed:
                results.errors[name] = _reason(failed)
    return results


def providers_of(source: Any) -> dict[str, set[str] | None]:
    """Return the providers that a source queries by default, with the types they support."""
    if hasattr(source, "query"):
        return dict.fromkeys(source.providers)
    loaded = getattr(source, "loaded_providers", None)
    if loaded is None:
        return {getattr(source, "name", type(source).__name__): None}
    # Only its text marks the providers that are queried by default.
    primary = [text for text in source.provider_status if text.endswith("(primary)")]
    return {
        name: set(types) if (types := getattr(provider, "supported_types", None)) else None
        for name, provider in loaded.items()
        if any(text.startswith(f"{name} - ") for text in primary)
    }


def _query(source: Any, addresses: pa.Array, names: Sequence[str], progress: bool) -> Any:
    if hasattr(source, "query"):
        return source.query(addresses)
    data = types_of(addresses)
    if not hasattr(source, "loaded_providers"):
        return source.lookup_iocs(data=data)
    return _outside_loop(
        lambda: source.lookup_iocs(data=data, providers=list(names), progress=progress)
    )


def types_of(addresses: pa.Array) -> dict[str, str]:
    """Return msticpy's type of each address."""
    return dict(zip(addresses.to_pylist(), ioc_types(addresses).to_pylist(), strict=True))


def _outside_loop(call: Callable[[], Any]) -> Any:
    """Call where msticpy can run an event loop: outside a running one, unless it can be nested.

    In notebooks msticpy makes the kernel's event loop nestable.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return call()
    if hasattr(loop, "_nest_patched"):
        return call()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def _reason(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    name = type(error).__name__
    first = text.strip().partition("\n")[0]
    return f"{name}: {first}" if first else name

"""Providers of a source: msticpy's `TILookup`, or a source with its method `lookup_iocs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa

from flowtriage.enrich.reputation.results import ioc_types

Query: TypeAlias = Callable[[Mapping[str, str]], Any]
"""Looks up addresses, given with their types; returns a DataFrame in msticpy's columns."""
_CHUNK = 20


@dataclass(frozen=True)
class Provider:
    """A provider that is queried over the network.

    Attributes
    ----------
    name
        Name in results and in the ledger.
    supported
        The address types that it supports, or None if it does not say.
    chunk
        Number of addresses of a query: 1 if the provider handles them one by one anyway.
    query, query_again
        Query of a chunk, and its repetition for one address that failed.
    """

    name: str
    supported: frozenset[str] | None
    chunk: int
    query: Query
    query_again: Query


def providers_of(source: Any) -> list[Provider]:
    """Return the providers that a source queries by default."""
    loaded = getattr(source, "loaded_providers", None)
    if loaded is None:
        name = str(getattr(source, "name", type(source).__name__))
        query = partial(_lookup, source)
        return [Provider(name, None, _CHUNK, query, query)]
    names = [name for name in loaded if _is_primary(source, name)]
    return [_of_lookup(source, name, loaded[name]) for name in names]


def types_of(addresses: pa.Array) -> dict[str, str]:
    """Return msticpy's type of each address."""
    return dict(zip(addresses.to_pylist(), ioc_types(addresses).to_pylist(), strict=True))


def _is_primary(source: Any, name: str) -> bool:
    """Check whether a provider is queried by default; only its text says so."""
    status = getattr(source, "provider_status", None)
    if status is None:
        return True
    return any(text.startswith(f"{name} - ") and text.endswith("(primary)") for text in status)


def _of_lookup(source: Any, name: str, provider: Any) -> Provider:
    types = getattr(provider, "supported_types", None)
    supported = frozenset(types) if types else None
    lookup = getattr(type(source), "lookup_iocs", None)
    if getattr(lookup, "__module__", "").split(".")[0] == "msticpy":
        # Without an event loop; msticpy's providers look up one address after the other.
        query = partial(_lookup_sync, source, name)
        return Provider(name, supported, 1, query, partial(_lookup_uncached, source, name))
    query = partial(_lookup, source, providers=[name], progress=False)
    return Provider(name, supported, _CHUNK, query, query)


def _lookup(source: Any, data: Mapping[str, str], **options: Any) -> Any:
    return source.lookup_iocs(data=dict(data), **options)


def _lookup_sync(source: Any, name: str, data: Mapping[str, str]) -> Any:
    return source.lookup_iocs_sync(data=dict(data), providers=[name])


def _lookup_uncached(source: Any, name: str, data: Mapping[str, str]) -> Any:
    """Look up one address past the cache of msticpy, which keeps failed answers too."""
    provider = source.loaded_providers[name]
    lookup = getattr(getattr(provider, "lookup_ioc", None), "__wrapped__", None)
    if lookup is None:
        return _lookup_sync(source, name, data)
    [(address, kind)] = data.items()
    frame = lookup(provider, ioc=address, ioc_type=kind)
    return None if frame is None else frame.assign(Provider=name)

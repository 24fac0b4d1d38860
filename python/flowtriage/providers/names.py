"""Names of providers."""

from __future__ import annotations

from functools import cache

MADE_BY = {
    "LocalFlows": "flowtriage.providers.local_flows:LocalFlows",
    "blocklists": "flowtriage.reputation:BlockLists",
    "tilookup": "msticpy.context:TILookup",
    "geolitelookup": "msticpy.context:GeoLiteLookup",
    "ipstacklookup": "msticpy.context:IPStackLookup",
}
"""Classes that providers other than msticpy's query providers are made of."""


def canonical(name: str) -> str:
    """Return the name under which a provider is kept; aliases of an environment share one.

    Examples
    --------
    >>> canonical("TILookup"), canonical("localflows")
    ('tilookup', 'LocalFlows')
    """
    return _names().get(name.casefold(), name)


@cache
def _names() -> dict[str, str]:
    names = {name.casefold(): name for name in MADE_BY}
    for name, kept in environments().items():
        names[name.casefold()] = kept
    return names


@cache
def environments() -> dict[str, str]:
    """Names of msticpy's data environments, each with the one under which it is kept."""
    try:
        from msticpy.data.core.query_defns import DataEnvironment
    except ImportError:
        return {}
    members = DataEnvironment.__members__.items()
    return {name: member.name for name, member in members if name != "Unknown"}


def split_parameter(key: str) -> tuple[str | None, str]:
    """Split `Name_parameter` into the provider's kept name, if there is one, and the parameter."""
    owners = [name for name in _names() if key.casefold().startswith(f"{name}_")]
    if not owners:
        return None, key
    longest = max(owners, key=len)
    return _names()[longest], key[len(longest) + 1 :]

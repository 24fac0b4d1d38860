"""The data providers of a session, and their names."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Protocol

from flowtriage.errors import ArgumentError, MissingExtraError, MsticnbDataProviderError
from flowtriage.humanize import did_you_mean, quoted
from flowtriage.msticnb import as_theirs, current_providers
from flowtriage.providers.local_flows import LocalFlows

_INSTALL = 'msticpy providers need msticpy: pip install "flowtriage[notebook]"'
_DEFAULT = ("tilookup", "geolitelookup")
_CONSTRUCTOR_ONLY = {"driver", "query_paths"}
_OF_INSTANCE = ("query_provider", "providers", "provider_names", "failures")
"""Attributes that the class has before the first instance."""


class QueryProvider(Protocol):
    """msticpy's `QueryProvider`, whose queries are attributes."""

    @property
    def environment(self) -> str:
        """Name of the data environment."""

    @property
    def connected(self) -> bool:
        """Whether the provider is connected."""

    @property
    def schema_tables(self) -> list[str]:
        """Names of the tables."""

    def list_queries(self, substring: str | None = None) -> list[str]:
        """Return the full names of the queries that contain a substring."""

    def import_query_file(self, query_file: str) -> None:
        """Add the queries of a YAML file."""


_CLASSES = {
    "LocalFlows": "flowtriage.providers.local_flows:LocalFlows",
    "blocklists": "flowtriage.enrich.reputation:BlockLists",
    "tilookup": "msticpy.context:TILookup",
    "geolitelookup": "msticpy.context:GeoLiteLookup",
    "ipstacklookup": "msticpy.context:IPStackLookup",
}
"""Classes of the providers other than msticpy's query providers."""


def canonical_name(name: str) -> str:
    """Return the canonical name of a provider; aliases of an environment share one.

    Examples
    --------
    >>> canonical_name("TILookup"), canonical_name("localflows")
    ('tilookup', 'LocalFlows')
    """
    return _names().get(name.casefold(), name)


@cache
def _names() -> dict[str, str]:
    names = {name: name for name in _CLASSES} | environments()
    return {name.casefold(): canonical for name, canonical in names.items()}


@cache
def environments() -> dict[str, str]:
    """Return the names of msticpy's data environments, each with its canonical name."""
    try:
        from msticpy.data.core.query_defns import DataEnvironment
    except ImportError:
        return {}
    members = DataEnvironment.__members__.items()
    return {name: member.name for name, member in members if name != "Unknown"}


def split_parameter(key: str) -> tuple[str | None, str]:
    """Split `Name_parameter` into the provider's canonical name, or None, and the parameter."""
    matches = [name for name in _names() if key.casefold().startswith(f"{name}_")]
    if not matches:
        return None, key
    longest = max(matches, key=len)
    return _names()[longest], key[len(longest) + 1 :]


class _Shared(type):
    """Metaclass that returns the current instance for the arguments it was made with."""

    @property
    def __signature__(cls) -> inspect.Signature:
        """The parameters of the class instead of those of `__call__`."""
        own = inspect.signature(vars(cls)["__init__"])
        return own.replace(parameters=list(own.parameters.values())[1:])

    def __getattr__(cls, name: str) -> Any:
        """Return an attribute of the current instance; None without one."""
        current = None if name.startswith("_") else cls.current()
        if current is not None:
            return getattr(current, name)
        if name in _OF_INSTANCE:
            return None
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance, and make it the current one."""
        latest = getattr(cls, "_latest", None)
        if latest is not None and not latest.failures and latest.arguments == (args, kwargs):
            return latest
        made = super().__call__(*args, **kwargs)
        made.arguments = (args, kwargs)
        cls._latest = made
        return made


class DataProviders(metaclass=_Shared):
    """The providers of a session, for flows, threat intelligence and locations.

    Notebooklets use the latest instance. The same arguments return that instance, unless a
    provider failed.

    Parameters
    ----------
    query_provider
        Provider of flows: the name of a msticpy data environment (`MSSentinel`, `Kusto`,
        `LocalData`, …), `LocalFlows` for files, or a provider. Default: `LocalFlows` if
        `LocalFlows_paths` is given, otherwise `MSSentinel`.
    providers
        Names of other providers; default `tilookup` and `geolitelookup`. `+name` adds to the
        defaults, `-name` removes from them.
    **kwargs
        Parameters of providers, as `Name_parameter`: `LocalFlows_paths`, `LocalData_data_paths`,
        `MSSentinel_workspace`. The provider's class takes them, and the `connect` of a msticpy
        `QueryProvider` as well.

    Attributes
    ----------
    query_provider
        The provider of flows. This and the other attributes are also those of the class, for the
        current instance; None without one.
    providers : dict
        All providers by name. Each is also an attribute.
    failures : dict
        Exceptions of providers that could not be loaded or connected, by name.

    Raises
    ------
    MsticnbDataProviderError
        If `query_provider` is unknown, or needs msticpy and it is not installed.
    ArgumentError
        If names with and without `+` or `-` are mixed, or a parameter has no provider.

    Examples
    --------
    >>> "LocalFlows" in DataProviders.list_providers()
    True
    """

    _latest: ClassVar[DataProviders | None] = None
    arguments: tuple[Any, ...]
    query_provider: Any
    provider_names: set[str]
    providers: dict[str, Any]
    failures: dict[str, Exception]

    def __init__(
        self,
        query_provider: QueryProvider | LocalFlows | str | None = None,
        providers: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.providers = {}
        self.failures = {}
        if query_provider is None:
            files = any(split_parameter(key)[0] == "LocalFlows" for key in kwargs)
            query_provider = "LocalFlows" if files else "MSSentinel"
        others = _chosen(providers)
        first = canonical_name(_environment(query_provider))
        self.provider_names = {first, *others}
        unknown = [key for key in kwargs if split_parameter(key)[0] not in self.provider_names]
        if unknown:
            raise ArgumentError(
                f"unknown parameters {', '.join(unknown)}; parameters are named after a loaded "
                f"provider: {', '.join(sorted(self.provider_names))}"
                f"{_nearest_parameters(unknown[0])}"
            )
        if isinstance(query_provider, str):
            self.add_provider(first, **kwargs)
        else:
            self._add(first, query_provider)
        self.query_provider = self.providers[first]
        for name in sorted(others - {first}):
            try:
                self.add_provider(name, **kwargs)
            except Exception as error:
                self.failures[name] = error

    @classmethod
    def current(cls) -> DataProviders | None:
        """Return the latest instance, or else that of msticnb if it is loaded, or None."""
        return cls._latest or current_providers()

    @classmethod
    def list_providers(cls) -> list[str]:
        """Return the names of all providers that can be loaded."""
        return [*environments(), *_CLASSES]

    @classmethod
    def get_def_providers(cls) -> list[str]:
        """Return the names of the default providers."""
        return list(_DEFAULT)

    def add_provider(self, provider: str, **kwargs: Any) -> None:
        """Load one more provider, unless it is loaded already.

        Parameters
        ----------
        provider
            Its name, one of `list_providers`.
        **kwargs
            Parameters as `Name_parameter`; those of other providers are ignored.

        Raises
        ------
        MsticnbDataProviderError
            If the provider is unknown, or needs msticpy and it is not installed.
        """
        name = canonical_name(provider)
        if name in self.providers:
            return
        split = [(*split_parameter(key), value) for key, value in kwargs.items()]
        parameters = {parameter: value for of, parameter, value in split if of == name}
        if name in _CLASSES:
            self._add(name, _load(_CLASSES[name])(**parameters))
        elif name in environments():
            self._add(name, self._query_provider(name, parameters))
        else:
            hint = "" if environments() else f"; {_INSTALL}"
            raise as_theirs(
                MsticnbDataProviderError(
                    f"unknown provider {quoted(provider)}"
                    f"{did_you_mean(provider, self.list_providers())}{hint}"
                )
            )

    def has_required_providers(self, reqd_provs: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return which required providers are missing.

        Parameters
        ----------
        reqd_provs
            Names of providers; `A|B` requires one of both. `LocalData` and `LocalFlows` count
            as any query provider.

        Returns
        -------
        tuple of (list of str, list of str)
            Missing providers, and those of them that are unknown.
        """
        missing, unknown = [], []
        queries = {*environments().values(), "LocalFlows"}
        local = any(name in self.providers for name in ("LocalData", "LocalFlows"))
        for required in reqd_provs or ():
            choices = {canonical_name(name.strip()) for name in required.split("|")}
            if choices & self.providers.keys() or (local and choices & queries):
                continue
            missing.append(required)
            if not choices & {*queries, *_CLASSES}:
                unknown.append(required)
        return missing, unknown

    def __getitem__(self, name: str) -> Any:
        """Return a provider by its name or an alias of its environment."""
        return self.providers[canonical_name(name)]

    def __repr__(self) -> str:
        """Return the names of loaded providers, and the failures."""
        loaded = f"Loaded providers: {', '.join(self.providers)}"
        return "\n".join([loaded, *(f"{n}: {_first_line(e)}" for n, e in self.failures.items())])

    def _add(self, name: str, provider: Any) -> None:
        self.providers[name] = provider
        setattr(self, name, provider)

    def _query_provider(self, name: str, parameters: dict[str, Any]) -> Any:
        from msticpy.data import QueryProvider

        made = QueryProvider(data_environment=name, **parameters)
        if not made.connected:
            try:
                made.connect(**{k: v for k, v in parameters.items() if k not in _CONSTRUCTOR_ONLY})
            except Exception as error:
                self.failures[name] = error
        return made


def _chosen(providers: Iterable[str] | None) -> set[str]:
    """Return the names of the providers other than the query provider."""
    names = [providers] if isinstance(providers, str) else list(providers or ())
    if not names:
        return set(_DEFAULT)
    changes = [name for name in names if name.startswith(("+", "-"))]
    if changes and len(changes) < len(names):
        raise ArgumentError(
            "providers mixes names with and without + or -; give plain names, or only "
            f"changes to the defaults ({', '.join(_DEFAULT)})"
        )
    if not changes:
        return set(map(canonical_name, names))
    added = {canonical_name(name[1:]) for name in changes if name[0] == "+"}
    removed = {canonical_name(name[1:]) for name in changes if name[0] == "-"}
    return (set(_DEFAULT) | added) - removed


def _nearest_parameters(key: str) -> str:
    _, dash, parameter = key.partition("_")
    known = [f"{name}{dash}{parameter}" for name in DataProviders.list_providers()]
    return did_you_mean(key, known)


def _environment(provider: QueryProvider | LocalFlows | str) -> str:
    if isinstance(provider, str):
        return provider
    return str(getattr(provider, "environment", type(provider).__name__))


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    if module.startswith("msticpy.") and not environments():
        raise MissingExtraError(_INSTALL)
    return getattr(import_module(module), name)


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"

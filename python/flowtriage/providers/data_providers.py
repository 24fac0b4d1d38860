"""The providers of a session."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any, ClassVar

from flowtriage.errors import ArgumentError, MissingExtraError, MsticnbDataProviderError
from flowtriage.msticnb import as_theirs, current_providers

_INSTALL = 'providers of msticpy need it: pip install "flowtriage[notebook]"'
_DEFAULT = ("tilookup", "geolitelookup")
_ONLY_MADE_WITH = {"driver", "query_paths"}


class _Shared(type):
    """Returns the current instance where it was made with the same arguments."""

    @property
    def __signature__(cls) -> inspect.Signature:
        """Show the parameters of the class, and not those of the call below."""
        own = inspect.signature(vars(cls)["__init__"])
        return own.replace(parameters=list(own.parameters.values())[1:])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance, and make it the current one."""
        latest = getattr(cls, "_latest", None)
        if latest is not None and not latest.failures and latest.arguments == (args, kwargs):
            return latest
        made = super().__call__(*args, **kwargs)
        made.arguments = (args, kwargs)
        cls._latest = made
        return made


class DataProviders(metaclass=_Shared):
    """The providers of a session: of flows, of threat intelligence, of locations.

    The latest instance is the current one, which notebooklets use. The same arguments again
    return that same instance, unless something failed.

    Parameters
    ----------
    query_provider
        Where flows come from: the name of a msticpy data environment (`MSSentinel`, `Kusto`,
        `LocalData`, …), `LocalFlows` for files, or a provider. None takes `LocalFlows` where
        `LocalFlows_paths` is given, and `MSSentinel` otherwise.
    providers
        Names of other providers; None takes `tilookup` and `geolitelookup`. Names with `+` are
        added to these, names with `-` are taken from them.
    **kwargs
        Parameters of providers, as `Name_parameter`: `LocalFlows_paths`, `LocalData_data_paths`,
        `MSSentinel_workspace`. They go to the provider's class and, for a msticpy
        `QueryProvider`, to its `connect` as well.

    Attributes
    ----------
    query_provider
        The provider of flows.
    providers : dict
        All providers, by name. Each is an attribute as well.
    failures : dict
        What kept a provider from being loaded, or from connecting, by name.

    Raises
    ------
    MsticnbDataProviderError
        If `query_provider` is not known, or msticpy is not installed for it.
    ArgumentError
        If names with and without `+` or `-` are mixed, or a parameter is of no provider.

    Examples
    --------
    >>> "LocalFlows" in DataProviders.list_providers()
    True
    """

    _latest: ClassVar[DataProviders | None] = None
    arguments: tuple[Any, ...]

    def __init__(
        self,
        query_provider: Any = None,
        providers: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.providers: dict[str, Any] = {}
        self.failures: dict[str, Exception] = {}
        if query_provider is None:
            files = any(split_parameter(key)[0] == "LocalFlows" for key in kwargs)
            query_provider = "LocalFlows" if files else "MSSentinel"
        others = _chosen(providers)
        given = isinstance(query_provider, str)
        first = canonical(query_provider) if given else canonical(_environment(query_provider))
        self.provider_names = {first, *others}
        strangers = [key for key in kwargs if split_parameter(key)[0] not in self.provider_names]
        if strangers:
            raise ArgumentError(
                f"{', '.join(strangers)}: parameters are named after one of the providers "
                f"loaded here, {', '.join(sorted(self.provider_names))}"
            )
        if given:
            self.add_provider(first, **kwargs)
        else:
            self._keep(first, query_provider)
        self.query_provider = self.providers[first]
        for name in sorted(others - {first}):
            try:
                self.add_provider(name, **kwargs)
            except Exception as error:
                self.failures[name] = error

    @classmethod
    def current(cls) -> Any:
        """Return the latest instance; without one, that of msticnb if it is loaded; or None."""
        return cls._latest or current_providers()

    @classmethod
    def list_providers(cls) -> list[str]:
        """Return the names of all providers that can be loaded."""
        return [*environments(), *MADE_BY]

    @classmethod
    def get_def_providers(cls) -> list[str]:
        """Return the names of the providers that are loaded unless others are named."""
        return list(_DEFAULT)

    def add_provider(self, provider: str, **kwargs: Any) -> None:
        """Load one more provider; one that is loaded already stays as it is.

        Parameters
        ----------
        provider
            Its name, one of `list_providers`.
        **kwargs
            Parameters as `Name_parameter`; those of other providers are left aside.

        Raises
        ------
        MsticnbDataProviderError
            If there is no provider of that name, or msticpy is not installed for it.
        """
        name = canonical(provider)
        if name in self.providers:
            return
        split = [(*split_parameter(key), value) for key, value in kwargs.items()]
        parameters = {parameter: value for owner, parameter, value in split if owner == name}
        if name in MADE_BY:
            self._keep(name, _load(MADE_BY[name])(**parameters))
        elif name in environments():
            self._keep(name, self._query_provider(name, parameters))
        else:
            without = "" if environments() else f"; {_INSTALL}"
            raise as_theirs(
                MsticnbDataProviderError(
                    f"provider {provider!r} is not known; choose one of "
                    f"{', '.join(self.list_providers())}{without}"
                )
            )

    def has_required_providers(self, reqd_provs: Iterable[str]) -> tuple[list[str], list[str]]:
        """Compare what is needed with what is loaded.

        Parameters
        ----------
        reqd_provs
            Names of providers; `A|B` means that either will do. `LocalData` and `LocalFlows`
            stand in for any query provider.

        Returns
        -------
        tuple of (list of str, list of str)
            Those that are missing, and those of them that are not known at all.
        """
        missing, unknown = [], []
        queries = {*map(canonical, environments()), "LocalFlows"}
        known = set(map(canonical, self.list_providers()))
        local = any(name in self.providers for name in ("LocalData", "LocalFlows"))
        for needed in reqd_provs or ():
            choices = {canonical(name.strip()) for name in needed.split("|")}
            if choices & self.providers.keys() or (local and choices & queries):
                continue
            missing.append(needed)
            if not choices & known:
                unknown.append(needed)
        return missing, unknown

    def __getitem__(self, name: str) -> Any:
        """Return the provider of a name, or of another name of the same environment."""
        return self.providers[canonical(name)]

    def __repr__(self) -> str:
        """Show what is loaded, and what failed."""
        loaded = f"Loaded providers: {', '.join(self.providers)}"
        return "\n".join([loaded, *(f"{n}: {_first_line(e)}" for n, e in self.failures.items())])

    def _keep(self, name: str, provider: Any) -> None:
        self.providers[name] = provider
        setattr(self, name, provider)

    def _query_provider(self, name: str, parameters: dict[str, Any]) -> Any:
        from msticpy.data import QueryProvider

        made = QueryProvider(data_environment=name, **parameters)
        if not made.connected:
            try:
                made.connect(**{k: v for k, v in parameters.items() if k not in _ONLY_MADE_WITH})
            except Exception as error:
                self.failures[name] = error
        return made


def _chosen(providers: Iterable[str] | None) -> set[str]:
    """Names of the providers besides that of flows."""
    names = [providers] if isinstance(providers, str) else list(providers or ())
    if not names:
        return set(_DEFAULT)
    changes = {name for name in names if name.startswith(("+", "-"))}
    if changes and len(changes) < len(set(names)):
        raise ArgumentError(
            "providers is either a list of names, or of names with + and - that change the "
            f"default ones ({', '.join(_DEFAULT)}); not both"
        )
    if not changes:
        return set(map(canonical, names))
    added = {canonical(name[1:]) for name in changes if name[0] == "+"}
    removed = {canonical(name[1:]) for name in changes if name[0] == "-"}
    return (set(_DEFAULT) | added) - removed


def _environment(provider: Any) -> str:
    return str(getattr(provider, "environment", type(provider).__name__))


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    if module.startswith("msticpy.") and not environments():
        raise MissingExtraError(_INSTALL)
    return getattr(import_module(module), name)


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


MADE_BY = {
    "LocalFlows": "flowtriage.providers.local_flows:LocalFlows",
    "blocklists": "flowtriage.enrich.reputation:BlockLists",
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

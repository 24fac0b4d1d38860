"""Data providers of notebooklets."""

from __future__ import annotations

from typing import Any

from flowtriage.errors import ArgumentError, MsticnbDataProviderError
from flowtriage.msticnb import as_theirs
from flowtriage.providers import DataProviders, LocalFlows, QueryProvider
from flowtriage.providers.data_providers import canonical_name, environments, split_parameter


class HasProviders:
    """Mixin with data providers: the given ones, or else the current ones."""

    _data_providers: DataProviders | None

    @property
    def data_providers(self) -> DataProviders | None:
        """The given providers, or else the current ones, or None."""
        return self._data_providers or DataProviders.current()

    @property
    def query_provider(self) -> QueryProvider | LocalFlows | None:
        """The provider of flows, or None."""
        return getattr(self.data_providers, "query_provider", None)

    def get_provider(self, provider_name: str) -> Any:
        """Return a provider by its name.

        Parameters
        ----------
        provider_name
            Its name, such as `tilookup`, or an alias of its data environment.

        Raises
        ------
        MsticnbDataProviderError
            If it is not loaded; the message has the reason and the loaded providers.
        """
        loaded = getattr(self.data_providers, "providers", {})
        for name in (provider_name, canonical_name(provider_name)):
            if name in loaded:
                return loaded[name]
        failures = getattr(self.data_providers, "failures", {})
        reason = failures.get(canonical_name(provider_name))
        raise as_theirs(
            MsticnbDataProviderError(
                f"provider {provider_name!r} is not loaded"
                f"{f' ({reason})' if reason else ''}; load it with flowtriage.init(providers=[…]). "
                f"Loaded providers: {', '.join(loaded) or 'none'}"
            )
        )

    def check_table_exists(self, table: str) -> bool:
        """Return whether the query provider has a table; print a message if not.

        Parameters
        ----------
        table
            Name of the table; for `LocalFlows`, the name of a file.
        """
        provider = self.query_provider
        if provider is None:
            print(f"No query provider is loaded that could have the table {table}.")
            return False
        if table not in provider.schema_tables:
            print(f"The query provider has no table {table}.")
            return False
        return True


def load_named(providers: DataProviders | None, parameters: dict[str, Any]) -> None:
    """Load the providers that parameters name, unless they are loaded already.

    Without providers, the query provider among them becomes that of the session.
    """
    of = {key: split_parameter(key)[0] for key in parameters}
    if unknown := [key for key, name in of.items() if name is None]:
        raise ArgumentError(
            f"unknown parameters {', '.join(unknown)}; parameters are named after a provider, "
            "such as LocalFlows_paths"
        )
    names = [name for name in dict.fromkeys(of.values()) if name is not None]
    if providers is not None:
        for name in names:
            providers.add_provider(name, **parameters)
        return
    queries = [name for name in names if name in {*environments().values(), "LocalFlows"}]
    if not queries:
        raise as_theirs(
            MsticnbDataProviderError(
                f"no query provider is loaded for {', '.join(names)} to be added to; "
                "call flowtriage.init(…) first"
            )
        )
    others = [f"+{name}" for name in names if name != queries[0]]
    DataProviders(queries[0], others, **parameters)

"""Where the data of a notebooklet come from."""

from __future__ import annotations

from typing import Any

from flowtriage.errors import MsticnbDataProviderError
from flowtriage.providers import DataProviders
from flowtriage.providers.msticnb import as_theirs
from flowtriage.providers.names import canonical


class Provided:
    """What has providers of data: those that it is given, or else the current ones."""

    _data_providers: Any

    @property
    def data_providers(self) -> Any:
        """The providers that were given, or else the current ones, or None."""
        return self._data_providers or DataProviders.current()

    @property
    def query_provider(self) -> Any:
        """The provider of flows, or None."""
        return getattr(self.data_providers, "query_provider", None)

    def get_provider(self, provider_name: str) -> Any:
        """Return a provider by its name.

        Parameters
        ----------
        provider_name
            Its name, such as `tilookup`, or another name of the same data environment.

        Raises
        ------
        MsticnbDataProviderError
            If it is not loaded; the message says what is, and what kept it from being.
        """
        loaded = getattr(self.data_providers, "providers", {})
        for name in (provider_name, canonical(provider_name)):
            if name in loaded:
                return loaded[name]
        failures = getattr(self.data_providers, "failures", {})
        reason = failures.get(canonical(provider_name))
        raise as_theirs(
            MsticnbDataProviderError(
                f"provider {provider_name!r} is not loaded"
                f"{f' ({reason})' if reason else ''}; loaded are: {', '.join(loaded) or 'none'}. "
                "flowtriage.init(providers=[…]) loads providers"
            )
        )

    def check_table_exists(self, table: str) -> bool:
        """Tell whether the query provider has a table; if not, print so.

        Parameters
        ----------
        table
            Name of the table; of files, the name of one.
        """
        if self.query_provider is None:
            print(f"There is no query provider that could have the table {table}.")
            return False
        if table not in self.query_provider.schema_tables:
            print(f"The query provider has no table {table}.")
            return False
        return True

"""Data providers and pivot functions of notebooklets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from flowtriage.errors import MissingExtraError, MsticnbDataProviderError
from flowtriage.inputs.timespan import TimespanLike
from flowtriage.msticnb import as_theirs
from flowtriage.providers import DataProviders, LocalFlows, QueryProvider
from flowtriage.providers.data_providers import canonical_name


class Pivotable(Protocol):
    """A notebooklet class that `add_pivot_function` takes."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the notebooklet."""

    def get_pivot_run(self, get_timespan: Callable[[], TimespanLike]) -> Callable[..., Any]:
        """Return `run` with a default timespan."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the class."""

    @classmethod
    def entity_types(cls) -> list[str]:
        """Return the types of entities that `run` takes."""


class HasTimespan(Protocol):
    """An object with a default timespan, such as msticpy's `Pivot`."""

    def get_timespan(self) -> TimespanLike:
        """Return the timespan."""


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


_ENTITIES = {"host": {"Host": "HostName"}, "ip_address": {"IpAddress": "Address"}}


def add_pivot_function(notebooklet: type[Pivotable], pivot: HasTimespan | None = None) -> None:
    """Add a notebooklet to msticpy's entities of its types, in their container `nblt`.

    Parameters
    ----------
    notebooklet
        The class; each call runs a new instance with the current providers.
    pivot
        msticpy's `Pivot` with the timespan of calls without one; None takes the current one.

    Raises
    ------
    MissingExtraError
        If msticpy is not installed.
    """
    try:
        from msticpy.init.pivot import Pivot, PivotRegistration
    except ImportError:
        raise MissingExtraError(
            'pivot functions need msticpy: pip install "flowtriage[notebook]"'
        ) from None

    def run(**kwargs: Any) -> Any:
        return notebooklet().get_pivot_run((pivot or Pivot()).get_timespan)(**kwargs)

    name = re.sub(r"(?<!^)(?=[A-Z])", "_", notebooklet.name()).lower()
    run.__name__ = name
    run.__doc__ = notebooklet.run.__doc__
    entities = [_ENTITIES[kind] for kind in notebooklet.entity_types() if kind in _ENTITIES]
    registration = PivotRegistration(
        input_type="value",
        entity_map={entity: field for fields in entities for entity, field in fields.items()},
        func_new_name=name,
        func_input_value_arg="value",
        src_func_name="run",
        can_iterate=False,
        return_raw_output=True,
    )
    Pivot.add_pivot_function(func=run, pivot_reg=registration, container="nblt")

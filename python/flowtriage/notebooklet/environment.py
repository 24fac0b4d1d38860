"""Where the data of a notebooklet come from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from flowtriage.errors import MissingExtraError, MsticnbDataProviderError
from flowtriage.msticnb import as_theirs
from flowtriage.providers import DataProviders
from flowtriage.providers.data_providers import canonical


class Pivotable(Protocol):
    """A class whose `run` can become a pivot function."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the notebooklet."""

    def get_pivot_run(self, get_timespan: Callable[[], Any]) -> Callable[..., Any]:
        """Return `run` as a function that takes its timespan from elsewhere."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the class."""

    @classmethod
    def entity_types(cls) -> list[str]:
        """Return the entities that `run` takes."""


class HasProviders:
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


_ENTITIES = {"host": {"Host": "HostName"}, "ip_address": {"IpAddress": "Address"}}


def add_pivot_function(notebooklet: type[Pivotable], pivot: Any = None) -> None:
    """Add a notebooklet to the entities that it takes, in their container `nblt`.

    Parameters
    ----------
    notebooklet
        The class; each call runs a new instance, with the providers that are current then.
    pivot
        msticpy's `Pivot`, whose timespan is used unless a call gives its own; None takes the
        current one.

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
        entity_map={entity: field for of_kind in entities for entity, field in of_kind.items()},
        func_new_name=name,
        func_input_value_arg="value",
        src_func_name="run",
        can_iterate=False,
        return_raw_output=True,
    )
    Pivot.add_pivot_function(func=run, pivot_reg=registration, container="nblt")

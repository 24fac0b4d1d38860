"""Start of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flowtriage.catalogue import add_pivot_funcs
from flowtriage.catalogue.browser import NBBrowser
from flowtriage.providers.data_providers import DataProviders, environments
from flowtriage.providers.local_flows import LocalFlows

if TYPE_CHECKING:
    from flowtriage.providers.data_providers import QueryProvider


def init(
    query_provider: QueryProvider | LocalFlows | str | None = None,
    namespace: dict[str, Any] | None = None,
    providers: Iterable[str] | None = None,
    **kwargs: Any,
) -> None:
    """Load the data providers of a session, print them, and register pivot functions.

    Parameters
    ----------
    query_provider, providers, **kwargs
        As for `DataProviders`.
    namespace
        Ignored; accepted for compatibility with msticnb.

    Raises
    ------
    MsticnbDataProviderError, ArgumentError
        As for `DataProviders`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pyarrow.parquet
    >>> from flowtriage import sample
    >>> day = Path(tempfile.mkdtemp()) / "day.parquet"
    >>> pyarrow.parquet.write_table(sample.office_day(), day)
    >>> init(LocalFlows_paths=day, providers=["-tilookup", "-geolitelookup"])
    Loaded providers: LocalFlows
    """
    dp_init(query_provider, providers, **kwargs)
    if environments():
        add_pivot_funcs()


def dp_init(
    query_provider: QueryProvider | LocalFlows | str | None = None,
    providers: Iterable[str] | None = None,
    **kwargs: Any,
) -> None:
    """Load the data providers of a session and print them, as `init` without pivot functions.

    Parameters
    ----------
    query_provider, providers, **kwargs
        As for `DataProviders`.

    Raises
    ------
    MsticnbDataProviderError, ArgumentError
        As for `DataProviders`.
    """
    print(DataProviders(query_provider, providers, **kwargs))


def browse() -> NBBrowser:
    """Display a browser of the notebooklets: documentation, options, example code.

    Raises
    ------
    MissingExtraError
        If ipywidgets is not installed.
    """
    return NBBrowser()


def __getattr__(name: str) -> Any:
    """Return the current providers by name (`data_providers`), or msticpy's `QueryProvider`.

    Without msticpy, `QueryProvider` is the protocol of a provider.
    """
    if name == "data_providers":
        return getattr(DataProviders.current(), "providers", {})
    if name == "QueryProvider":
        try:
            from msticpy.data import QueryProvider
        except ImportError:
            from flowtriage.providers.data_providers import QueryProvider
        return QueryProvider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Start of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowtriage.providers.data_providers import DataProviders, QueryProvider, environments
from flowtriage.providers.local_flows import LocalFlows


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
    print(DataProviders(query_provider, providers, **kwargs))
    if environments():
        from flowtriage.network_flow_summary import NetworkFlowSummary

        NetworkFlowSummary.add_pivot_function()

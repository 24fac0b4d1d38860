"""Loading the providers of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowtriage.providers.data_providers import DataProviders, environments


def init(
    query_provider: Any = None,
    namespace: dict[str, Any] | None = None,
    providers: Iterable[str] | None = None,
    **kwargs: Any,
) -> None:
    """Load the providers of a session, say which, and add the pivot functions of notebooklets.

    Parameters
    ----------
    query_provider, providers, **kwargs
        As for `DataProviders`.
    namespace
        Taken so that calls written for msticnb work; nothing is read from it or written to it.

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

"""Store of flow analytics: raw flows as Parquet, results in DuckDB or PostgreSQL."""

from flowtriage.store.raw_flows import RawFlows
from flowtriage.store.store import DEFAULT_URL, FlowStore, Transaction
from flowtriage.store.tables import MADE_BY_RUN, TABLES

__all__ = ["DEFAULT_URL", "MADE_BY_RUN", "TABLES", "FlowStore", "RawFlows", "Transaction"]

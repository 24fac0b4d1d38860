"""The store of flow analytics: tables in DuckDB or PostgreSQL, Arrow in and Arrow out."""

from flowtriage.store.store import DEFAULT_URL, FlowStore, Transaction
from flowtriage.store.tables import MADE_BY_RUN, TABLES

__all__ = ["DEFAULT_URL", "MADE_BY_RUN", "TABLES", "FlowStore", "Transaction"]

"""Providers of flows and of facts about hosts."""

from flowtriage.providers.data_providers import DataProviders, QueryProvider
from flowtriage.providers.local_flows import LocalFlows

__all__ = ["DataProviders", "LocalFlows", "QueryProvider"]

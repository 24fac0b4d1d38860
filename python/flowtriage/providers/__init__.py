"""Providers of flows, of facts about hosts and of facts about addresses."""

from flowtriage.providers.data_providers import DataProviders
from flowtriage.providers.local_flows import LocalFlows

__all__ = ["DataProviders", "LocalFlows"]

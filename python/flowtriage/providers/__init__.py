"""Where flows, facts about hosts and facts about addresses come from."""

from flowtriage.providers.data_providers import DataProviders, init
from flowtriage.providers.local_flows import LocalFlows

__all__ = ["DataProviders", "LocalFlows", "init"]

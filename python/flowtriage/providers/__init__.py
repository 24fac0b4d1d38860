"""Where flows, facts about hosts and facts about addresses come from."""

from flowtriage.providers.data_providers import DataProviders
from flowtriage.providers.local_flows import LocalFlows
from flowtriage.providers.session import init

__all__ = ["DataProviders", "LocalFlows", "init"]

"""Reputation of addresses: block lists, threat intelligence and one severity scale."""

from flowtriage.enrich.reputation.block_lists import BlockLists
from flowtriage.enrich.reputation.lookup import Reputation, look_up
from flowtriage.enrich.reputation.severity import Severity

__all__ = ["BlockLists", "Reputation", "Severity", "look_up"]

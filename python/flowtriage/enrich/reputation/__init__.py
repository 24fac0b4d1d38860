"""Reputation of addresses: block lists, threat intelligence and one severity scale."""

from flowtriage.enrich.reputation.block_lists import BlockLists
from flowtriage.enrich.reputation.lookup import DEFAULT_TIME_LIMIT, Reputation, look_up
from flowtriage.enrich.reputation.severity import Severity

__all__ = ["DEFAULT_TIME_LIMIT", "BlockLists", "Reputation", "Severity", "look_up"]

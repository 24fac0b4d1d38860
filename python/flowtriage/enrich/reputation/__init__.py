"""What is known against addresses: local block lists and services of threat intelligence."""

from flowtriage.enrich.reputation.block_lists import BlockLists
from flowtriage.enrich.reputation.lookup import Reputation, look_up

__all__ = ["BlockLists", "Reputation", "look_up"]

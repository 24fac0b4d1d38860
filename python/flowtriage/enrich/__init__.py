"""Facts about addresses: AS, location, network name, service and reputation."""

from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.online import Online
from flowtriage.enrich.reputation.block_lists import BlockLists

__all__ = ["AsnDatabase", "BlockLists", "Online"]

"""Writers of flows in the formats of other tools."""

from flowtriage.write.write_flows import FORMATS, Written, write_flows

__all__ = ["FORMATS", "Written", "write_flows"]

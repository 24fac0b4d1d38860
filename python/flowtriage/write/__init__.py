"""Writing flows in the formats of other tools."""

from flowtriage.write.flows import FORMATS, Written, write_flows

__all__ = ["FORMATS", "Written", "write_flows"]

"""Log formats: one declaration each, and the engine that reads by them."""

from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.canonical import CANONICAL
from flowtriage.formats.declaration import Format
from flowtriage.formats.zeek import ZEEK

FORMATS: tuple[Format, ...] = (CANONICAL, ZEEK, AZURE_NETWORK_ANALYTICS)
"""All formats, in the order in which they are tried."""

__all__ = ["FORMATS", "Format"]

"""Maps of addresses."""

from flowtriage.viz.maps.geo_map import geo_map

__all__ = ["geo_map"]

"""Plots of what Flow OA stored: flows per minute, chords, and the suspicious network."""

from importlib.util import find_spec

from flowtriage.errors import MissingExtraError

if find_spec("bokeh") is None:
    raise MissingExtraError('plots need Bokeh: pip install "flowtriage[notebook]"')

from flowtriage.oa.plots.chords import chord_diagram
from flowtriage.oa.plots.ingest import ingest_per_minute
from flowtriage.oa.plots.network import suspicious_network

__all__ = ["chord_diagram", "ingest_per_minute", "suspicious_network"]

"""Pickling and comparison of the values that results hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowtriage.render.section import Section


class Rebuild:
    """Stand-in for an object without pickle support; unpickling and deep copies call a function.

    Parameters
    ----------
    function
        Function of a module that makes the object.
    *args
        Its arguments; they can be pickled.
    """

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return the function and its arguments."""
        return self._call


def is_plot(value: object) -> bool:
    """Return whether a value is a Bokeh plot, without importing Bokeh."""
    return type(value).__module__.startswith("bokeh.")


def picklable(value: Any, plots: dict[int, Rebuild]) -> Any:
    """Replace the Bokeh plots in a value, its sections included.

    Parameters
    ----------
    value
        A value of an attribute.
    plots
        Replacements by `id` of the plot; a plot that occurs twice gets one.
    """
    if isinstance(value, list):
        return [picklable(one, plots) for one in value]
    if isinstance(value, Section):
        return value.with_contents(*(picklable(one, plots) for one in value.contents))
    if not is_plot(value):
        return value
    if id(value) not in plots:
        plots[id(value)] = Rebuild(_plot, _document(value))
    return plots[id(value)]


def _document(plot: Any) -> Any:
    from bokeh.embed.util import OutputDocumentFor

    with OutputDocumentFor([plot], always_new=True) as document:
        return document.to_json(deferred=False)


def _plot(document: Any) -> Any:
    from bokeh.document import Document

    made = Document.from_json(document)
    plot = made.roots[0]
    made.remove_root(plot)
    return plot


def same(one: Any, other: Any) -> bool:
    """Return whether two values have the same content.

    Tables are the same with equal columns and rows, maps with equal tables of addresses, and
    msticpy entities with equal properties except `TimeGenerated`. Plots are always the same:
    they draw tables.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_plot(one):
        return True
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    if hasattr(one, "folium_map"):
        return same(one.places, other.places)
    if type(one).__module__.startswith("msticpy.datamodel."):
        return same(*({**entity.properties, "TimeGenerated": None} for entity in (one, other)))
    return bool(one == other)

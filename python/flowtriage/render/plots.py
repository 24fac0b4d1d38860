"""Plots for a cell of a notebook, in its page or in a frame."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from flowtriage.render.assets import asset

PLOT_NOTE = "This plot needs JavaScript; in a notebook, trust it or run the cell again."


def plot_figure(model: Any, name: str, heading: str) -> str:
    """Return a plot as a figure of that name, for the script of the report to draw."""
    from bokeh.embed import json_item

    homeless = model.document is None
    item = _numbered(json_item(model), name, {}) | {"target_id": name}
    data = json.dumps(item, separators=(",", ":")).replace("<", "\\u003c")
    if homeless and model.document is not None:
        model.document.remove_root(model)
    return (
        f'<figure aria-label="{escape(heading)}"><div id="{name}">{PLOT_NOTE}</div></figure>'
        f'<script type="application/json" class="plot-data">{data}</script>'
    )


def _numbered(value: Any, prefix: str, names: dict[str, str]) -> Any:
    """Name the models of a plot by their order, not by how many the session made before."""
    if isinstance(value, list | tuple):
        return [_numbered(inner, prefix, names) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.setdefault(inner, f"{prefix}-{len(names)}")
        if key in ("id", "root_id") and isinstance(inner, str)
        else _numbered(inner, prefix, names)
        for key, inner in value.items()
    }


def bokeh_scripts(plots: Sequence[Any]) -> list[str]:
    """Return the scripts of Bokeh that plots need."""
    if not plots:
        return []
    from bokeh.embed.bundle import bundle_for_objs_and_resources
    from bokeh.resources import Resources

    bundle = bundle_for_objs_and_resources(plots, Resources(mode="inline", log_level="warn"))
    return list(bundle.js_raw)


def policy(scripts: Sequence[str]) -> str:
    """Return a content security policy that allows these scripts and no requests."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    sources = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


_HEIGHT = 460
"""Pixels of a frame for each plot in it."""


def plot_html(plot: Any, heading: str, *, with_bokeh: bool) -> str:
    """Return a Bokeh plot as a piece of HTML.

    Parameters
    ----------
    plot
        A Bokeh layout.
    heading
        What a screen reader calls it.
    with_bokeh
        Whether to bring Bokeh along, about 1 MB; otherwise an earlier piece of the page must.
    """
    figure = plot_figure(plot, f"plot-{secrets.token_hex(8)}", heading)
    scripts = [*(bokeh_scripts([plot]) if with_bokeh else ()), asset("plots.js")]
    return figure + "".join(f"<script>{script}</script>" for script in scripts)


def plot_frame(plots: Mapping[str, Any]) -> str:
    """Return Bokeh plots as a frame that holds everything they need.

    The frame runs in a sandbox apart from the page around it, and asks nothing of the network.

    Parameters
    ----------
    plots
        Bokeh layouts by their heading, one below the other.
    """
    scripts = [*bokeh_scripts(list(plots.values())), asset("plots.js")]
    figures = [
        plot_figure(plot, f"plot-{number}", heading)
        for number, (heading, plot) in enumerate(plots.items(), 1)
    ]
    page = "".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(scripts))}">',
            "<style>body { margin: 0; background: white } figure { margin: 0 0 1rem }</style>",
            "</head><body>",
            *figures,
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>",
        ]
    )
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" title="Plots" '
        f'style="width: 100%; height: {_HEIGHT * len(plots)}px; border: 0"></iframe>'
    )

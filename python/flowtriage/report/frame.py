"""Plots for a cell of a notebook, in its page or in a frame."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from html import escape
from typing import Any

from flowtriage.report.assets import asset
from flowtriage.report.html import bokeh_scripts, plot_figure, policy

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

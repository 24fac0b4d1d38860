"""Plots in a frame, for a cell of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from flowtriage.report.html import asset, bokeh_scripts, plot_figure, policy

_HEIGHT = 460
"""Pixels of a frame for each plot in it."""


def plot_frame(plots: Mapping[str, Any]) -> str:
    """Return Bokeh plots as a frame that holds everything they need.

    The frame runs in a sandbox apart from the page around it, and asks nothing of the network.

    Parameters
    ----------
    plots
        Bokeh layouts by their heading, one below the other.
    """
    scripts = [*bokeh_scripts(list(plots.values())), asset("report.js")]
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

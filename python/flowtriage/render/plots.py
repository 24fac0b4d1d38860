"""Bokeh plots as HTML, in the page or in a frame."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from flowtriage.render.assets import asset

PLOT_NOTE = "This plot needs JavaScript; trust the notebook or run the cell again."


def is_plot(content: object) -> bool:
    """Check whether an object is a Bokeh model."""
    return any(base.__module__.startswith("bokeh.") for base in type(content).__mro__)


def plot_figure(model: Any, name: str, title: str) -> str:
    """Return a plot as a figure of that name, which the script of the page draws."""
    from bokeh.embed import json_item

    without_document = model.document is None
    item = _numbered(json_item(model), name, {}) | {"target_id": name}
    data = json.dumps(item, separators=(",", ":")).replace("<", "\\u003c")
    if without_document and model.document is not None:
        model.document.remove_root(model)
    return (
        f'<figure aria-label="{escape(title)}"><div id="{name}">{PLOT_NOTE}</div></figure>'
        f'<script type="application/json" class="plot-data">{data}</script>'
    )


def _numbered(value: Any, prefix: str, names: dict[str, str]) -> Any:
    """Rename the models of a plot by their order, independent of the session."""
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
    """Return the Bokeh scripts that plots need."""
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
"""Pixels of a frame per plot."""


def plot_html(plot: Any, title: str, *, with_bokeh: bool) -> str:
    """Return a Bokeh plot as an HTML fragment.

    Without Bokeh, which is about 1 MB, the page must have it already.
    """
    figure = plot_figure(plot, f"plot-{secrets.token_hex(8)}", title)
    scripts = [*(bokeh_scripts([plot]) if with_bokeh else ()), asset("plots.js")]
    return figure + _elements(scripts)


def _elements(scripts: Sequence[str]) -> str:
    return "".join(f"<script>{script}</script>" for script in scripts)


def plot_frame(plots: Mapping[str, Any]) -> str:
    """Return Bokeh plots as a self-contained frame.

    The frame runs in a sandbox, isolated from the page around it, and makes no requests.

    Parameters
    ----------
    plots
        Bokeh layouts by title, from top to bottom.
    """
    scripts = [*bokeh_scripts(list(plots.values())), asset("plots.js")]
    figures = [
        plot_figure(plot, f"plot-{number}", title)
        for number, (title, plot) in enumerate(plots.items(), 1)
    ]
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(scripts))}">'
        "<style>body { margin: 0; background: white } figure { margin: 0 0 1rem }</style>"
        f"</head><body>{''.join(figures)}{_elements(scripts)}</body></html>"
    )
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" title="Plots" '
        f'style="width: 100%; height: {_HEIGHT * len(plots)}px; border: 0"></iframe>'
    )

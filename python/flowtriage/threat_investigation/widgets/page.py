"""One column of widgets: addresses, message, story fields, results, saved stories."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache
from html import escape
from pathlib import Path

import ipywidgets as widgets

from flowtriage.humanize import sanitize
from flowtriage.render.html_tables import AS_TEXT
from flowtriage.render.notebook import Bundle, as_text, bundle, heading_bundle
from flowtriage.render.section import Section

_HERE = Path(__file__).parent


class Page:
    """A page with named parts `above` and below its message line, and results at the end."""

    def __init__(self, *above: str) -> None:
        self._above = above
        self._parts: dict[str, widgets.Widget] = {}
        self._assets = _output([{"text/html": _style_and_script(), "text/plain": ""}])
        self._message = widgets.HTML().add_class("ft-message")
        self._results, self._saved = widgets.Output(), widgets.Output()
        self._box = widgets.VBox().add_class("ft-investigation")
        self._arrange()

    def display(self, section: Section) -> None:
        """Display the page, with a section as text for front ends without widgets."""
        from IPython.display import display

        rich = dict(self._box._repr_mimebundle_())
        display(rich | {"text/plain": as_text(section)}, raw=True)

    def put(self, name: str, part: widgets.Widget) -> None:
        """Show a part, which replaces one of the same name."""
        self._parts[name] = part
        self._arrange()

    def remove(self, name: str) -> None:
        """Remove a part, if present."""
        self._parts.pop(name, None)
        self._arrange()

    def clear(self) -> None:
        """Remove all parts, the message and the results."""
        self._parts.clear()
        self._results.outputs = self._saved.outputs = ()
        self._message.value = ""
        self._arrange()

    def message(self, text: str, status: str = "done") -> None:
        """Show a message with status `busy`, `done` or `error`."""
        role = ' role="alert"' if status == "error" else ""
        content = escape(sanitize(text, multiline=True))
        self._message.value = f'<p class="ft-{status} {AS_TEXT}"{role}>{content}</p>'

    def show(self, sections: Iterable[Section], saved: str) -> None:
        """Show results; the section titled `saved` can be updated by `show_saved`."""
        listed = list(sections)
        self._results.outputs = _outputs(one for one in listed if one.title != saved)
        self.show_saved(one for one in listed if one.title == saved)

    def show_saved(self, sections: Iterable[Section]) -> None:
        """Show saved stories and scores; plots and sorted tables of the results are unchanged."""
        self._saved.outputs = _outputs(sections)

    def take_over(self, other: Page) -> None:
        """Move the content of another page to this one, with a note in the other."""
        self._parts, self._message = other._parts, other._message
        self._results, self._saved = other._results, other._saved
        self._arrange()
        note = widgets.HTML("<p><em>The investigation continues in a later cell.</em></p>")
        other._box.children = (note,)

    def batch_changes(self) -> AbstractContextManager[None]:
        """Send changes of the parts together at the end of the block."""
        return self._box.hold_sync()  # type: ignore[no-any-return]

    def _arrange(self) -> None:
        above = [part for name, part in self._parts.items() if name in self._above]
        below = [part for name, part in self._parts.items() if name not in self._above]
        results = (self._results, self._saved)
        self._box.children = (self._assets, *above, self._message, *below, *results)


def _outputs(sections: Iterable[Section]) -> tuple[dict[str, object], ...]:
    """Return sections as outputs of a cell; the first plot includes Bokeh."""
    return tuple(_output(one for section in sections for one in _bundles(section)).outputs)


def _output(bundles: Iterable[Bundle]) -> widgets.Output:
    """Return a widget that shows bundles like the output of a cell."""
    outputs = [{"output_type": "display_data", "data": one, "metadata": {}} for one in bundles]
    return widgets.Output(outputs=tuple(outputs))


def _bundles(section: Section) -> Iterable[Bundle]:
    contents = (bundle(one, section.title, with_bokeh=True) for one in section.contents)
    return [heading_bundle(section), *(one for one in contents if one is not None)]


@cache
def _style_and_script() -> str:
    style, script = ((_HERE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return f"<style>{style}</style><script>{script}</script>"

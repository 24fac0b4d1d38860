"""The part of a notebook that an investigation is worked with in: one column of widgets."""

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
    """What is to be done above, then what was said, then what to write, then what was found.

    Parameters
    ----------
    controls
        Names of the parts that stand above.
    """

    def __init__(self, *controls: str) -> None:
        self._above = controls
        self._parts: dict[str, widgets.Widget] = {}
        self._dress = as_output([{"text/html": _dress(), "text/plain": ""}])
        self._said = widgets.HTML()
        self._said.add_class("ft-said")
        self._found, self._written = widgets.Output(), widgets.Output()
        self._box = widgets.VBox()
        self._box.add_class("ft-investigation")
        self._arrange()

    def display(self, section: Section) -> None:
        """Show the page here, with a section as text for what shows no widgets."""
        from IPython.display import display

        made = dict(self._box._repr_mimebundle_())
        display(made | {"text/plain": as_text(section)}, raw=True)

    def put(self, name: str, part: widgets.Widget) -> None:
        """Show a part, in the place of an earlier one of its name."""
        self._parts[name] = part
        self._arrange()

    def take(self, name: str) -> None:
        """Remove a part, if it is there."""
        self._parts.pop(name, None)
        self._arrange()

    def clear(self) -> None:
        """Remove all parts, and what was found and said."""
        self._parts.clear()
        self._found.outputs = self._written.outputs = ()
        self._said.value = ""
        self._arrange()

    def say(self, text: str, look: str = "done") -> None:
        """Say what is going on: `busy`, `done`, or `wrong`."""
        role = ' role="alert"' if look == "wrong" else ""
        told = escape(sanitize(text, multiline=True))
        self._said.value = f'<p class="ft-{look} {AS_TEXT}"{role}>{told}</p>'

    def show(self, sections: Iterable[Section], written: str) -> None:
        """Show what was found; the section of that title can be shown anew by itself."""
        listed = list(sections)
        self._found.outputs = _outputs(one for one in listed if one.title != written)
        self.show_written(one for one in listed if one.title == written)

    def show_written(self, sections: Iterable[Section]) -> None:
        """Show what is written down; what was found stays as it is, plots and sorted tables too."""
        self._written.outputs = _outputs(sections)

    def take_over(self, other: Page) -> None:
        """Take everything of another page, which then says so."""
        self._parts, self._said = other._parts, other._said
        self._found, self._written = other._found, other._written
        self._arrange()
        note = widgets.HTML("<p><em>The investigation goes on in a later cell.</em></p>")
        other._box.children = (note,)

    def held(self) -> AbstractContextManager[None]:
        """Hold back what parts there are until all of them are known."""
        return self._box.hold_sync()  # type: ignore[no-any-return]

    def _arrange(self) -> None:
        above = [part for name, part in self._parts.items() if name in self._above]
        below = [part for name, part in self._parts.items() if name not in self._above]
        self._box.children = (self._dress, *above, self._said, *below, self._found, self._written)


def as_output(bundles: Iterable[Bundle]) -> widgets.Output:
    """Return a widget that shows bundles as the output of a cell would."""
    kept = [{"output_type": "display_data", "data": one, "metadata": {}} for one in bundles]
    return widgets.Output(outputs=tuple(kept))


def _outputs(sections: Iterable[Section]) -> tuple[dict[str, object], ...]:
    """Return sections as outputs of a cell; the first plot brings Bokeh."""
    outputs: tuple[dict[str, object], ...]
    outputs = as_output(one for section in sections for one in _bundles(section)).outputs
    return outputs


def _bundles(section: Section) -> Iterable[Bundle]:
    made = (bundle(one, section.title, with_bokeh=True) for one in section.contents)
    return [heading_bundle(section), *(one for one in made if one is not None)]


@cache
def _dress() -> str:
    style, script = (_HERE / f"page.{kind}" for kind in ("css", "js"))
    return (
        f"<style>{style.read_text(encoding='utf-8')}</style>"
        f"<script>{script.read_text(encoding='utf-8')}</script>"
    )

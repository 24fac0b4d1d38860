"""Fields and buttons that belong together, and what stands beside them."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import ipywidgets as widgets


class Form(widgets.VBox):  # type: ignore[misc]
    """Fields and buttons whose presses come with what the fields hold at that moment.

    A kernel may take messages of several widgets in another order than they were sent in, so that
    a button alone could find what a field held before. The script of the page sends both at once;
    where it does not run, buttons are as usual.

    Parameters
    ----------
    children
        All that is shown.
    fields
        What is filled in, in the order of the page.
    buttons
        What is pressed, in the order of the page.
    """

    def __init__(
        self,
        children: list[widgets.Widget],
        fields: list[widgets.Widget],
        buttons: list[widgets.Widget],
    ) -> None:
        self._fields, self._buttons = fields, buttons
        for kind, parts in (("ft-field", fields), ("ft-press", buttons)):
            for part in parts:
                part.add_class(kind)
        self.sent = widgets.Text(continuous_update=False)
        self.sent.add_class("ft-sent")
        self.sent.observe(self._receive, "value")
        super().__init__([*children, self.sent])
        self.add_class("ft-box")

    def _receive(self, change: dict[str, Any]) -> None:
        pressed = json.loads(change["new"])
        for field, held in zip(self._fields, pressed["fields"], strict=True):
            if isinstance(held, int):
                field.index = held
            else:
                field.value = held
        self._buttons[pressed["button"]].click()


def buttons(*buttons: widgets.Widget) -> widgets.Widget:
    """Put buttons side by side."""
    row = widgets.HBox(buttons)
    row.add_class("ft-buttons")
    return row


def heading(text: str) -> widgets.Widget:
    """Make a heading."""
    return widgets.HTML(f"<h4>{escape(text)}</h4>")


def note(text: str) -> widgets.Widget:
    """Make a paragraph."""
    return widgets.HTML(f"<p>{escape(text)}</p>")

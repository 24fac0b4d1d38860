"""Browser of notebooklets for a notebook."""

from __future__ import annotations

import html
import re
from typing import Any

from flowtriage.catalogue.discovery import nb_index, nblts
from flowtriage.errors import MissingExtraError
from flowtriage.notebooklet.help import docstring_html

_CODE = """\
from msticpy.common.timespan import TimeSpan

{variable} = nb.{path}()
timespan = TimeSpan(period="1d")
{variable}_result = {variable}.run(value="my_host", timespan=timespan)
"""


class NBBrowser:
    """List of the notebooklets, with documentation and example code of the selected one.

    Attributes
    ----------
    selected : type
        The selected notebooklet.

    Raises
    ------
    MissingExtraError
        If ipywidgets is not installed.
    """

    def __init__(self) -> None:
        """Make and display the browser."""
        try:
            import ipywidgets as widgets
        except ImportError:
            raise MissingExtraError(
                'the browser needs ipywidgets: pip install "flowtriage[notebook]"'
            ) from None
        whole = widgets.Layout(width="100%")
        classes = list(nblts.iter_classes())
        self.nb_select = widgets.Select(options=classes, description="Notebooklet")
        self.nb_doc = widgets.HTML(layout=widgets.Layout(width="60%", margin="0 0 0 1em"))
        self.nb_details = widgets.HTML(layout=whole)
        self.nb_run_doc = widgets.HTML(layout=whole)
        self.nb_code = widgets.HTML(layout=whole)
        fitting = widgets.Layout(width="auto")
        insert = widgets.Button(description="Insert code example", layout=fitting)
        insert.on_click(self._insert_code)
        parts = widgets.Accordion(children=[self.nb_details, self.nb_run_doc, self.nb_code])
        for number, title in enumerate(("All documentation", "run() documentation", "Example")):
            parts.set_title(number, title)
        parts.selected_index = None
        left = widgets.VBox([self.nb_select, insert])
        self._controls = widgets.VBox([widgets.HBox([left, self.nb_doc]), parts])
        self.nb_select.observe(self._update, names="value")
        self._update(None)
        self.display()

    @property
    def selected(self) -> type[Any]:
        """The selected notebooklet."""
        selected: type[Any] = self.nb_select.value
        return selected

    def display(self) -> None:
        """Display the browser."""
        from IPython.display import display

        display(self._controls)

    def _update(self, change: Any) -> None:
        cls = self.selected
        self.nb_doc.value = docstring_html(cls, cls.__name__, sections=False)
        self.nb_details.value = cls.get_help()
        self.nb_run_doc.value = docstring_html(cls.run, f"{cls.__name__}.run()")
        self.nb_code.value = f"<pre>{html.escape(self._code())}</pre>"

    def _code(self) -> str:
        cls = self.selected
        path = next(name for name, known in nb_index.items() if known is cls)
        variable = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        return _CODE.format(variable=variable, path=path)

    def _insert_code(self, button: Any) -> None:
        import IPython

        shell: Any = IPython.get_ipython()
        if shell is not None:
            shell.set_next_input(self._code())

"""The browser of notebooklets."""

from __future__ import annotations

import sys
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.errors import MissingExtraError

pytest.importorskip("ipywidgets")

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]


def test_the_selected_notebooklet_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    browser = ft.browse()
    assert dict(browser.nb_select.options) == dict(ft.nblts.iter_classes())
    shown = []
    for name, cls in browser.nb_select.options:
        browser.nb_select.value = cls
        assert browser.selected is cls
        assert browser.nb_doc.value.startswith(f"<h1>{name}</h1>")
        assert browser.nb_details.value == cls.get_help()
        assert f"{name}.run()" in browser.nb_run_doc.value
        for option in cls.all_options():
            assert f"<b>{option}</b>" in browser.nb_run_doc.value
        shown.append((browser.nb_doc.value, browser.nb_run_doc.value, browser.nb_code.value))
    assert all(one != other for one, other in zip(*shown, strict=True))
    capsys.readouterr()
    browser.display()
    assert "VBox" in capsys.readouterr().out


def test_the_example_is_code_that_makes_the_notebooklet(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython

    cells: list[str] = []
    shell = SimpleNamespace(set_next_input=cells.append)
    browser = ft.browse()
    browser.nb_select.value = ft.NetworkFlowSummary
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    browser._insert_code(None)
    assert unescape(browser.nb_code.value) == f"<pre>{cells[0]}</pre>"
    space: dict[str, Any] = {"nb": ft}
    exec(cells[0].rpartition("network_flow_summary_result")[0], space)
    assert type(space["network_flow_summary"]) is ft.NetworkFlowSummary
    assert space["timespan"].period.days == 1


def test_without_widgets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    for browser in (ft.browse, ft.NBBrowser):
        with pytest.raises(MissingExtraError, match=r'pip install "flowtriage\[notebook\]"'):
            browser()


def test_the_browser_is_a_class_of_the_package() -> None:
    assert isinstance(ft.browse(), ft.NBBrowser)
    assert ft.NBBrowser().selected is ft.browse().selected

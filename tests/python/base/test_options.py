"""The options of a session: their names are msticnb's, their values hold until they are set."""

from __future__ import annotations

from typing import Any

import pytest

import flowtriage as ft
from flowtriage import options, sample
from flowtriage.errors import ArgumentError


@pytest.fixture(autouse=True)
def defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "_values", dict(options._values))


def test_options_are_set_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert [ft.get_opt(name) for name in ("verbose", "debug", "silent")] == [True, False, False]
    ft.set_opt("verbose", 0)  # type: ignore[arg-type]
    assert ft.get_opt("verbose") is False
    options.current()
    assert "verbose: False\n" in capsys.readouterr().out
    options.show()
    assert "verbose (default=True): " in capsys.readouterr().out
    assert ft.options is options


def test_a_temporary_value_comes_before_the_option() -> None:
    ft.set_opt("silent", True)
    ft.set_opt("temp_silent", False)
    assert ft.get_opt("silent") is False
    ft.set_opt("temp_silent", None)
    assert ft.get_opt("silent") is True


@pytest.mark.parametrize("value", ["False", None, [], "no"])
def test_text_is_no_value(value: Any) -> None:
    with pytest.raises(ArgumentError, match="option silent is True or False, got"):
        ft.set_opt("silent", value)
    assert ft.get_opt("silent") is False


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ArgumentError, match="unknown option 'silence'; did you mean silent"):
        ft.set_opt("silence", True)
    with pytest.raises(ArgumentError, match="unknown option 'no_option'"):
        ft.get_opt("no_option")


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("option", [False, True])
@pytest.mark.parametrize("notebooklet", [None, False, True])
@pytest.mark.parametrize("run", [None, False, True])
def test_a_run_is_silent_by_the_nearest_setting(
    option: bool, notebooklet: bool | None, run: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    nb = ft.NetworkFlowSummary(silent=notebooklet)
    ft.set_opt("silent", option)
    nb.run(sample.HOST_IP, data=sample.office_day(), options=[], silent=run)
    settings = [run, notebooklet, option]
    wanted = next(one for one in settings if one is not None)
    assert (capsys.readouterr().out == "") is wanted
    assert nb.silent is (option if notebooklet is None else notebooklet)
    nb.silent = None
    assert nb.silent is option


@pytest.mark.extra
def test_an_investigation_follows_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    ft.set_opt("silent", True)
    nb = ft.FlowThreatInvestigation(sample.office_day())
    nb.run(sample.BEACON.peer, options=["top_tables"])
    assert nb.silent
    assert capsys.readouterr().out == ""

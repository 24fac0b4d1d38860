"""The methods that every notebooklet has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
OWN = ["lookup_ti_for_asn_ips", "run", "select_asns", "show_selected_asn_map"]


@pytest.fixture
def nb() -> ft.NetworkFlowSummary:
    made = ft.NetworkFlowSummary(silent=True)
    made.run(sample.HOST_IP, data=sample.office_day(), options=["flow_summary"])
    return made


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> dict[str, ft.NBFunc]:
    functions: dict[str, ft.NBFunc] = {}
    monkeypatch.setattr(ft.NetworkFlowSummary, "_functions", functions)
    return functions


def test_methods_are_listed_with_their_descriptions() -> None:
    nb = ft.NetworkFlowSummary()
    assert list(nb.get_methods()) == OWN
    assert nb.get_methods()["run"] == nb.run
    listed = nb.list_methods()
    assert [text.split(" - ")[0] for text in listed] == OWN
    assert "run - 'Summarise the network flows of a host.'" in listed


def test_methods_of_a_subclass_are_its_own_as_well() -> None:
    class Mine(ft.NetworkFlowSummary):
        def extra(self) -> None:
            """Do more."""

    assert "extra - 'Do more.'" in Mine().list_methods()
    assert set(OWN) < set(Mine().get_methods())


def test_terms_are_found_in_what_the_class_says() -> None:
    match = ft.NetworkFlowSummary.match_terms
    assert match("host flow") == (True, 2)
    assert match("HOST, geo_map,ip_address") == (True, 3)
    assert match("host mailbox") == (False, 1)
    assert match("net.*summary ti(meli|nker)nes?") == (True, 2)
    assert match("host(") == (False, 0)
    assert match("") == (True, 0)


def test_settings_are_printed_or_returned(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ft.NetworkFlowSummary.get_settings(print_settings=False)
    assert settings is not None
    assert "name: NetworkFlowSummary\n" in settings
    assert "other_options: geo_map" in settings
    assert ft.NetworkFlowSummary.get_settings() is None
    assert capsys.readouterr().out == f"{settings}\n"


def test_options_and_keywords_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    ft.NetworkFlowSummary.print_options()
    assert capsys.readouterr().out.strip() == ft.NetworkFlowSummary.list_options().strip()
    assert ft.NetworkFlowSummary.keywords() == ["host", "computer", "network", "flow"]
    assert "host" in ft.NetworkFlowSummary.description().lower()


def test_result_data_is_checked(
    nb: ft.NetworkFlowSummary, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nb.check_valid_result_data()
    assert nb.check_valid_result_data("flow_index")
    assert capsys.readouterr().out == ""
    assert not nb.check_valid_result_data("geo_map")
    assert not nb.check_valid_result_data("no_such_attribute")
    assert "has no data in geo_map" in capsys.readouterr().out
    fresh = ft.NetworkFlowSummary()
    assert not fresh.check_valid_result_data(silent=True)
    assert capsys.readouterr().out == ""
    assert not fresh.check_valid_result_data("flow_index")
    assert "call run() first" in capsys.readouterr().out
    nb.run("192.0.2.77", data=sample.office_day(), options=["flow_summary"])
    assert not nb.check_valid_result_data("flow_index", silent=True)


def test_attached_functions_run_on_the_latest_result(
    nb: ft.NetworkFlowSummary, attached: dict[str, ft.NBFunc], capsys: pytest.CaptureFixture[str]
) -> None:
    def busiest(result: Any, value: str, n: int = 1) -> list[str]:
        """Name the busiest peers."""
        index = result.flow_index
        peers = index[index["source"] == value].nlargest(n, "TotalAllowedFlows")
        return list(peers["dest"])

    nb.add_nb_function(busiest, header="Busiest peers", text="By flows.", result_attrib="busiest")
    assert attached["busiest"].doc == "Name the busiest peers."
    (peer,) = nb.run_nb_func("busiest")
    assert nb.result is not None
    assert nb.result.busiest == [peer]  # type: ignore[attr-defined]
    section = nb.result.sections[-1]
    assert (section.title, section.text, section.contents) == (
        "Busiest peers",
        "By flows.",
        (f"['{peer}']",),
    )
    assert len(nb.run_nb_func("busiest", n=3)) == 3
    assert capsys.readouterr().out == ""
    nb.add_nb_function(ft.NBFunc(lambda **given: sorted(given), name="context"))
    given = ["data", "notebooklet", "options", "qry_prov", "result", "silent", "timespan", "value"]
    assert nb.run_nb_funcs() == {"busiest": [peer], "context": given}


def test_attached_functions_heed_options(
    nb: ft.NetworkFlowSummary, attached: dict[str, ft.NBFunc]
) -> None:
    nb.add_nb_function(ft.NBFunc(lambda: "mapped", name="on_map", options="geo_map"))
    nb.add_nb_function(ft.NBFunc(lambda: "seen", name="on_summary", options=["flow_summary"]))
    assert nb.run_nb_funcs() == {"on_map": None, "on_summary": "seen"}


def test_functions_are_named_by_text_and_belong_to_one_class(
    nb: ft.NetworkFlowSummary, attached: dict[str, ft.NBFunc]
) -> None:
    class Other(ft.NetworkFlowSummary):
        pass

    Other.add_nb_function("os.path:basename", name="base")
    assert "base" not in attached
    Other.add_nb_function("posixpath:split")
    assert list(Other._functions) == ["base", "split"]
    for text in ("no_such_module:f", "os.path:no_such", "basename"):
        with pytest.raises(ArgumentError, match="unknown function"):
            nb.add_nb_function(text)
    with pytest.raises(ArgumentError, match="takes no parameters \\(header\\)"):
        nb.add_nb_function(ft.NBFunc(len), header="x")
    with pytest.raises(ArgumentError, match="unknown function 'missing'; no function is attached"):
        nb.run_nb_func("missing")
    with pytest.raises(ArgumentError, match=r"call run\(\) first"):
        ft.NetworkFlowSummary().run_nb_func(ft.NBFunc(len))


def test_a_copy_in_a_cell_runs_as_the_class_does(monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[str] = []
    shell = SimpleNamespace(set_next_input=cells.append)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    ft.NetworkFlowSummary.import_cell()
    monkeypatch.undo()
    space: dict[str, Any] = {"__name__": "cell"}
    monkeypatch.setitem(sys.modules, "cell", SimpleNamespace(**space))
    exec(cells[0], space)
    copy = space["NetworkFlowSummary"]
    assert copy is not ft.NetworkFlowSummary
    assert copy.all_options() == ft.NetworkFlowSummary.all_options()
    run = {"data": sample.office_day(), "options": ["flow_summary"]}
    found = copy(silent=True).run(sample.HOST_IP, **run)
    expected = ft.NetworkFlowSummary(silent=True).run(sample.HOST_IP, **run)
    assert found.flow_index.equals(expected.flow_index)


def test_import_cell_in_ipython(tmp_path: Path) -> None:
    script = tmp_path / "session.ipy"
    script.write_text(
        "import flowtriage as ft\n"
        "shell = get_ipython()\n"
        "ft.NetworkFlowSummary.import_cell()\n"
        "print('class NetworkFlowSummary' in shell.rl_next_input)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "IPython", "--no-banner", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip().endswith("True"), done.stderr


def test_pivot_run_takes_its_timespan_from_elsewhere(nb: ft.NetworkFlowSummary) -> None:
    asked = []

    def get_timespan() -> Any:
        asked.append(1)
        return ("2000-01-01", "2000-01-02")

    run = nb.get_pivot_run(get_timespan)
    assert run.__doc__ == nb.run.__doc__
    found = run(sample.HOST_IP, data=sample.office_day(), options=[])
    assert found.network_flows.empty
    assert found.notebooklet is nb
    assert len(asked) == 1
    found = run(
        sample.HOST_IP, sample.office_day(), options=[], start="2000-01-01", end="2100-01-01"
    )
    assert not found.network_flows.empty
    assert len(asked) == 1

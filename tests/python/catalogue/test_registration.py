"""With msticnb 1.2.3: its tree, search, browser and pivots work with our notebooklets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.errors import MissingExtraError

pytest.importorskip("msticpy")

import azure_network
from azure_network import WEB

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
OURS = ["FlowThreatInvestigation", "NetworkFlowSummary"]


@pytest.fixture
def registered(msticnb: Any) -> Any:
    ft.register()
    return msticnb


@pytest.fixture
def started(registered: Any, tmp_path: Path) -> Any:
    """The library after its own `init` on LocalData."""
    azure_network.local_data(tmp_path, flows=azure_network.flows())
    registered.init(
        "LocalData",
        providers=["tilookup", "ipstacklookup"],
        LocalData_data_paths=[str(tmp_path)],
    )
    return registered


def test_ours_are_in_their_tree_and_index_beside_theirs(registered: Any) -> None:
    theirs = registered.nblts.azsent.network
    assert theirs.NetworkFlowSummary is ft.NetworkFlowSummary
    assert theirs.FlowThreatInvestigation is ft.FlowThreatInvestigation
    assert theirs.IpAddressSummary.__module__.startswith("msticnb.")
    assert hasattr(registered.nblts.azsent.host, "HostNetworkSummary")
    indexed = {name.rpartition(".")[2]: cls for name, cls in registered.nb_index.items()}
    assert [indexed[name] for name in OURS] == [getattr(ft, name) for name in OURS]
    assert indexed == dict(registered.nblts.iter_classes())


@pytest.mark.parametrize("times", [1, 2])
def test_they_stay_when_modules_are_discovered_again(msticnb: Any, times: int) -> None:
    for _ in range(times):
        ft.register()
    for tree in (msticnb.discover_modules(), msticnb.read_modules.discover_modules()):
        assert tree is msticnb.nblts
        assert tree.azsent.network.NetworkFlowSummary is ft.NetworkFlowSummary
    from msticnb.nb.azsent.network import network_flow_summary as module

    assert module.NetworkFlowSummary is not ft.NetworkFlowSummary
    assert ft.NetworkFlowSummary.module_path.startswith(str(Path(ft.__file__).parent))


def test_their_search_finds_ours(registered: Any) -> None:
    assert registered.find("storyboard") == [
        ("FlowThreatInvestigation", ft.FlowThreatInvestigation)
    ]
    assert ("NetworkFlowSummary", ft.NetworkFlowSummary) in registered.find("host, net.*")


def test_their_browser_shows_ours(registered: Any) -> None:
    browser = registered.browse()
    for name in OURS:
        browser.nb_select.value = getattr(ft, name)
        assert name in browser.nb_doc.value
        assert browser.nb_details.value == getattr(ft, name).get_help()
        assert "Default Options" in browser.nb_run_doc.value
        assert f"nb.nblts.azsent.network.{name}()" in browser.nb_code.value


def test_their_pivots_run_ours(started: Any) -> None:
    from msticpy.datamodel.entities import Host, IpAddress
    from msticpy.init.pivot import Pivot

    pivot = Pivot()
    earlier = pivot.timespan
    try:
        pivot.set_timespan(start=azure_network.START, end=azure_network.END)
        span = pivot.get_timespan()
        for entity, value in ((Host, "web"), (IpAddress, WEB)):
            found = entity.nblt.network_flow_summary(value=value)
            assert type(found) is ft.NetworkFlowResult
            assert found.timespan == span
            expected = ft.NetworkFlowSummary(silent=True).run(value, timespan=span)
            assert len(found.flow_index) >= 3
            assert found.flow_index.equals(expected.flow_index)
    finally:
        pivot.timespan = earlier


def test_runs_follow_their_option(started: Any, capsys: pytest.CaptureFixture[str]) -> None:
    nb = started.nblts.azsent.network.NetworkFlowSummary()
    span = {"start": azure_network.START, "end": azure_network.END}
    capsys.readouterr()
    started.set_opt("silent", True)
    nb.run("web", options=["flow_summary"], **span)
    assert capsys.readouterr().out == ""
    started.set_opt("silent", False)
    nb.run("web", options=["flow_summary"], **span)
    assert "Flow Index." in capsys.readouterr().out
    assert nb.data_providers is started.DataProviders.current()


def test_metadata_have_the_names_of_theirs(msticnb: Any) -> None:
    from msticnb.nb_metadata import NBMetadata

    about, theirs = ft.NetworkFlowSummary.metadata, NBMetadata()
    names = {name for name in dir(theirs) if not name.startswith("_")}
    assert {name for name in names if not hasattr(about, name)} == set()
    assert about.mod_name == ft.NetworkFlowSummary.__module__
    assert "value" in about.inputs
    assert [name for name, _ in about.get_options("default")] == list(about.default_options)
    assert about.get_options("other") == [("geo_map", about.other_options["geo_map"])]
    assert about.get_options() == about.get_options("default") + about.get_options("other")
    assert about.all_options == sorted(ft.NetworkFlowSummary.all_options())
    assert {"host", "flow", "geo_map", "ip_address", "NetworkFlowSummary"} <= about.search_terms
    assert about.options_doc == ft.NetworkFlowSummary.list_options()
    for text in ("Default Options", "Other Options", "geo_map"):
        assert text in about.options_doc
    with pytest.raises(ft.ArgumentError, match="unknown set of options 'most'"):
        about.get_options("most")


@pytest.mark.parametrize("order", ["ours, theirs", "theirs, ours", "ours, made, theirs"])
def test_ours_are_theirs_whichever_is_imported_first(order: str) -> None:
    steps = {
        "ours": "import flowtriage as ft; ft.Notebooklet",
        "made": "nb = ft.NetworkFlowSummary()",
        "theirs": "import msticnb",
    }
    code = "\n".join(steps[step] for step in order.split(", "))
    code += """
nb = nb if "nb" in globals() else ft.NetworkFlowSummary()
theirs = msticnb.notebooklet.Notebooklet
class Mine(ft.NetworkFlowSummary): pass
print(isinstance(nb, theirs), issubclass(ft.FlowThreatInvestigation, theirs),
      issubclass(ft.Notebooklet, theirs), issubclass(Mine, theirs),
      issubclass(ft.NotebookletResult, theirs), isinstance("nb", theirs),
      msticnb.nblts.azsent.network.NetworkFlowSummary is ft.NetworkFlowSummary
      if len(msticnb.nblts) else None)
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 4 + ["False"] * 2 + ["None"]


def test_registration_imports_msticnb_itself() -> None:
    code = (
        "import flowtriage; flowtriage.register(); import msticnb as nb\n"
        "print(nb.nblts.azsent.network.NetworkFlowSummary is flowtriage.NetworkFlowSummary)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_their_module_keeps_its_source(msticnb: Any) -> None:
    import inspect

    assert "class Notebooklet" in inspect.getsource(msticnb.notebooklet)


def test_without_msticnb_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msticnb", None)
    with pytest.raises(MissingExtraError, match="pip install msticnb"):
        ft.register()

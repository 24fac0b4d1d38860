"""Descriptions, copies, pickles and comparisons of results."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.network_flow_summary.result import _DisplayLater
from flowtriage.notebooklet.result import Lazy

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def result() -> ft.NetworkFlowResult:
    options = ["flow_summary", "plot_flow_values"]
    run = ft.NetworkFlowSummary(silent=True).run
    return run(sample.HOST_IP, data=sample.office_day(), options=options)


def test_attributes_are_described(result: ft.NetworkFlowResult) -> None:
    for name in result.properties:
        of_type, text = result.prop_doc(name)
        assert of_type
        assert text.endswith(".")
        assert f"<h4>{name}</h4><p>" in result._repr_html_()
    assert result.prop_doc("flow_index")[0] == "pandas.DataFrame"
    assert result.prop_doc("timespan")[1] == "The span of time that the result covers, in UTC."
    with pytest.raises(KeyError):
        result.prop_doc("colour")


def test_attributes_by_kind(result: ft.NetworkFlowResult) -> None:
    tables = ["network_flows", "flow_index", "flow_index_data", "flow_summary"]
    assert result.data_properties() == tables
    assert result.vis_properties() == ["plot_flow_values"]
    none = ft.NetworkFlowSummary(silent=True).run("192.0.2.7", data=sample.office_day())
    assert none.data_properties() == ["detector_status"]
    assert none.data_properties(empty=True) == ["findings", "detector_status", *tables]


def test_methods_of_the_notebooklet_are_reached_through_the_result(
    result: ft.NetworkFlowResult,
) -> None:
    assert result.run == result.notebooklet.run
    assert result.get_help() == ft.NetworkFlowSummary.get_help()
    assert result.options == ["plot_flow_values", "flow_summary"]
    assert result.silent is True
    assert result.metadata is ft.NetworkFlowSummary.metadata
    for name in ("colour", "_data_providers", "_private"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(result, name)


def run(**changes: Any) -> ft.NetworkFlowResult:
    arguments = {"value": sample.HOST_IP, "data": sample.office_day(), "options": ["+geo_map"]}
    return ft.NetworkFlowSummary(silent=True).run(**arguments | changes)


@pytest.fixture(scope="module")
def whole() -> ft.NetworkFlowResult:
    """A result with every attribute, and what follows a run."""
    result = run()
    result.select_asns()
    result.lookup_ti_for_asn_ips()
    drawing = result.show_selected_asn_map()
    drawing._ipython_display_ = _DisplayLater(drawing, cell=1)
    return result


def pickled(result: ft.NetworkFlowResult) -> ft.NetworkFlowResult:
    return pickle.loads(pickle.dumps(result))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_copies_have_all_data_and_go_on_by_themselves(
    whole: ft.NetworkFlowResult, copied: Callable[[Any], Any], tmp_path: Path
) -> None:
    made = copied(whole)
    assert type(made) is type(whole)
    assert made == whole
    assert made.properties == whole.properties
    assert made.vis_properties() == whole.vis_properties()
    assert made.notebooklet is (None if copied is pickled else whole.notebooklet)
    assert [one.title for one in made.sections] == [one.title for one in whole.sections]
    drawn = {id(part) for one in made.sections for part in one.contents}
    assert {id(getattr(made, name)) for name in made.vis_properties()} <= drawn
    assert made.plot_flow_values.document is None
    assert made.write_html(tmp_path / "report.html").stat().st_size > 100_000
    assert made.asn_selector.selected_items == whole.asn_selector.selected_items
    made.select_asns(["AS15169 Google LLC"])
    made.show_selected_asn_map()
    assert made.asn_selector.selected_items == ["AS15169 Google LLC"]
    assert whole.asn_selector.selected_items != ["AS15169 Google LLC"]
    assert made != whole
    if copied is not copy.copy:
        assert whole.geo_map_selected._ipython_display_.cell == 1
        assert copied(whole).geo_map_selected._ipython_display_.cell is None
    made.sections.clear()
    assert whole.sections


def test_deep_copies_and_pickles_share_nothing_that_changes(whole: ft.NetworkFlowResult) -> None:
    for made in (copy.deepcopy(whole), pickled(whole)):
        made.flow_index.loc[0, "dest"] = "192.0.2.1"
        made.host_entity.HostName = "other"
        assert made != whole
        assert made.plot_flow_values is not whole.plot_flow_values
    assert "192.0.2.1" not in set(whole.flow_index["dest"])
    assert copy.copy(whole).flow_index is whole.flow_index


def test_results_are_equal_by_their_data(result: ft.NetworkFlowResult) -> None:
    options = ["flow_summary", "plot_flow_values"]
    assert run(options=options) == result
    assert run(options=["flow_summary"]) != result
    assert run(options=options, value=sample.BEACON.peer) != result
    assert run(options=options, start="2020-01-01", end="2020-01-02") != result
    assert result != ft.NotebookletResult(description=result.description)
    assert result != "result"
    assert result.__eq__(object()) is NotImplemented
    with pytest.raises(TypeError, match="unhashable"):
        hash(result)


def test_comparison_never_raises() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ValueError("neither")

    one, other = (ft.NotebookletResult(description="x") for _ in range(2))
    assert one == other
    one.odd, other.odd = Odd(), Odd()  # type: ignore[attr-defined]
    assert one != other
    other.odd = one.odd  # type: ignore[attr-defined]
    assert one == other
    first, second = (ft.NetworkFlowResult(description="x") for _ in range(2))
    first.network_flows = Lazy(lambda: 1 / 0)
    assert first != second


def test_results_pickle_with_a_database_of_the_user(tmp_path: Path) -> None:
    from flowtriage.enrich.asn import bundled

    path = tmp_path / "asn.mmdb"
    path.write_bytes(Path(bundled().paths[0]).read_bytes())
    made = pickled(run(asn=str(path), options=["flow_summary"]))
    made.select_asns(["AS15169 Google LLC"])
    assert made.asn_selector.selected_items == ["AS15169 Google LLC"]
    assert pickle.loads(pickle.dumps(ft.AsnDatabase(path))).paths == [str(path)]
    assert pickle.loads(pickle.dumps(bundled())) is bundled()

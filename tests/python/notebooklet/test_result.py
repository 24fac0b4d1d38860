"""What a result tells of its attributes."""

from __future__ import annotations

import copy
import pickle

import pytest

import flowtriage as ft
from flowtriage import sample

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
    assert result.prop_doc("timespan")[1] == "The span of time that the result covers."
    with pytest.raises(KeyError):
        result.prop_doc("colour")


def test_attributes_by_kind(result: ft.NetworkFlowResult) -> None:
    tables = ["network_flows", "flow_index", "flow_index_data", "flow_summary"]
    assert result.data_properties() == tables
    assert result.vis_properties() == ["plot_flow_values"]
    none = ft.NetworkFlowSummary(silent=True).run("192.0.2.7", data=sample.office_day())
    assert none.data_properties() == []
    assert none.data_properties(empty=True) == tables


def test_methods_of_the_notebooklet_are_reached_through_the_result(
    result: ft.NetworkFlowResult,
) -> None:
    assert result.select_asns == result.notebooklet.select_asns
    for name in ("colour", "get_help", "_private"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(result, name)


def test_results_are_copied(result: ft.NetworkFlowResult) -> None:
    assert copy.copy(result).flow_index is result.flow_index
    alone = ft.NetworkFlowResult(description="alone")
    assert pickle.loads(pickle.dumps(alone)).description == "alone"

"""What notebooks for msticnb use of notebooklets and results, and its own tests of both."""

from __future__ import annotations

import pickle
import sys
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import (
    ArgumentError,
    MissingExtraError,
    MsticnbDataProviderError,
    MsticnbMissingParameterError,
)

pytest.importorskip("msticpy")

import pandas as pd
from msticpy.common.timespan import TimeSpan

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
CLASSES = [cls for _, cls in ft.nblts.iter_classes()]
DEFAULT = ["plot_flows", "plot_flow_values", "flow_summary", "resolve_host", "findings"]
TABLES = ("flow_index", "geo_map", "plot_flow_values")


def run(nb: ft.NetworkFlowSummary, **arguments: Any) -> ft.NetworkFlowResult:
    return nb.run(sample.HOST_IP, data=sample.office_day(), **arguments)


@pytest.fixture(scope="module")
def result() -> ft.NetworkFlowResult:
    return run(ft.NetworkFlowSummary(silent=True), options=["flow_summary"])


@pytest.mark.parametrize("cls", CLASSES)
def test_a_fresh_notebooklet(cls: type[ft.Notebooklet]) -> None:
    nb = cls(silent=True)
    assert nb.result is None
    assert nb.options == cls.default_options()
    assert isinstance(nb.timespan, TimeSpan)
    assert nb.timespan.period == timedelta(days=1)
    assert datetime.now(UTC) - nb.timespan.end < timedelta(minutes=5)
    assert Path(cls.module_path).read_text(encoding="utf-8").count(f"class {cls.__name__}(") == 1
    assert nb.module_path == cls.module_path


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_describes_itself(cls: type[ft.Notebooklet]) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    assert cls.name() == cls.__name__
    for listed in (cls.all_options(), cls.default_options(), cls.keywords(), cls.entity_types()):
        assert listed
    settings = cls.get_settings(print_settings=False) or ""
    for name in ("mod_name", "default_options", "keywords", "inputs"):
        assert f"{name}: " in settings
    tags = Tags()
    tags.feed(cls.get_help())
    assert tags.open == []
    assert cls.description()


def test_the_timespan_of_the_latest_run_is_kept() -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    span = TimeSpan(period="1D")
    assert run(nb, timespan=span, options=[]).timespan == span == nb.timespan
    other = TimeSpan(start=datetime(2026, 3, 2, tzinfo=UTC), period="12h")
    found = run(nb, start=other.start, end=other.end, options=[])
    assert isinstance(found.timespan, TimeSpan)
    assert found.timespan == other == nb.timespan
    with pytest.raises(ArgumentError):
        run(nb, start="soon")
    assert nb.timespan == other
    open_span = run(nb, start="2026-03-02", options=[]).timespan
    assert (open_span.start, open_span.end) == (datetime(2026, 3, 2, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("options", "used", "made"),
    [
        (None, DEFAULT, {"flow_index", "plot_flow_values"}),
        (["+geo_map"], [*DEFAULT, "geo_map"], set(TABLES)),
        (["-plot_flow_values"], [DEFAULT[0], *DEFAULT[2:]], {"flow_index"}),
        (["+geo_map", "-flow_summary"], [*DEFAULT[:2], *DEFAULT[3:], "geo_map"], set(TABLES[1:])),
        (["geo_map"], ["geo_map"], {"geo_map"}),
        ("flow_summary", ["flow_summary"], {"flow_index"}),
        ([], [], set()),
    ],
)
def test_options_of_the_latest_run(options: Any, used: list[str], made: set[str]) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    found = run(nb, options=options)
    assert nb.options == found.options == used
    assert {name for name in TABLES if getattr(found, name) is not None} == made


@pytest.mark.parametrize(
    "wrong", ["++geo_map", "+-geo_map", "--plot_flows", "*geo_map", "+", "-", "", "+ geo_map", 7]
)
def test_an_option_with_a_wrong_prefix_is_an_error(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="unknown options: .*in front of a name"):
        ft.NetworkFlowSummary.requested_options([wrong])
    with pytest.raises(ArgumentError, match="unknown options"):
        ft.NetworkFlowSummary.requested_options(["+geo_map", wrong])


@pytest.mark.parametrize("wrong", [5, pd.NA, float("nan"), [pd.NA], [["geo_map"]]])
def test_options_that_are_no_names_are_an_error(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match=r"options .* are not names|unknown options: "):
        run(ft.NetworkFlowSummary(silent=True), options=wrong)


def test_methods_without_documentation_are_listed() -> None:
    class Mine(ft.NetworkFlowSummary):
        def bare(self) -> None:
            pass

        def empty(self) -> None:
            """ """

    listed = Mine().list_methods()
    assert "bare - ''" in listed
    assert "empty - ''" in listed
    assert Mine().get_help()


def test_methods_are_listed_without_evaluating_properties() -> None:
    class Mine(ft.NetworkFlowSummary):
        @property
        def broken(self) -> float:
            return 1 / 0

        @cached_property
        def costly(self) -> float:
            return 1 / 0

        @classmethod
        def of_class(cls) -> None:
            """Belong to the class."""

        @staticmethod
        def alone() -> None:
            """Stand alone."""

    listed = Mine().list_methods()
    assert {"of_class - 'Belong to the class.'", "alone - 'Stand alone.'"} < set(listed)
    methods = set(Mine().get_methods())
    assert methods == {*ft.NetworkFlowSummary().get_methods(), "of_class", "alone"}


def test_flow_index_data_is_that_of_the_latest_result() -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    assert isinstance(nb.flow_index_data, pd.DataFrame)
    assert nb.flow_index_data.empty
    found = run(nb, options=["flow_summary"])
    assert nb.flow_index_data is found.flow_index_data
    run(nb, options=[])
    assert nb.flow_index_data.empty


def test_the_constructor_loads_providers_that_its_parameters_name(tmp_path: Path) -> None:
    path, blocked = tmp_path / "day.parquet", tmp_path / "blocked.txt"
    pyarrow.parquet.write_table(sample.office_day(), path)
    blocked.write_text("192.0.2.0/24\n", encoding="utf-8")
    with pytest.raises(MsticnbDataProviderError, match=r"no query provider.*flowtriage\.init"):
        ft.NetworkFlowSummary(blocklists_paths=blocked)
    nb = ft.NetworkFlowSummary(LocalFlows_paths=path, silent=True)
    assert nb.data_providers is ft.DataProviders.current()
    assert nb.query_provider.paths == [path]
    again = ft.NetworkFlowSummary(None, blocklists_paths=blocked, LocalFlows_paths="ignored")
    assert again.data_providers is nb.data_providers
    assert again.query_provider.paths == [path]
    assert "blocklists" in nb.data_providers.providers
    given = ft.DataProviders("LocalFlows", ["-tilookup"], LocalFlows_paths=path)
    ft.DataProviders("LocalFlows", ["tilookup"], LocalFlows_paths=path)
    made = ft.NetworkFlowSummary(given, blocklists_paths=blocked)
    assert made.get_provider("blocklists") is given["blocklists"]
    assert "blocklists" not in ft.DataProviders.providers
    for wrong in ({"workspace": "x"}, {"silence": True}, {"Splunc_host": "x"}):
        with pytest.raises(ArgumentError, match="unknown parameters .*such as LocalFlows_paths"):
            ft.NetworkFlowSummary(**wrong)


@pytest.mark.parametrize("cls", [ft.NotebookletResult, ft.NetworkFlowResult])
def test_results_are_made_as_those_of_msticnb(cls: type[ft.NotebookletResult]) -> None:
    assert cls().description == cls.__name__
    assert (cls().timespan, cls().notebooklet) == (None, None)
    span, nb = TimeSpan(period="2h"), ft.NetworkFlowSummary(silent=True)
    made = cls("Flows", span, nb)
    assert (made.description, made.timespan, made.notebooklet) == ("Flows", span, nb)
    made.related = pd.DataFrame({"a": [1, 2]})  # type: ignore[attr-defined]
    made.host_entity = {"host_name": "myhost"}  # type: ignore[attr-defined]
    made.timespan = ("2024-05-01", "2024-05-01")
    assert made.timespan.period == timedelta(days=1, microseconds=-1)
    for text in ("host_entity: {'host_name': 'myhost'}", "related: 2 rows"):
        assert text in str(made)
    assert {"host_entity", "related"} <= set(made.properties)
    assert "myhost" in made._repr_html_()
    assert pickle.loads(pickle.dumps(made)).timespan == made.timespan


def test_rows_are_browsed(result: ft.NetworkFlowResult) -> None:
    index = result.flow_index
    browser = result.view_events(["dest", "TotalAllowedFlows"], attrib="flow_index")
    assert len(browser.options) == len(index)
    for label, position in list(browser.options.items())[:20]:
        row = index.iloc[position]
        assert label.endswith(f"{row['dest']} - {row['TotalAllowedFlows']}")
        shown = browser.item_action(position)
        assert shown.loc["dest"].item() == row["dest"]
        assert set(shown.index) == set(row.dropna().index)
    assert next(iter(result.view_events("dest", "flow_index").options)).endswith(index["dest"][0])
    assert len(result.view_events(attrib="network_flows").options) == len(result.network_flows)


def test_rows_of_any_table_are_browsed(result: ft.NetworkFlowResult) -> None:
    table = pd.DataFrame(
        {"a": ["x", "x", None], "b": ["", " ", "z"], "TimeGenerated": pd.Timestamp("2024-05-01")},
        index=[7, 7, 7],
    )
    before = pd.get_option("display.max_rows")
    browser = result.view_events(summary_cols=["a"], data=table, height="90px")
    assert pd.get_option("display.max_rows") == before
    assert list(browser.options.values()) == [0, 1, 2]
    assert [label.partition(". ")[2] for label in browser.options] == [
        "2024-05-01 - x",
        "2024-05-01 - x",
        "2024-05-01 - None",
    ]
    assert list(browser.item_action(1).index) == ["a", "TimeGenerated"]
    assert list(browser.item_action(2).index) == ["b", "TimeGenerated"]


def test_rows_that_cannot_be_browsed(
    result: ft.NetworkFlowResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MsticnbMissingParameterError, match="attrib and data are missing"):
        result.view_events()
    for name in ("geo_map", "no_such", "description", "ti_results"):
        with pytest.raises(ArgumentError, match="no table with rows"):
            result.view_events(attrib=name)
    with pytest.raises(ArgumentError, match="no table with rows"):
        result.view_events(data=pd.DataFrame({"a": []}))
    with pytest.raises(ArgumentError, match="unknown columns: 'dst'; did you mean .*dest"):
        result.view_events(["dst"], attrib="flow_index")
    monkeypatch.setitem(sys.modules, "msticpy.nbwidgets", None)
    with pytest.raises(MissingExtraError, match="flowtriage"):
        result.view_events(attrib="flow_index")

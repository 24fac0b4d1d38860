"""Random flows in other types, chunks, slices and containers: the result of the plain form."""

from __future__ import annotations

import inspect
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrow_forms as forms
import flowtriage as ft
import fuzz_seeds as seeds
from flowtriage.enrich import BlockLists

pytest.importorskip("polars")
pytest.importorskip("duckdb")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
EXAMPLES = settings().max_examples
SEEDS = st.integers(0, 2**48)
PANDAS = [name for name in forms.OBJECTS if name.startswith("pandas")]


def report(source: Any) -> dict[str, Any]:
    made = ft.flow_report(source)
    return {"read": made.rows_read, "bad": made.rows_bad, "flows": made.flows} | {
        "quality": made.quality,
        "reversed": made.reversed,
    }


def written(source: Any, format: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"flows.{format}"
        ft.write_flows(source, path, format=format)
        return str(ft.read_flows(path).to_arrow()) if format == "parquet" else path.read_text()


def summarised(source: Any) -> list[Any]:
    result = ft.NetworkFlowSummary(silent=True).run(seeds.OWN, data=source)
    frames = (result.flow_index, result.flow_summary)
    return [None if frame is None else frame.to_csv() for frame in frames]


def investigated(source: Any) -> list[Any]:
    result = ft.FlowThreatInvestigation(source, silent=True).run(seeds.OWN)
    return [None if result.peers is None else result.peers.to_csv(), result.report.rows_bad]


READERS: dict[str, Callable[[Any], Any]] = {
    "flow_report": report,
    **{f"write_flows {f}": partial(written, format=f) for f in ("zeek", "ocsf", "asim", "parquet")},
}
"""Functions that read as `read_flows` does."""
NOTEBOOKLETS: dict[str, Callable[[Any], Any]] = {
    "NetworkFlowSummary": summarised,
    "FlowThreatInvestigation": investigated,
}


def check(name: str, function: Callable[[Any], Any], seed: int, *, reads: bool = False) -> None:
    """Compare a random form of random flows with the plain one.

    Frames of pandas and lists of rows are read as logs are; functions that `reads` read all so.
    """
    dice = random.Random(seed)
    plain = forms.random_flows(dice, rows=dice.choice((0, 1, 2, 5, 30)))
    containers = forms.STREAMS | forms.FRAMES | forms.OBJECTS
    chosen = dice.choice(list(containers))
    if chosen in PANDAS:
        pytest.importorskip("pandas")
    other = forms.in_other_form(plain, dice, portable=chosen in forms.FRAMES)
    source = containers[chosen](other)
    as_log = chosen in PANDAS or isinstance(source, list)
    expected = forms.outcome(
        (lambda flows: function(ft.read_flows(flows))) if as_log else function, plain
    )
    found = forms.outcome(function, source)
    if isinstance(found, type) and not reads and forms.may_refuse(name, other):
        return
    assert found == expected, (chosen, other.schema)


@pytest.mark.parametrize("name", forms.FUNCTIONS)
@given(seed=SEEDS)
def test_every_function_has_the_result_of_plain_flows(name: str, seed: int) -> None:
    check(name, forms.FUNCTIONS[name], seed)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=EXAMPLES // 3)
@given(seed=SEEDS)
def test_every_reader_has_the_result_of_plain_flows(name: str, seed: int) -> None:
    check(name, READERS[name], seed, reads=True)


@pytest.mark.extra
@pytest.mark.parametrize("name", NOTEBOOKLETS)
@settings(max_examples=EXAMPLES // 12)
@given(seed=SEEDS)
def test_every_notebooklet_has_the_result_of_plain_flows(name: str, seed: int) -> None:
    pytest.importorskip("msticpy")
    check(name, NOTEBOOKLETS[name], seed, reads=True)


@given(seed=SEEDS)
def test_a_search_in_any_form_has_the_same_peers(seed: int) -> None:
    dice = random.Random(seed)
    found = ft.expanded_search(forms.random_flows(dice, rows=dice.choice((0, 1, 5, 30))), seeds.OWN)
    containers = forms.STREAMS | forms.FRAMES
    chosen = dice.choice(list(containers))
    other = forms.in_other_form(found, dice, portable=chosen not in forms.STREAMS)
    peers = partial(ft.connection_sets, ip=seeds.OWN)
    result = forms.outcome(peers, containers[chosen](other))
    if isinstance(result, type) and forms.may_refuse("connection_sets", other):
        return
    assert result == forms.outcome(peers, found), (chosen, other.schema)


@pytest.mark.extra
@pytest.mark.parametrize("kind", [*forms.STREAMS, "pandas nullable"])
def test_flow_oa_ranks_any_form_of_a_day_alike(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("sklearn")
    from oa_work import run_day, sample_day, settings_in, snapshot

    flows = sample_day()[1].slice(0, 600)
    other = forms.in_other_form(flows, random.Random(kind), portable=kind in PANDAS)
    sources = {"plain": flows, "other": (forms.STREAMS | forms.OBJECTS)[kind](other)}
    ranked = []
    for name, source in sources.items():
        chosen = settings_in(tmp_path / name, iterations=2, topics=3)
        (tmp_path / name).mkdir()
        run_day(chosen, source)
        ranked.append(snapshot(ft.FlowStore(chosen.store.url))["flow_scores"])
    assert len(ranked[0]) == 30
    assert ranked[0] == ranked[1]


def test_every_public_function_of_flows_is_compared() -> None:
    functions = {name for name in ft.__all__ if inspect.isfunction(getattr(ft, name))}
    compared = {name.split()[0] for name in (*forms.FUNCTIONS, *READERS)}
    assert {name for name in functions - compared if takes_flows(name)} == {"connection_sets"}


def takes_flows(name: str) -> bool:
    parameters = inspect.signature(getattr(ft, name)).parameters
    return any(name in ("flows", "source", "data", "search") for name in parameters)


@settings(max_examples=EXAMPLES // 2)
@given(seed=SEEDS)
def test_a_flow_index_in_any_form_is_merged_into_itself(seed: int) -> None:
    dice = random.Random(seed)
    index = ft.flow_index(forms.random_flows(dice))
    other = forms.in_other_form(index, dice)
    result = forms.outcome(ft.flow_index, other)
    if isinstance(result, type) and forms.may_refuse("flow_index", other):
        return
    assert result == forms.plain(index), other.schema


@pytest.fixture(scope="module")
def look_ups(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Any], Any]]:
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_text("1.1.1.0/24\n2606:4700::/32\n10.20.0.5\n")
    (one,) = BlockLists(path).lists
    return {"AsnDatabase.lookup": ft.AsnDatabase().lookup, "BlockLists": one.find}


@given(seed=SEEDS)
def test_addresses_in_any_form_have_the_same_facts(
    look_ups: dict[str, Callable[[Any], Any]], seed: int
) -> None:
    import polars

    dice = random.Random(seed)
    size = dice.choice((0, 1, 3, 40))
    plain = pa.array([dice.choice((*forms.ADDRESSES, None)) for _ in range(size)], pa.string())
    column = forms.other_column(plain, dice)
    portable = forms.other_column(plain, dice, portable=True)
    sources = [column, column.combine_chunks(), column.to_pylist(), polars.Series(portable)]
    for look_up in look_ups.values():
        expected = forms.plain(look_up(plain))
        for source in sources:
            assert forms.outcome(look_up, source) == expected, column.type


def test_stitching_no_rows_keeps_the_columns_of_any_type() -> None:
    columns = {name: pa.array([], pa.string()) for name in ("src_ip", "dst_ip")}
    start = pa.array([], pa.timestamp("us", "UTC"))
    assert ft.stitch(pa.table({"start_time": start, **columns, "flows": pa.nulls(0)})).num_rows == 0


@pytest.mark.parametrize("name", [name for name in forms.FUNCTIONS if name != "read_flows"])
def test_times_as_text_are_refused_by_name_or_used(name: str) -> None:
    flows = pa.table(
        {"start_time": ["2026-03-02T00:00:00Z"], "src_ip": [seeds.OWN], "dst_ip": ["1.1.1.1"]}
        | {"dst_port": pa.array([443], pa.uint16()), "flows": [1]}
    )
    if name == "classify_direction":
        assert forms.FUNCTIONS[name](flows)["direction"].to_pylist() == ["outbound"]
        return
    with pytest.raises(ft.InputError, match='column "start_time" must hold timestamps'):
        forms.FUNCTIONS[name](flows)

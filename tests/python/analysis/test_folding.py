"""Folded tables: what is folded, the sums, the order, and what stays in view."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from flowtriage.analysis.folding import (
    FOLD_FLOWS,
    FOLD_FROM,
    fold_index,
    fold_summary,
    folded_addresses,
)
from flowtriage.render.cells import LIST_FULL
from flowtriage.render.html_tables import MAX_ROWS, html_table
from flowtriage.render.text_tables import text_table
from flowtriage.sample import SCHEMA
from html_page import Page
from many_findings import SERVER, flood

MEASURES = ("TotalAllowedFlows", "denied_flows", "src_bytes", "dst_bytes", "src_packets")


@pytest.fixture(scope="module")
def index() -> pa.Table:
    return ft.flow_index(flood(2_000))


def peers(count: int, flows: int = 1, **values: object) -> pa.Table:
    rows = [
        {
            "src_ip": "10.0.0.1",
            "dst_ip": f"203.{at // 250}.{at % 250}.5",
            "flows": flows,
            "src_bytes": at,
            **values,
        }
        for at in range(count)
    ]
    return ft.flow_index(pa.Table.from_pylist(rows, SCHEMA))


def test_a_flood_folds_into_one_row_with_its_sums(index: pa.Table) -> None:
    folded = fold_index(index)
    assert folded.count == 2_000
    assert folded.table.num_rows == 21
    first = folded.table.slice(0, 1).to_pylist()[0]
    assert (first["source"], first["dest"]) == ("2,000 addresses", SERVER)
    forged = index.filter(pc.equal(index["TotalAllowedFlows"], 1))
    assert forged.num_rows == 2_000
    for name in MEASURES:
        assert first[name] == pc.sum(forged[name]).as_py()
        assert pc.sum(folded.table[name]).as_py() == pc.sum(index[name]).as_py()
    assert first["first_seen"] == pc.min(forged["first_seen"]).as_py()
    assert first["last_seen"] == pc.max(forged["last_seen"]).as_py()
    assert folded.column_names == index.column_names
    assert folded.table.schema.equals(index.schema)


def test_a_folded_row_opens(index: pa.Table) -> None:
    folded = fold_index(index)
    assert set(folded.members) == {"source"}
    [(row, members)] = folded.members["source"].items()
    assert row == 0
    assert len(members) == LIST_FULL
    assert set(members) <= set(index["source"].to_pylist())
    page = Page(html_table(folded))
    assert "2,000 addresses" in page.texts("summary")
    assert page.texts("li") == [*members, "…"]
    assert "2,000 addresses" in text_table(folded)


def test_members_are_those_with_the_most_bytes() -> None:
    folded = fold_index(peers(FOLD_FROM + 100))
    [(_, members)] = folded.members["dest"].items()
    assert members[0] == "203.2.99.5"
    assert members[-1] == "203.0.100.5"


@pytest.mark.parametrize(
    ("index", "count"),
    [
        (peers(FOLD_FROM - 1), 0),
        (peers(FOLD_FROM), FOLD_FROM),
        (peers(FOLD_FROM, FOLD_FLOWS), FOLD_FROM),
        (peers(FOLD_FROM, FOLD_FLOWS + 1), 0),
        (peers(FOLD_FROM, FOLD_FLOWS, denied_flows=1), 0),
        (pa.concat_tables([peers(300, service="dns"), peers(300, service="ssl")]), 0),
        (peers(3).slice(0, 0), 0),
    ],
)
def test_many_rows_of_few_flows_and_one_pattern_fold(index: pa.Table, count: int) -> None:
    folded = fold_index(index)
    assert folded.count == count
    assert folded.table.num_rows == index.num_rows - count + bool(count)
    assert folded_addresses(index).to_pylist() == (index["dest"].to_pylist() if count else [])


def test_rows_of_findings_neither_fold_nor_fall_behind() -> None:
    many = ft.flow_index(
        pa.concat_tables([peers(FOLD_FROM + 50), peers(MAX_ROWS + 100, 9, service="ssl")])
    )
    last = "203.2.40.5"
    assert last not in fold_index(many).table["dest"].slice(0, MAX_ROWS).to_pylist()
    keep = pa.array([last])
    folded = fold_index(many, keep)
    assert folded.count == FOLD_FROM + 49
    first = folded.table.slice(0, MAX_ROWS)
    assert first["dest"].to_pylist().count(last) == 2
    flows = first["TotalAllowedFlows"].to_pylist()
    assert flows == sorted(flows, reverse=True)
    assert last not in folded_addresses(many, keep).to_pylist()


def test_networks_of_a_flood_fold(index: pa.Table) -> None:
    summary = ft.flow_summary(index)
    folded = fold_summary(summary)
    assert folded.count > FOLD_FROM
    assert folded.table.num_rows == summary.num_rows - folded.count + 1
    [(row, members)] = folded.members["SourceASN"].items()
    made = folded.table.slice(row, 1).to_pylist()[0]
    assert made["SourceASN"] == f"{folded.count:,} AS"
    assert set(members) <= set(summary["SourceASN"].to_pylist())
    for name in MEASURES:
        assert pc.sum(folded.table[name]).as_py() == pc.sum(summary[name]).as_py()
    labels = set(folded.table["SourceASN"].to_pylist()) - {made["SourceASN"]}
    gone = summary.filter(pc.invert(pc.is_in(summary["SourceASN"], pa.array(list(labels)))))
    expected = {address for row in gone["source_ips"].to_pylist() for address in row}
    assert set(made["source_ips"]) == expected
    assert made["dest_ips"] == [SERVER]
    kept = pa.array(gone["source_ips"][0].as_py()[:1])
    assert fold_summary(summary, kept).count == folded.count - 1


def test_sums_that_do_not_fit_are_unknown() -> None:
    row = {"src_ip": "10.0.0.1", "flows": 1, "src_bytes": 2**62}
    flows = [row | {"dst_ip": f"203.{at // 250}.{at % 250}.5"} for at in range(FOLD_FROM)]
    folded = fold_index(ft.flow_index(pa.Table.from_pylist(flows, SCHEMA)))
    assert folded.table["src_bytes"].to_pylist() == [None]


def test_what_is_folded_is_stated(index: pa.Table) -> None:
    assert fold_index(peers(3)).messages("rows", "result.flow_index") == []
    assert fold_index(index).messages("rows of peers", "result.flow_index") == [
        "2,000 rows of peers are folded into one row that opens, with up to 500 of them; "
        "result.flow_index has all."
    ]

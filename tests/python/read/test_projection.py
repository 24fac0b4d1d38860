"""Aggregates read only what they need, and say the same as those of flows that are read whole."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage.quality import QualityWarning

ADDRESSES = [
    *("10.0.0.1", "10.0.0.2", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:DB8:0::1"),
    *("::ffff:10.0.0.1", "::ffff:a00:2", " 10.0.0.1", "10.0.0.255", "224.0.0.1", "0.0.0.0"),
]
ODD = ["", None, "-", "N/A", "10.0.0", "x", "['192.0.2.1', '192.0.2.2']"]
PEERS = ["192.0.2.1|1|0|5|6|700|800 192.0.2.7", "192.0.2.1 192.0.2.2", "192.0.2.9,10.0.0.9"]
ROWS = 3_000


def azure(seed: int) -> pa.Table:
    """Make records in the columns that msticpy's query returns, with odd cells."""
    random_ = random.Random(seed)

    def cell(usual: Sequence[Any], odd: Sequence[Any]) -> Any:
        return random_.choice(odd if random_.random() < 0.03 else usual)

    rows = []
    for _ in range(ROWS):
        peer = cell(ADDRESSES, [*ODD, *PEERS])
        start = 1_772_409_600_000_000 + random_.randrange(86_400_000_000)
        rows.append(
            {
                "FlowStartTime": cell([start], [None]),
                "FlowEndTime": start + random_.randrange(-5, 600) * 1_000_000,
                "VMName": cell(["vm1", "vm2"], ODD),
                "VMIPAddress": cell(ADDRESSES, ODD),
                "PublicIPs": cell([peer], [*ODD, *PEERS]),
                "L4Protocol": cell(["T", "U", "tcp"], ODD),
                "L7Protocol": cell(["https", "dns", " ntp "], ODD),
                "DestPort": cell([443, 53], [0, 65_535, 65_536, -1, None]),
                "FlowDirection": cell(["I", "O", "inbound"], ["", None, "sideways", "U"]),
                "AllowedOutFlows": cell([0, 3], [None, -1]),
                "AllowedInFlows": cell([0, 2], [None]),
                "AllExtIPs": peer,
                "TotalAllowedFlows": cell([1, 5], [None]),
            }
        )
    table = pa.Table.from_pylist(rows)
    for name in ("FlowStartTime", "FlowEndTime"):
        index = table.column_names.index(name)
        table = table.set_column(index, name, table[name].cast(pa.timestamp("us", "UTC")))
    return table


def dictionaries(table: pa.Table) -> pa.Table:
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def said(function: Callable[[], pa.Table]) -> tuple[pa.Table, list[str]]:
    """Return the result, and the warnings without the name of the source."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    texts = [str(warning.message).partition(": ")[2] for warning in caught]
    return result, [text.partition("; the first: ")[0] for text in texts]


def parquet(table: pa.Table, folder: Path, **options: Any) -> Path:
    path = folder / "flows.parquet"
    pq.write_table(table, path, **options)
    return path


QUESTIONS: dict[str, Callable[[Any], pa.Table]] = {
    "index": ft.flow_index,
    "summary": ft.flow_summary,
    "timeline": lambda flows: ft.timeline(flows, by="L7Protocol"),
    "timeline by a column that the log lacks": lambda flows: ft.timeline(flows, by="state"),
    "top hosts": lambda flows: ft.top_n(flows, key="host", by="flows"),
    "top ports": lambda flows: ft.top_n(flows, key=["dst_port", "protocol"], by="flows"),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_every_form_of_a_table_has_the_answer_of_flows_read_whole(
    question: str, seed: int, tmp_path: Path
) -> None:
    ask, table = QUESTIONS[question], azure(seed)
    flows, report = said(lambda: ft.read_flows(table))[0], ft.read_flows(table).report
    assert report.rows_bad > 20 and report.rows_repeated > 20 and report.rows_reversed > 20
    expected = ask(flows)
    answers = {
        "table": table,
        "chunks": pa.concat_tables([table.slice(0, 7), table.slice(7, 900), table.slice(907)]),
        "dictionaries": dictionaries(table),
        "reader": table.to_reader(max_chunksize=100),
        "Parquet": parquet(table, tmp_path, row_group_size=700),
    }
    stated = []
    for form, source in answers.items():
        answer, warned = said(lambda source=source: ask(source))  # type: ignore[misc]
        assert answer.equals(expected), form
        stated.append(warned)
    assert all(warned == stated[0] for warned in stated)
    assert f"{report.rows_bad:,} of {report.rows_read:,} rows" in stated[0][0]


@pytest.mark.parametrize("seed", range(3))
def test_a_dataframe_of_shared_strings_has_the_answer_of_flows_read_whole(seed: int) -> None:
    table = pa.concat_tables([azure(seed)] * 12)
    frame = table.to_pandas()
    plain = frame.copy()
    for name in ("VMIPAddress", "AllExtIPs"):
        # The same strings, each of them an object of its own.
        plain[name] = [None if text is None else f"{text}."[:-1] for text in frame[name]]
    expected = ft.flow_index(said(lambda: ft.read_flows(table))[0])
    for form in (frame, plain):
        assert said(lambda form=form: ft.flow_index(form))[0].equals(expected)  # type: ignore[misc]


def test_columns_that_are_not_needed_are_not_read(tmp_path: Path) -> None:
    table = said(lambda: ft.read_flows(azure(1)))[0].to_arrow()
    broken = pa.array([b"\xff"] * len(table)).view(pa.binary()).cast(pa.string(), safe=False)
    path = parquet(table.set_column(table.column_names.index("state"), "state", broken), tmp_path)
    assert ft.flow_index(path).equals(ft.flow_index(table))
    with pytest.warns(QualityWarning, match="is not UTF-8"):
        assert not ft.top_n(path, key="state", by="flows").num_rows

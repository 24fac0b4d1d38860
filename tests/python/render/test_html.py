"""The page and its tables: complete, self-contained, readable, escaped."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.render import html_table, write_page
from flowtriage.render.assets import asset
from flowtriage.render.plots import PLOT_NOTE
from flowtriage.render.section import Section
from html_page import Page

pytestmark = pytest.mark.extra

HOSTILE = "</td></script><script>alert(1)</script>\"><img src=x onerror=alert(1)>'&amp;"
DASH = "\N{EN DASH}"


def column(name: str, values: pa.Array) -> list[str]:
    """Show one column and return the text of its cells."""
    return Page(html_table(pa.table({name: values}))).texts("td")


def write(tmp_path: Path, *contents: object, **options: Any) -> tuple[Path, Page]:
    section = Section("Part", "Why.\n\nAnd how.", 2, contents)
    file = write_page([section], tmp_path / "report.html", title="T", summary={}, **options)
    return file, Page(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("flows", [1, 1_234_567, None], ["1", "1,234,567", DASH]),
        ("src_bytes", [999, 1_500, None], ["999 B", "1.5 kB", DASH]),
        ("TotalBytes", [10**12], ["1 TB"]),
        ("dst_port", [50123], ["50123"]),
        ("DestPort", [50123], ["50123"]),
        ("srcport", [50123], ["50123"]),
        ("bytes_from_peer", [1_500], ["1.5 kB"]),
        ("reports", [50123], ["50,123"]),
        ("asn", [4_200_000_000], ["4200000000"]),
        ("flows", [1.0, 2500.0, None], ["1", "2,500", DASH]),
        ("score", [0.123456, 12345.67, 2.5e-7, 0.0], ["0.1235", "12,345.7", "2.5e-07", "0"]),
        ("score", [float("nan"), float("inf"), -float("inf")], [DASH, "∞", "-∞"]),
        ("score", [None, None], [DASH, DASH]),
        ("denied", [True, False, None], ["yes", "no", DASH]),
        ("raw", [b"\x00\xff"], ["00ff"]),
        ("name", ["a\u202eb", "", None], ["a\\u202eb", "", DASH]),
        ("day", [dt.date(2026, 3, 2)], ["2026-03-02"]),
    ],
)
def test_cells_read_well(name: str, values: list[Any], shown: list[str]) -> None:
    assert column(name, pa.array(values)) == shown


@pytest.mark.parametrize(
    ("micros", "zone", "shown"),
    [
        ([0, None, 1_000_000], "UTC", "1970-01-01 00:00:00|-|1970-01-01 00:00:01"),
        ([0, 500_000], None, "1970-01-01 00:00:00.000|1970-01-01 00:00:00.500"),
        ([1], "Asia/Tokyo", "1970-01-01 00:00:00.000001"),
    ],
)
def test_times_are_utc_with_no_more_fraction_than_needed(
    micros: list[int | None], zone: str | None, shown: str
) -> None:
    moments = pa.array(micros, pa.int64()).cast(pa.timestamp("us", zone))
    assert "|".join(column("at", moments)).replace(DASH, "-") == shown
    heading = Page(html_table(pa.table({"at": moments}))).texts("th")
    assert heading == ["at UTC" if zone else "at"]


def test_exact_bytes_are_in_the_title_and_order_is_numeric() -> None:
    page = Page(html_table(pa.table({"bytes": [1_234_567, 12]})))
    assert page.attributes("title") == ["1,234,567 bytes", "12 bytes"]
    assert page.attributes("data-sort") == ["1234567", "12"]
    assert page.attributes("class").count("ft-num") == 3


def test_long_lists_fold() -> None:
    lists = pa.array([["a", "b"], [f"10.0.0.{at}" for at in range(40)], [], None, ["x"] * 700])
    page = Page(html_table(pa.table({"source_ips": lists})))
    short, long, empty, null, huge = page.texts("td")
    assert (short, empty, null) == ("a, b", "", DASH)
    assert page.texts("summary")[0] == (
        "10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 … 35 more"
    )
    assert long.endswith("10.0.0.39")
    assert huge.count("x") == 505
    assert huge.endswith("… 200 more")


def test_lists_of_many_rows_are_shortened() -> None:
    many = pa.array([[f"10.0.0.{at}" for at in range(200)]] * 400)
    page = Page(html_table(pa.table({"source_ips": many})))
    assert page.texts("td")[0].endswith("10.0.0.24… 175 more")
    assert many[0].as_py()[-1] == "10.0.0.199"


def test_long_text_folds() -> None:
    [cell] = column("whois", pa.array(["word " * 100]))
    assert cell.endswith("word " * 100)
    assert len(cell) > 600


@pytest.mark.parametrize(("rows", "sentence"), [(0, "No rows"), (1, "1 row"), (1200, "1,200 rows")])
def test_the_number_of_rows_is_shown(rows: int, sentence: str) -> None:
    page = Page(html_table(pa.table({"n": list(range(rows))}), max_rows=2000))
    assert page.texts("p") == [sentence]
    assert len(page.texts("td")) == rows


def test_only_the_first_rows_are_shown_with_the_total() -> None:
    page = Page(html_table(pa.table({"n": list(range(1201))})))
    assert page.texts("p") == ["First 500 of 1,201 rows"]
    assert page.texts("td")[-1] == "499"


def test_dictionaries_and_chunks_are_plain_values() -> None:
    words = pa.chunked_array(
        [pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()]
    )
    assert column("word", words) == ["a", "b"]


def test_frames_of_any_content_are_shown() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "mixed": [2**70, "two\ud800", None],
            "sets": [{"b", "a"}, set(), None],
            "lists": [["x"], [], None],
            "flows": [1, None, 3],
            7: [HOSTILE, "", None],
        }
    )
    page = Page(html_table(frame))
    assert page.texts("th") == ["mixed", "sets", "lists", "flows", "7"]
    assert page.texts("td")[:6] == [str(2**70), "a, b", "x", "1", HOSTILE, "two\\ud800"]
    assert page.texts("td")[10:] == [DASH] * 3 + ["3", DASH]
    named = frame.head(0).set_index(pd.Index([], name="mixed"))
    assert Page(html_table(named)).texts("th", "p")[:3] == ["No rows", "mixed", "mixed"]


@pytest.mark.parametrize("thing", [{"a": 1}, "text", None, [1]])
def test_other_objects_are_rejected(thing: object) -> None:
    with pytest.raises(TypeError, match="expected a table"):
        html_table(thing)


def test_a_table_styles_nothing_else_on_the_page() -> None:
    [style] = Page(html_table(pa.table({"a": [1]}))).texts("style")
    rules = re.findall(r"([^{}]+)\{", re.sub(r"@media print\s*\{", "", style))
    selectors = [one.strip() for rule in rules for one in rule.split(",")]
    assert len(selectors) > 10
    assert all(selector.startswith(".ft-table") for selector in selectors)


def test_everything_is_escaped(tmp_path: Path) -> None:
    table = pa.table({HOSTILE: [HOSTILE], "list": [[HOSTILE] * 6], "score": [1.5]})
    file = write_page(
        [Section(HOSTILE, HOSTILE, 1, (table, HOSTILE))],
        tmp_path / "report.html",
        title=HOSTILE,
        summary={HOSTILE: HOSTILE},
    )
    page = Page(file.read_text(encoding="utf-8"))
    assert "img" not in [tag for tag, *_ in page.tags]
    assert page.texts("script") == [asset("plots.js"), asset("tables.js")]
    for tag in ("title", "h1", "h2", "dt", "dd", "td"):
        assert HOSTILE in page.texts(tag), tag
    assert page.texts("p")[1:2] == [HOSTILE]
    assert page.texts("p")[-1] == HOSTILE


def test_contents_lead_to_the_headings(tmp_path: Path) -> None:
    sections = [Section("One", level=1), Section("Two", "Text."), Section("Three", level=9)]
    file = write_page(sections, tmp_path / "r.html", title="All", summary={"Host": "h1"})
    page = Page(file.read_text(encoding="utf-8"))
    found = {attrs.get("id"): (tag, "".join(text)) for tag, attrs, text in page.tags}
    links = [target for target in page.attributes("href") if target.startswith("#")]
    assert [found[link.removeprefix("#")] for link in links] == [
        ("h2", "One"),
        ("h3", "Two"),
        ("h6", "Three"),
    ]
    assert page.texts("dt", "dd") == ["Host", "h1"]


def test_the_page_makes_no_requests(tmp_path: Path) -> None:
    bokeh_plotting = pytest.importorskip("bokeh.plotting")
    plot = bokeh_plotting.figure(title="</script><script>alert(1)</script>")
    plot.scatter([1, 2], [3, 4])
    file, page = write(tmp_path, plot, pa.table({"a": [1]}), plot)
    assert page.attributes("src") == []
    assert [link for link in page.attributes("href") if link[0] != "#"] == ["data:,"]
    [policy] = [text for text in page.attributes("content") if "default-src" in text]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    running = [
        "".join(text)
        for tag, attrs, text in page.tags
        if tag == "script" and attrs.get("type") != "application/json"
    ]
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in running]
    assert directives["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert len(page.texts("script")) == len(running) + 2
    assert page.texts("figure") == [PLOT_NOTE, PLOT_NOTE]
    assert file.stat().st_size < 2_000_000
    assert plot.document is None


def test_without_plots_the_report_is_small(tmp_path: Path) -> None:
    file, page = write(tmp_path, pa.table({"a": [1, 2, 3]}), "Plain text.", max_rows=2)
    assert file.stat().st_size < 20_000
    assert page.texts("p") == [
        "The plots need JavaScript; the tables can be read without it.",
        "Why.",
        "And how.",
        "First 2 of 3 rows",
        "Plain text.",
    ]


def test_the_locations_of_a_map_are_listed(tmp_path: Path) -> None:
    class Map:
        places = pa.table({"address": ["192.0.2.7"]})

    _, page = write(tmp_path, Map())
    assert page.texts("td") == ["192.0.2.7"]
    assert any("needs a map server" in text for text in page.texts("p"))


def test_a_failed_report_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = write(tmp_path, "old")
    before = file.read_bytes()
    with pytest.raises(TypeError, match="cannot show object, in section 'Part'"):
        write(tmp_path, object())

    def fail(*_: object) -> None:
        raise PermissionError("no")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fail)
        with pytest.raises(PermissionError):
            write(tmp_path, "new")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == before
    assert "new" in write(tmp_path, "new")[1].texts("p")


def test_tables_need_pyarrow_only() -> None:
    code = (
        "import sys\n"
        "for name in ('pandas', 'bokeh', 'jinja2', 'numpy', 'msticpy'): sys.modules[name] = None\n"
        "import pyarrow as pa\n"
        "from flowtriage.render import html_table\n"
        "print(html_table(pa.table({'a': ['<b>'], 'src_bytes': [2000]})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "&lt;b&gt;" in done.stdout
    assert "2 kB" in done.stdout

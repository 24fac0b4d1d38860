"""The page in a real Chromium: it draws, reacts, and runs no untrusted script."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("bokeh")
pytest.importorskip("playwright")
pytest.importorskip("PIL")

from PIL import Image

import flowtriage as ft
from flowtriage import sample
from flowtriage.render import write_page
from flowtriage.render.section import Section
from flowtriage.viz.colours import protocol_colours
from flowtriage.viz.timelines import plot_flow_values, plot_flows_by_protocol

pytestmark = pytest.mark.browser

SCRIPT = "<script>alert(1)</script>"
NAMES = [
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "@{flows}",
    "$$\\frac{1}{2}$$",
    "</script><script>alert(1)</script>",
    "dns",
]
BINS = 12


@dataclass
class Visit:
    """An open page and everything it did which it should not."""

    page: Any
    trouble: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def shot(self, selector: str) -> np.ndarray:
        """Take a picture of an element: height by width by red, green and blue."""
        data = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def flows() -> pa.Table:
    start = 1_772_409_600_000_000 + np.repeat(np.arange(BINS), len(NAMES)) * 600_000_000
    moment = pa.timestamp("us", "UTC")
    count = pa.array(np.tile(np.arange(len(NAMES), 0, -1) * 100, BINS))
    return pa.table(
        {
            "bin_start": pa.array(start).cast(moment),
            "bin_end": pa.array(start + 600_000_000).cast(moment),
            "series": pa.array(NAMES * BINS),
            "flows": count,
            "denied_flows": pa.array([2] * len(count)),
            "src_bytes": count,
            "dst_bytes": count,
        }
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hosts = pa.table(
        {
            "host": [*NAMES[:5], "alpha", "beta", "gamma"],
            "src_bytes": [5, 40_000, 300, None, 2_000_000, 7, 1_000, 999],
            "ips": [[f"10.0.0.{at}" for at in range(12)]] * 8,
        }
    )
    sections = [
        Section("Quantity", SCRIPT, 1, (plot_flow_values(flows()),)),
        Section("Protocols", "", 2, (plot_flows_by_protocol(flows()),)),
        Section("Hosts", "", 2, (hosts,)),
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_page(sections, path, title=SCRIPT, summary={"Host": SCRIPT})


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_the_report_of_the_demo_has_no_error(browser: Any, tmp_path: Path) -> None:
    result = ft.NetworkFlowSummary(silent=True).run(sample.HOST_NAME, data=sample.office_day())
    path = result.write_html(tmp_path / "report.html")
    page = browser.new_page()
    trouble: list[str] = []
    requests: list[str] = []
    page.on("console", lambda m: m.type in ("error", "warning") and trouble.append(m.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("window.Bokeh && Bokeh.documents.length === 3")
    page.wait_for_function("Bokeh.documents.every((one) => one.is_idle)")
    assert page.locator("main h2, main h3").all_inner_texts()[:1] == ["Host Network Summary"]
    assert page.locator("figure").count() == 3
    assert page.locator("table:not(details table)").count() == 2
    assert page.get_by_text("IP Geolocation by DB-IP").get_attribute("href") == "https://db-ip.com"
    page.close()
    assert trouble == []
    assert requests == [path.as_uri()]


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    visit = Visit(page)

    def listen(message: Any) -> None:
        if message.type in ("error", "warning"):
            visit.trouble.append(message.text)

    def dismiss(dialog: Any) -> None:
        visit.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", listen)
    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: visit.trouble.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_function("window.Bokeh && Bokeh.documents.length === 2")
    page.wait_for_function("Bokeh.documents.every((one) => one.is_idle)")
    page.wait_for_timeout(300)
    yield visit
    page.close()
    assert visit.trouble == []
    assert visit.requests == [report.as_uri()]


def rgb(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def spots(picture: np.ndarray, colour: str) -> np.ndarray:
    """Return (y, x) of all pixels of exactly this colour."""
    return np.argwhere((picture == rgb(colour)).all(axis=2))


def swatch(picture: np.ndarray, colour: str) -> tuple[float, float]:
    """Return (x, y) of the middle of the swatch in the legend, which is the rightmost thing."""
    found = spots(picture, colour)
    nearby = found[found[:, 1] > found[:, 1].max() - 12]
    y, x = nearby.mean(axis=0)
    return float(x), float(y)


def test_plots_are_drawn_in_the_colours_of_their_series(visit: Visit) -> None:
    colours = protocol_colours(NAMES)
    for plot in ("#plot-1", "#plot-2"):
        assert visit.page.locator(f"{plot} canvas").count() >= 2
        picture = visit.shot(plot)
        for name in NAMES:
            assert len(spots(picture, colours[name])) > 50, (plot, name)


def test_a_click_in_the_legend_hides_a_series_and_brings_it_back(visit: Visit) -> None:
    colour = protocol_colours(NAMES)[SCRIPT]
    before = visit.shot("#plot-1")
    x, y = swatch(before, colour)
    frame = slice(None), slice(0, int(x) - 20)
    place = {"x": x, "y": y}
    assert len(spots(before[frame], colour)) > 5_000
    visit.page.locator("#plot-1").click(position=place)
    visit.page.wait_for_timeout(400)
    assert len(spots(visit.shot("#plot-1")[frame], colour)) == 0
    visit.page.locator("#plot-1").click(position=place)
    visit.page.wait_for_timeout(400)
    assert len(spots(visit.shot("#plot-1")[frame], colour)) > 5_000


@pytest.mark.parametrize("name", NAMES)
def test_the_hover_box_of_a_bar_shows_names_as_text(visit: Visit, name: str) -> None:
    picture = visit.shot("#plot-1")
    found = spots(picture[:, : picture.shape[1] // 2], protocol_colours(NAMES)[name])
    y, x = found[len(found) // 2]
    check_hover_box(visit, "#plot-1", (x, y), name)


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_the_hover_box_of_a_lane_shows_names_as_text(visit: Visit, at: int) -> None:
    picture = visit.shot("#plot-2")
    top_lane = spots(picture[:, : picture.shape[1] // 2], protocol_colours(NAMES)[NAMES[0]])
    y, x = top_lane.max(axis=0) - 5
    check_hover_box(visit, "#plot-2", (x, y + 26 * at), NAMES[at])


def check_hover_box(visit: Visit, plot: str, place: tuple[int, int], name: str) -> None:
    visit.page.locator(plot).hover(position={"x": int(place[0]), "y": int(place[1])})
    values = visit.page.locator(".bk-Tooltip span[data-value]:visible")
    values.first.wait_for()
    shown = values.all_inner_texts()
    assert shown[0] == name
    assert re.fullmatch(r"2026-03-02 0\d:\d0 . 0\d:\d0 UTC", shown[1])
    assert shown[2:4] == [f"{(len(NAMES) - NAMES.index(name)) * 100}", "2"]
    assert visit.page.locator("img").count() == 0


def cells(visit: Visit, at: int) -> list[str]:
    rows = visit.page.locator(".ft-table tbody tr:visible")
    return [row.locator("td").nth(at).inner_text() for row in rows.all()]


def test_a_click_on_a_header_sorts_by_value_and_nulls_stay_last(visit: Visit) -> None:
    ascending = ["5 B", "7 B", "300 B", "999 B", "1 kB", "40 kB", "2 MB"]
    heading = visit.page.get_by_role("button", name="src_bytes")
    heading.click()
    assert cells(visit, 1) == [*ascending, "\N{EN DASH}"]
    column = visit.page.get_by_role("columnheader", name="src_bytes")
    assert column.get_attribute("aria-sort") == "ascending"
    heading.press("Enter")
    assert cells(visit, 1) == [*ascending[::-1], "\N{EN DASH}"]
    assert column.get_attribute("aria-sort") == "descending"
    visit.page.get_by_role("button", name="host").click()
    assert cells(visit, 0)[-3:] == ["alpha", "beta", "gamma"]
    assert column.get_attribute("aria-sort") is None


def test_the_filter_keeps_rows_with_the_text(visit: Visit) -> None:
    search = visit.page.get_by_role("searchbox")
    search.fill("ALERT(1)</SCRIPT>")
    assert cells(visit, 0) == [SCRIPT, NAMES[4]]
    assert visit.page.locator(".ft-count").inner_text() == "2 of 8 rows shown"
    search.fill("nowhere")
    assert cells(visit, 0) == []
    search.fill("")
    assert len(cells(visit, 0)) == 8
    assert visit.page.locator(".ft-count").inner_text() == "8 rows"


def test_a_long_list_unfolds(visit: Visit) -> None:
    row = visit.page.locator("tbody tr").first
    assert "10.0.0.11" not in row.inner_text()
    row.locator("summary").click()
    assert "10.0.0.11" in row.inner_text()


def test_untrusted_text_is_shown_and_not_run(visit: Visit) -> None:
    assert visit.page.title() == SCRIPT
    assert visit.page.locator("h1").inner_text() == SCRIPT
    assert visit.page.locator("section p").first.inner_text() == SCRIPT
    assert cells(visit, 0)[:5] == NAMES[:5]


def test_the_policy_stops_a_script_that_got_in(visit: Visit) -> None:
    visit.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.intruder = 1";
          const image = document.createElement("div");
          image.innerHTML = "<img src=x onerror='window.intruder = 2'>";
          document.body.append(script, image);
        }"""
    )
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("window.intruder") is None
    assert len(visit.trouble) >= 2
    assert all("Content Security Policy" in text for text in visit.trouble)
    visit.trouble.clear()
    del visit.requests[1:]


@pytest.mark.parametrize("width", [1280, 700, 390])
def test_nothing_sticks_out_of_the_page(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.page.wait_for_timeout(400)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width

"""The page of a story in Chromium: plots are drawn, untrusted text is not executed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("bokeh")
pytest.importorskip("jinja2")
pytest.importorskip("playwright")
pytest.importorskip("PIL")

from PIL import Image

from connection_sets import connection_sets, peer
from flowtriage.threat_investigation import open_bundle
from flowtriage.threat_investigation.story import Input, Story
from flowtriage.threat_investigation.story.bundle import write_bundle
from flowtriage.threat_investigation.story.globe import Globe, Location
from flowtriage.threat_investigation.story.page import write_story
from threat_story import IP, SECRETS, story

pytestmark = pytest.mark.browser

ATTACKS = [
    "<script>window.ran = 1</script>",
    '"><img src=x onerror="window.ran = 1">',
    "</script><script>window.ran = 1</script>",
    "$$\\frac{1}{2}$$ @{peers} {{ 7 * 7 }}",
    "`);window.ran = 1;(`${window.ran = 1}",
]


def hostile() -> Story:
    """A story with every attack in every text that it has."""
    rows = [
        peer(
            f"8.8.8.{at}",
            "outbound",
            context=text,
            location=text,
            as_name=text,
            domain=text,
            latitude=10.0 * at,
            longitude=0.0,
        )
        for at, text in enumerate(ATTACKS)
    ]
    notes = pa.table({"saved": ATTACKS, "title": ATTACKS, "text": ATTACKS})
    everything = "\n".join(ATTACKS)
    return replace(
        story(),
        title=ATTACKS[0],
        text=everything,
        peers=connection_sets(*rows),
        history=notes,
        scored=notes,
        origin=Location(IP, 8.0, 47.0, ATTACKS[1]),
        configuration={everything: everything, "password": SECRETS[0]},
        inputs=(Input(everything, "ab" * 32, 1),),
    )


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """A page that loads files only; errors and dialogs fail the test."""
    page, trouble = browser.new_page(viewport={"width": 1280, "height": 900}), []
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda m: m.type in ("error", "warning") and trouble.append(m.text))
    page.on("request", lambda r: r.url.startswith("file:") or trouble.append(r.url))
    yield page
    assert page.evaluate("window.ran") is None
    page.close()
    assert trouble == []


def open_page(visit: Any, made: Story, folder: Path) -> None:
    visit.goto(write_story(made, folder / "story.html").as_uri())
    visit.wait_for_function("window.Bokeh && Bokeh.documents.length === 4")
    visit.wait_for_function("Bokeh.documents.every((one) => one.is_idle)")


def test_page_has_all_parts_of_the_story(visit: Any, tmp_path: Path) -> None:
    open_page(visit, story(), tmp_path)
    assert visit.inner_text("h1") == "Beacon <b>& more</b>"
    facts = dict(
        zip(
            visit.locator("dt").all_inner_texts(),
            visit.locator("dd").all_inner_texts(),
            strict=True,
        )
    )
    assert (facts["Address"], facts["Peers"]) == (IP, "197")
    assert facts["Flows"] == "7,232 allowed, 78 denied"
    assert visit.locator("main h2").all_inner_texts() == [
        *("Comments", "Totals", "Top peers", "Peers", "Timeline", "Locations"),
        *("Network contexts", "Dendrogram", "History", "Scores", "Connections", "Provenance"),
    ]
    assert visit.locator("main h3").count() == 7
    assert visit.locator("figure").count() == 4
    assert "First line\nsecond line" in visit.inner_text("main")
    assert visit.get_by_text("DB-IP", exact=True).get_attribute("href") == "https://db-ip.com"
    assert "postgresql://***@db/flows?sslpassword=***&port=1" in visit.inner_text("main")
    assert not any(secret in visit.content() for secret in SECRETS)


def test_untrusted_text_is_shown_and_not_executed(visit: Any, tmp_path: Path) -> None:
    open_page(visit, hostile(), tmp_path)
    assert visit.inner_text("h1") == ATTACKS[0]
    text = visit.inner_text("main section >> nth=0")
    assert all(attack in text for attack in ATTACKS)
    cells = visit.locator("td").all_text_contents()
    assert all(cells.count(attack) >= 3 for attack in ATTACKS)
    assert visit.locator("main img, main section script:not(.plot-data)").count() == 0


def test_hover_boxes_of_bars_show_names_as_text(visit: Any, tmp_path: Path) -> None:
    open_page(visit, hostile(), tmp_path)
    plot = visit.locator("#plot-3")
    picture = Image.open(io.BytesIO(plot.screenshot())).convert("RGB")
    middle = picture.width // 2
    blue = [at for at in range(picture.height) if picture.getpixel((middle, at)) == (0, 114, 178)]
    tops = [at for at in blue if at - 1 not in blue]
    values = visit.locator(".bk-Tooltip span[data-value]:visible")
    shown = []
    for top in tops:
        plot.hover(position={"x": middle, "y": top + 6})
        values.first.wait_for()
        visit.wait_for_timeout(100)
        shown.append(values.all_inner_texts())
    assert shown == [[text, "Outbound Only", "1"] for text in sorted(ATTACKS)]


def test_opened_bundle_is_as_harmless(visit: Any, tmp_path: Path) -> None:
    path = write_bundle(hostile(), tmp_path / "story.zip")
    open_page(visit, open_bundle(path), tmp_path)
    assert visit.inner_text("h1") == ATTACKS[0]


@pytest.mark.extra
def test_untrusted_text_on_the_map_is_shown_and_not_executed(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("msticpy")
    from flowtriage.threat_investigation.story.globe_plots import globe_map

    made = hostile()
    drawn = globe_map(Globe.of(made.peers, made.origin), IP)
    path = tmp_path / "map.html"
    path.write_text(drawn.folium_map.get_root().render())
    page, trouble = browser.new_page(), []
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.route("https://**/*", lambda route: route.abort())
    page.goto(path.as_uri())
    shown = page.evaluate(
        """[...Object.keys(window)].filter((name) => name.startsWith("marker_layer_"))
          .flatMap((name) => window[name].getLayers())
          .map((marker) => {
            const list = marker.getPopup().getContent()(marker);
            document.body.append(list);
            return list.children[3].innerText;
          })"""
    )
    assert sorted(shown) == sorted([*ATTACKS, ATTACKS[1]])
    assert page.locator("dl img, dl script").count() == 0
    assert page.locator(".ft-marker.ft-host").count() == 1
    assert page.evaluate("window.ran") is None
    page.close()
    assert trouble == []

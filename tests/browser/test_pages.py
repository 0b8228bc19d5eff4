"""Every page of the built site: on its own, for everybody, on every screen, light, in time."""
import gzip
import json

import pytest
from axe_playwright_python.sync_playwright import Axe

LARGEST = 600_000  # bytes of a page and all it loads, gzipped
SECONDS = 2.0  # from navigation until a page can be used

# Tells, from inside the page, when it could first be used.
STOPWATCH = """
(() => {
  const usable = () => document.readyState !== "loading" &&
    [...document.querySelectorAll(".live-figure")].every((f) => f.querySelector("input, select"));
  const look = () => {
    if (usable()) window.usableAt = performance.now(); else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""


@pytest.mark.parametrize("via", ["http", "file"])
def test_asks_no_other_host_and_logs_nothing(visit, page_path, via):
    with visit(page_path, via=via) as came:
        opened = came.page.evaluate("""[...document.querySelectorAll('details')]
            .filter((d) => { d.querySelector('summary').click(); return d.open; }).length""")
        assert opened == came.page.locator("details").count()
        came.page.wait_for_timeout(100)
        assert came.foreign == [], "the page asks other hosts"
        assert came.noise == [], "the browser's console is not empty"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, page_path, scheme):
    with visit(page_path, scheme=scheme) as came:
        page = came.page
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        found = Axe().run(page).response["violations"]
    told = [f"{v['id']} ({v['help']}): {node['html'][:150]} {node.get('failureSummary', '')[:300]}"
            for v in found for node in v["nodes"][:5]]
    assert not told, "\n".join(told)


def test_narrow_screen(visit, page_path):
    with visit(page_path, width=320) as came:
        page = came.page
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        wide = page.evaluate("document.documentElement.scrollWidth")
        culprits = page.evaluate("""[...document.querySelectorAll('main *')]
            .filter((n) => n.getBoundingClientRect().right > 321).slice(0, 5)
            .map((n) => n.outerHTML.slice(0, 120))""")
        assert wide <= 320, f"the page scrolls sideways ({wide} px): {culprits}"
        assert page.evaluate("liveDriver.smallText(9)") == []


def test_text_of_figures_is_large_enough_on_a_wide_screen(visit, live_path):
    if not live_path:
        pytest.fail("no page has a live figure")
    with visit(live_path) as came:
        assert came.page.evaluate("liveDriver.smallText(9)") == []


def test_weight_and_time(visit, page_path, measured):
    seconds = []
    while len(seconds) < 3 and min(seconds, default=9) > SECONDS:  # the machine may be busy
        with visit(page_path, before=STOPWATCH) as came:
            came.page.wait_for_function("window.usableAt")
            seconds.append(came.page.evaluate("window.usableAt") / 1000)
            weight = {r.url.rsplit("/", 1)[-1]: gzipped(r) for r in came.responses}
    total = sum(weight.values())
    measured(f"{page_path}: {total / 1000:.0f} KB gzipped, usable after {min(seconds):.2f} s")
    assert total <= LARGEST, f"{total} bytes: {json.dumps(weight)}"
    assert min(seconds) <= SECONDS, f"usable after {min(seconds):.2f} s"


def gzipped(response):
    body = response.body() if response.ok else b""
    return min(len(body), len(gzip.compress(body, 6)))


def test_nothing_moves_by_itself_under_reduced_motion(visit, page_path):
    with visit(page_path, reduced_motion="reduce") as came:
        moving = came.page.evaluate("""[...document.querySelectorAll('*')].filter((node) => {
            const style = getComputedStyle(node);
            return [style.transitionDuration, style.animationDuration].some(
                (list) => list.split(',').some((time) => parseFloat(time) > 0));
        }).slice(0, 5).map((node) => node.outerHTML.slice(0, 100))""")
        assert moving == []


def test_without_javascript(visit, page_path):
    with visit(page_path, live=False, java_script_enabled=False) as came:
        check_still_picture(came.page)
        assert came.page.locator("main h1").first.is_visible()
        assert came.noise == []


def test_print(visit, page_path):
    with visit(page_path) as came:
        came.page.emulate_media(media="print")
        check_still_picture(came.page)
        assert not came.page.locator("nav").first.is_visible()


def check_still_picture(page):
    """The first frame is there and no control."""
    for figure in page.locator(".live-figure").all():
        assert figure.locator("svg").first.is_visible()
        assert figure.locator("svg").first.bounding_box()["height"] > 50
        shown = [c for c in figure.locator("input, select, button").all() if c.is_visible()]
        assert not shown, f"{len(shown)} controls are shown where they cannot work"


@pytest.mark.parametrize("via", ["http", "file"])
def test_entrance_leads_to_the_book(visit, via):
    with visit("index.html", via=via, live=False) as came:
        came.page.wait_for_url("**/book/index.html", timeout=5000)
        assert came.page.title() and came.page.locator("html").get_attribute("lang") == "en"
        assert came.foreign == [] and came.noise == []


@pytest.mark.parametrize("via", ["http", "file"])
def test_search_finds_a_word_of_the_book(visit, via):
    with visit("book/index.html", via=via) as came:
        came.page.locator("header input[type=search]").fill("recurrent")
        came.page.keyboard.press("Enter")
        came.page.wait_for_selector("#search-results li a", timeout=10_000)
        came.page.wait_for_load_state("networkidle")  # its summaries are fetched one by one
        came.page.locator("#search-results li a").first.click()
        came.page.wait_for_load_state()
        assert "/book/" in came.page.url
        assert came.foreign == [] and came.noise == []


def test_light_and_dark_are_remembered(visit, page_path):
    with visit(page_path) as came:
        came.page.locator("button.theme").click()
        came.page.reload()
        assert came.page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert came.page.locator("button.theme").get_attribute("aria-pressed") == "true"

"""A control that is played through, in a page from a file and by a kernel that is a fake."""
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import test_keyboard
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, Visit

from rnnlib import live

STATIC = ROOT / "rnnlib" / "live" / "static"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<style>{css}</style></head><body><main><h1>A page</h1>{html}</main><script>{js}</script></body>"""
LAST = 200
X = np.linspace(0, 6, 20)


def setup():
    fig, ax = plt.subplots(figsize=(6.4, 2))
    return fig, {"line": ax.plot(X, np.sin(X))[0]}


def update(artists, k, kind="a"):
    artists["line"].set_ydata(np.sin(X + k) * (1 if kind == "a" else 0.5))
    return f"Step {k} of {kind}."


def figure(values=(0, *range(1, LAST + 1)), value=2):
    controls = {"k": live.Play("updates", values=values, value=value),
                "kind": live.Choice("kind", ["a", "b"])}
    presets = {"Late": {"k": values[-1]}, "b": {"kind": "b"}}
    return live.LiveFigure(setup, update, title="A run", controls=controls, presets=presets)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The address of a page with a long run, and of one with a run of three values."""
    css, js = ((STATIC / name).read_text("utf-8") for name in ("live.css", "live.js"))
    folder = tmp_path_factory.mktemp("play")
    for name, values in (("long", (0, *range(1, LAST + 1))), ("short", (0, 1, 2))):
        html = figure(values).bake()
        (folder / f"{name}.html").write_text(PAGE.format(css=css, html=html, js=js), "utf-8")
    return folder.as_uri() + "/"


@pytest.fixture
def opened(browser, pages):
    """opened(name): that page, watched; its figure has been woken."""
    context = browser.new_context(reduced_motion="reduce")  # it plays when asked to all the same
    visits = []

    def open_page(name):
        came = Visit(context.new_page())
        visits.append(came)
        came.watch(pages)
        came.page.goto(pages + name + ".html")
        came.wait_ready()
        return came.page

    yield open_page
    context.close()
    assert [came.noise for came in visits if came.noise] == []


STATE = """() => {
  const [root] = liveDriver.figures();
  const button = root.querySelector(".lf-press");
  return { k: liveDriver.values(root).k, kind: liveDriver.values(root).kind,
    frame: liveDriver.frame(root), playing: root.dataset.playing === "true",
    button: button.textContent, number: Number(root.querySelector("input[type=number]").value),
    announced: root.querySelector(".lf-text").getAttribute("aria-live") }; }"""
# Plays; presses Pause, and tells how many frames came in the half second before and after.
PAUSE = """async () => {
  const [root] = liveDriver.figures(), button = root.querySelector(".lf-press");
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const frames = [liveDriver.frame(root)];
  button.click();
  for (const to of ["Pause", "Start"]) {
    await wait(500);
    frames.push(liveDriver.frame(root));
    if (to === "Pause") button.click();
  }
  return frames; }"""


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def arrive(page, condition):
    page.wait_for_function(f"(({STATE})()).{condition}", timeout=20_000)


def test_start_plays_at_its_pace_and_pause_stops_it(opened):
    page = opened("long")
    page.wait_for_timeout(150)
    assert page.evaluate(STATE)["frame"] == 0, "it plays by itself"
    before, paused, later = page.evaluate(PAUSE)
    assert 3 <= paused - before <= 7  # 12 a second, the first one at once
    assert later == paused, "it goes on after Pause"
    state = page.evaluate(STATE)
    assert state["k"] == state["number"] == 2 + paused
    assert state["button"] == "Start" and not state["playing"]


def test_one_step_moves_one_and_stops_what_plays(opened):
    page = opened("long")
    press(page, "One step")
    assert page.evaluate(STATE)["k"] == 3
    press(page, "Start")
    arrive(page, "k > 4")
    press(page, "One step")
    state = page.evaluate(STATE)
    page.wait_for_timeout(200)
    assert page.evaluate(STATE) == state and not state["playing"]


@pytest.mark.parametrize(("name", "values"), [
    ("Reset", {"k": 2, "kind": "a"}), ("Late", {"k": LAST, "kind": "a"}),
])
def test_a_preset_stops_it(opened, name, values):
    page = opened("long")
    press(page, "Start")
    arrive(page, "k > 3")
    press(page, name)
    page.wait_for_timeout(200)
    state = page.evaluate(STATE)
    assert values.items() <= state.items() and not state["playing"]


def test_another_control_stops_it_and_keeps_its_place(opened):
    page = opened("long")
    press(page, "Start")
    arrive(page, "k > 3")
    page.select_option("select", "b")
    state = page.evaluate(STATE)
    page.wait_for_timeout(200)
    assert page.evaluate(STATE) == state
    assert state["k"] > 3 and state["kind"] == "b" and not state["playing"]


def test_it_ends_at_the_last_value_and_starts_again_from_the_first(opened):
    page = opened("short")
    press(page, "Start")  # at the last value
    assert page.evaluate(STATE)["k"] == 0
    arrive(page, "button === 'Start'")
    state = page.evaluate(STATE)
    assert state["k"] == 2 and state["frame"] == 3 and not state["playing"]


def test_the_keyboard_alone_starts_pauses_and_types_a_number(opened):
    page = opened("long")
    button = page.get_by_role("button", name="Start", exact=True)
    button.focus()
    page.keyboard.press("Space")
    arrive(page, "k > 3")
    assert page.evaluate("document.activeElement.textContent") == "Pause"
    page.keyboard.press("Enter")
    assert not page.evaluate(STATE)["playing"]
    page.keyboard.press("Enter")
    number = page.get_by_role("spinbutton")
    number.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("77")  # must not be played away
    page.keyboard.press("Enter")
    state = page.evaluate(STATE)
    assert state["k"] == 77 and not state["playing"]


SPOKEN = """() => {
  const text = document.querySelector(".lf-text");
  window.spoken = [];
  new MutationObserver(() => text.getAttribute("aria-live") === "polite"
    && window.spoken.push(text.textContent)).observe(text, { childList: true });
}"""


def test_the_sentence_is_read_out_once_when_it_stops(opened):
    page = opened("long")
    page.evaluate(SPOKEN)
    page.evaluate(PAUSE)
    k = page.evaluate(STATE)["k"]
    assert page.evaluate("window.spoken") == [f"Step {k} of a."]
    press(page, "Start")
    assert page.evaluate(STATE)["announced"] == "off"


def test_a_figure_that_is_taken_away_asks_for_nothing_more(opened):
    page = opened("long")
    page.evaluate("window.taken = liveDriver.figures()[0]")
    press(page, "Start")
    arrive(page, "k > 3")
    page.evaluate("window.taken.remove()")
    frame = page.evaluate("liveDriver.frame(window.taken)")
    page.wait_for_timeout(300)
    assert page.evaluate("liveDriver.frame(window.taken)") <= frame + 1
    assert page.evaluate("window.taken.dataset.playing") is None


def test_the_driver_reaches_all_of_it(opened):
    told = opened("long").evaluate("liveDriver.drive(liveDriver.figures()[0])")
    assert told["problems"] == []
    reached = {json.loads(values)["k"] for values in told["frames"]}
    assert reached == {0, 2, 3, LAST // 2, LAST}


def test_keys_and_readers_find_all_of_it(opened):
    page = opened("long")
    root = page.locator(".live-figure")
    controls = root.locator("input, select, button").all()
    names = [control.evaluate("(n) => liveDriver.label(n)") for control in controls]
    assert names[:4] == ["updates", "updates, as a number", "Start", "One step"]
    for control in controls:
        test_keyboard.press(page, root, control)
    assert [found["id"] for found in Axe().run(page).response["violations"]] == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


# ---------------------------------------------------------------- with a kernel that is a fake

# Two views of one model, whose kernel takes 20 ms for a frame and fails at k = 8.
TWO_VIEWS = """(spec) => {
  const heard = new Set(), state = { _spec: spec, _svg: "", ...spec.opening };
  window.asked = [];
  const now = () => ({ k: state.k, kind: state.kind });
  const answer = (values) => {
    const n = state._frame ? state._frame.n + 1 : 0;
    state._frame = { n, values, ...values.k === 8
      ? { error: "no such step" } : { text: `Step ${values.k}.`, pieces: {} } };
    heard.forEach((does) => does());
  };
  const model = {
    get: (name) => state[name], set: (name, value) => { state[name] = value; },
    save_changes() { asked.push(state.k); setTimeout(answer, 20, now()); },
    on: (_, does) => heard.add(does), off: (_, does) => heard.delete(does),
  };
  answer(now());
  for (let i = 0; i < 2; i += 1) {
    const el = document.createElement("div");
    document.querySelector("main").append(el);
    (window.closers ||= []).push(LiveFigure.render({ model, el }));
  } }"""


@pytest.fixture
def views(opened):
    """The page, and its two views as locators."""
    page = opened("short")
    page.evaluate("liveDriver.figures()[0].remove()")
    page.evaluate(TWO_VIEWS, figure(value=2).spec())
    return page, *page.locator(".live-figure").all()


def plays(view):
    return view.get_attribute("data-playing") == "true"


def k_of(view):
    return json.loads(view.get_attribute("data-values"))["k"]


def test_a_second_view_keeps_up_and_can_take_over(views):
    page, one, two = views
    one.get_by_role("button", name="Start").click()
    page.wait_for_function("asked.length >= 3")
    seen = page.evaluate("""() => {
      const [one, two] = liveDriver.figures();
      two.querySelector('[data-preset="Reset"]').click();
      return [one, two].map((root) => [liveDriver.values(root).k, root.dataset.playing]); }""")
    assert seen[0][0] == seen[1][0] >= 4 and [playing for _, playing in seen] == ["true", None]
    page.wait_for_timeout(300)
    assert not plays(one) and k_of(one) == k_of(two) == 2


def test_an_error_stops_it_with_an_alert_and_it_can_go_on(views):
    page, one, two = views
    one.get_by_role("button", name="Start").click()
    page.wait_for_function("asked.at(-1) === 8")
    page.wait_for_timeout(200)
    assert page.evaluate("asked.at(-1)") == 8 and not plays(one)
    for view in (one, two):
        assert view.locator("[role=alert]").inner_text() == "no such step"
    one.get_by_role("button", name="One step").click()
    page.wait_for_timeout(100)
    assert k_of(one) == 9 and not one.locator("[role=alert]").is_visible()


def test_a_value_far_ahead_is_asked_for_one_by_one(views):
    page, one, _ = views
    number = one.get_by_role("spinbutton")
    number.fill("7")
    number.press("Enter")
    assert number.input_value() == "7"
    page.wait_for_timeout(300)
    assert page.evaluate("asked") == [3, 4, 5, 6, 7] and not plays(one)
    number.fill("4")
    number.press("Enter")
    page.wait_for_timeout(60)
    assert page.evaluate("asked.slice(5)") == [4] and k_of(one) == 4
    one.locator("select").select_option("b")  # nothing of it has been seen
    page.wait_for_timeout(300)
    assert page.evaluate("asked.slice(6)") == [0, 1, 2, 3, 4]


def test_a_view_that_is_closed_asks_for_nothing_more(views):
    page, one, two = views
    one.get_by_role("button", name="Start").click()
    page.wait_for_function("asked.length >= 2")
    page.evaluate("closers[0]()")
    page.wait_for_timeout(50)
    count = page.evaluate("asked.length")
    page.wait_for_timeout(250)
    assert page.evaluate("asked.length") == count

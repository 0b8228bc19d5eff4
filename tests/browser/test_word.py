"""A word of the reader's own in a JupyterLab, taken or refused; a built page has the list alone."""
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Visit
from test_play import PAGE, STATIC

CELL = """\
import matplotlib.pyplot as plt
from rnnlib import live
def setup():
    fig, ax = plt.subplots(figsize=(6.4, 2))
    return fig, {"line": ax.plot([0, 1], [0, 1])[0]}
def update(artists, drink, cups):
    artists["line"].set_ydata([0, cups / len(drink)])
    return f"{cups} of {drink}."
def accepts(text):
    return None if text.islower() else "expected small letters"
controls = {"drink": live.Word("drink", ["tea", "coffee"], accepts=accepts),
            "cups": live.Range("cups", 1, 3)}
presets = {"More": {"cups": 2}, "Other": {"drink": "coffee"}}
fig = live.LiveFigure(setup, update, title="A drink", controls=controls, presets=presets)
fig"""
ASKED = """\
live.Prediction("Which?", {"tea": "No.", "milk": "Yes.", "rum": "No."}, "milk")"""
SHOWN = """() => {
  const [root] = liveDriver.figures();
  const alert = root.querySelector("[role=alert]"), select = root.querySelector("select");
  return { ...liveDriver.values(root), frame: liveDriver.frame(root),
    text: root.querySelector(".lf-text").textContent, alert: alert.hidden ? "" : alert.textContent,
    typed: root.querySelector(".lf-own")?.value ?? null,
    chosen: select.options[select.selectedIndex]?.textContent,
    options: [...select.options].map((option) => option.textContent) }; }"""


@pytest.fixture(scope="module")
def drinks(lab_notebook):
    """A notebook in JupyterLab with the figure, and a prediction below it, opened and run."""
    with lab_notebook("word", [CELL, ASKED]) as page:
        yield page


def shown(page, **wanted):
    """What the figure shows as soon as these entries are as wanted."""
    page.wait_for_function(
        f"(wanted) => {{ const now = ({SHOWN})(); return Object.keys(wanted).every("
        "(key) => now[key] === wanted[key]); }", arg=wanted, timeout=20_000)
    return page.evaluate(SHOWN)


@pytest.mark.timeout(180)
def test_a_word_is_typed_taken_refused_and_put_back(drinks):
    page = drinks
    field = page.get_by_role("textbox", name="drink, your own")
    page.locator(".live-figure select").focus()
    page.keyboard.press("Tab")                              # by keyboard alone
    page.keyboard.type("juice")
    assert shown(page)["text"] == "1 of tea.", "it is taken before it is done"
    page.keyboard.press("Enter")
    now = shown(page, text="1 of juice.")
    assert (now["drink"], now["typed"], now["chosen"], now["alert"]) == (
        "juice", "juice", "your own", "")

    field.fill("RUM")
    page.keyboard.press("Tab")                              # leaving the field is a change as well
    told = shown(page, alert="drink: expected small letters")
    assert (told["text"], told["frame"], told["drink"]) == ("1 of juice.", now["frame"], "juice")
    assert told["typed"] == "RUM", "what was refused cannot be mended"

    page.get_by_role("slider").press("ArrowRight")          # goes on from what is shown
    now = shown(page, text="2 of juice.")
    assert (now["alert"], now["typed"]) == ("", "juice")

    field.fill("RUM")
    field.press("Enter")
    shown(page, alert="drink: expected small letters")
    field.fill("juice")                                     # back to what is shown already
    field.press("Enter")
    assert shown(page, alert="")["text"] == "2 of juice."

    page.locator(".live-figure select").select_option("coffee")
    now = shown(page, text="2 of coffee.")
    assert now["typed"] == "" and now["options"] == ["tea", "coffee"]
    page.evaluate("""() => {
      const [root] = liveDriver.figures(), field = root.querySelector(".lf-own");
      field.value = "milk";
      field.dispatchEvent(new Event("change"));
      root.querySelector("select").value = "coffee";        // shown still: the milk is on its way
      root.querySelector("select").dispatchEvent(new Event("change")); }""")
    page.wait_for_timeout(500)
    assert page.evaluate(SHOWN)["drink"] == "coffee", "the reader has gone back, the figure has not"
    page.get_by_role("slider").press("ArrowRight")
    assert shown(page, text="3 of coffee.")["drink"] == "coffee"
    page.get_by_role("button", name="Reset").click()
    shown(page, text="1 of tea.")


@pytest.mark.timeout(120)
def test_the_driver_and_axe_find_nothing_with_a_field(drinks):
    drinks.get_by_role("button", name="Reset").click()
    shown(drinks, text="1 of tea.")
    told = drinks.evaluate("liveDriver.drive(liveDriver.figures()[0], true)")
    assert told["problems"] == []
    drinks.get_by_role("textbox", name="drink, your own").fill("RUM")
    drinks.keyboard.press("Enter")
    shown(drinks, alert="drink: expected small letters")
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}}
    found = Axe().run(drinks, context=".live-figure", options=options).response["violations"]
    assert [one["id"] for one in found] == []


@pytest.mark.timeout(120)
def test_arrow_keys_and_enter_answer_a_prediction(drinks):
    radios = drinks.locator(".prediction input[type=radio]")
    radios.first.focus()
    drinks.keyboard.press("Space")
    assert radios.nth(0).is_checked()
    drinks.keyboard.press("ArrowDown")
    assert radios.nth(1).is_checked(), "the notebook took the arrow key"
    drinks.locator(".prediction summary").focus()
    drinks.keyboard.press("Enter")
    assert drinks.locator(".prediction details").get_attribute("open") is not None


def test_a_built_page_has_the_list_and_no_field(browser, tmp_path):
    scope = {}
    exec(CELL, scope)
    css, js = ((STATIC / name).read_text("utf-8") for name in ("live.css", "live.js"))
    html = PAGE.format(css=css, html=scope["fig"].bake(), js=js)
    (tmp_path / "page.html").write_text(html, "utf-8")
    context = browser.new_context()
    try:
        came = Visit(context.new_page())
        came.watch(tmp_path.as_uri())
        came.page.goto((tmp_path / "page.html").as_uri())
        came.wait_ready()
        assert came.page.evaluate("liveDriver.drive(liveDriver.figures()[0])")["problems"] == []
        came.page.get_by_label("drink", exact=True).select_option("coffee")
        now = shown(came.page, text="1 of coffee.")
        assert now["typed"] is None and now["options"] == ["tea", "coffee"]
        assert came.noise == [] and came.page.locator("input[type=text]").count() == 0
    finally:
        context.close()

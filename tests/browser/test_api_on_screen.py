"""The one picture that the API pages are for, and the way to it: equations beside both passes."""
CELL = "book/api/networks.html#rnnlib.cells.RNNCell"


def boxes(page):
    """Where the equations, the way forward and the way back of the cell are, on the screen."""
    page.wait_for_timeout(200)
    pair = page.locator("[id='rnnlib.cells.RNNCell'] > .api-pair")
    return [pair.locator(part).bounding_box() for part in
            (".api-said > [class*=highlight-]", ".api-done > div >> nth=0",
             ".api-done > div >> nth=1")]


def test_equations_and_both_passes_are_on_one_screen(visit):
    with visit(CELL) as came:
        equations, ahead, back = boxes(came.page)
        assert equations["x"] + equations["width"] < min(ahead["x"], back["x"])
        assert min(equations["y"], ahead["y"]) > 0 and back["y"] + back["height"] < 900
        cut = came.page.locator("[id='rnnlib.cells.RNNCell'] > .api-pair pre").evaluate_all(
            "(frames) => frames.filter((f) => f.scrollWidth > f.clientWidth).length")
        assert not cut, "an equation or a line of code is wider than its frame"


def test_they_stand_below_one_another_on_a_narrow_screen(visit):
    with visit(CELL, width=320) as came:
        equations, ahead, back = boxes(came.page)
        assert equations["x"] == ahead["x"] == back["x"]
        assert equations["y"] + equations["height"] < ahead["y"] < back["y"]


def test_search_finds_a_name_and_leads_to_it(visit):
    with visit("book/index.html") as came:
        came.page.locator("header input[type=search]").fill("RNNCell")
        came.page.keyboard.press("Enter")
        link = "#search-results li a[href$='#rnnlib.cells.RNNCell']"
        came.page.locator(link).first.wait_for(timeout=10_000)
        came.page.wait_for_load_state("networkidle")  # the summaries: to leave earlier stops them
        came.page.locator(link).first.click()
        came.page.wait_for_url("**/networks.html#rnnlib.cells.RNNCell", timeout=5000)
        assert came.page.locator("h3:has-text('RNNCell')").first.is_visible()
        assert came.foreign == [] and came.noise == []


def test_contents_open_from_the_header_wherever_the_page_is(visit):
    with visit(CELL) as came:
        contents = came.page.locator("nav.contents")
        assert not contents.is_visible()
        came.page.locator("button.menu").click()
        box = contents.bounding_box()
        assert 0 < box["y"] < 200 and box["height"] > 200
        came.page.keyboard.press("Escape")
        assert not contents.is_visible()

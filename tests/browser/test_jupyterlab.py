"""Every notebook in a real JupyterLab: run all, every control of every figure through the kernel.

The frames must be the same, character by character, as those baked into the built page.
"""
import re
import time
from statistics import median

import pytest
from conftest import DRIVE, DRIVER, SITE, drive_page, live_pages

MILLISECONDS = 80  # from a change to its frame by way of the kernel, median
RUN_ALL = """async (path) => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
  await panel.context.ready;
  await panel.sessionContext.ready;
  await app.commands.execute("notebook:run-all-cells");
  const plain = (o) => [].concat((o.data || {})["text/plain"] || "").join("");
  const { cells } = panel.content.model.sharedModel.toJSON();
  return cells.filter((cell) => cell.cell_type === "code").map((cell) => ({
    source: cell.source,
    count: cell.execution_count,
    errors: cell.outputs.filter((o) => o.output_type === "error").map((o) => o.evalue),
    figures: cell.outputs.filter((o) => plain(o).startsWith("LiveFigure")).length,
  }));
}"""


def baked_reports(visit, notebook):
    """What came of driving the figures of the built page; nothing where it has none."""
    page = notebook.replace(".ipynb", ".html")
    assert (SITE / page).exists(), "the notebook has no page: it is not in _toc.yml"
    return drive_page(visit, page)[0] if page in live_pages() else []


def neutral(svg):
    """A picture without what two serialisations of the same one may differ in."""
    return re.sub(r"\s+", " ", svg).strip()


@pytest.mark.timeout(300)
def test_notebook_runs_and_its_figures_answer(browser, visit, lab, notebook, measured):
    baked = baked_reports(visit, notebook)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.goto(lab)
        page.wait_for_function("window.jupyterapp && window.jupyterapp.started", timeout=60_000)
        started = time.monotonic()
        cells = page.evaluate(RUN_ALL, notebook)
        seconds = time.monotonic() - started
        wrong = [(cell["source"][:80], cell["errors"]) for cell in cells
                 if cell["errors"] or (cell["source"].strip() and not cell["count"])]
        assert not wrong
        page.evaluate(DRIVER)
        page.wait_for_function("(n) => liveDriver.figures().length >= n && liveDriver.ready()",
                               arg=sum(cell["figures"] for cell in cells), timeout=20_000)
        told = page.evaluate(DRIVE, True)
    finally:
        context.close()
    measured(f"JupyterLab, {notebook}: ran in {seconds:.1f} s, {len(told)} live figures")
    for report in told:
        measured(f"JupyterLab, {report['figure']}: {report['moves']} moves,"
                 f" {median(report['ms']):.0f} ms median, {max(report['ms']):.0f} ms at most")
    assert len(told) == len(baked), "the page and the notebook do not show the same figures"
    for kernel, page_side in zip(told, baked, strict=True):
        compare(kernel, page_side)


def compare(kernel, baked):
    name = kernel["figure"]
    assert kernel["mode"] == "kernel" and name == baked["figure"]
    assert kernel["problems"] == [], name
    assert set(kernel["frames"]) == set(baked["frames"]), f"{name}: other values were reached"
    for values, frame in kernel["frames"].items():
        same = baked["frames"][values]
        assert frame["text"] == same["text"], f"{name} at {values}: another text"
        assert neutral(frame["svg"]) == neutral(same["svg"]), f"{name} at {values}: another picture"
    assert median(kernel["ms"]) < MILLISECONDS, name

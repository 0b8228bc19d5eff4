"""A training played in a JupyterLab: it goes as far as it is watched, and no further."""
import pytest
from test_play import STATE, press

CELLS = ["""\
import time
from rnnlib import OutputLayer, RNNCell, optim, tasks, train, watch
from rnnlib.widgets.training import training
answers, trained = watch.Answering(), []
def slow(params, batch):
    time.sleep(0.03)
    trained.append(1)
    return answers.loss_and_grads(params, batch)
def begin():
    params = RNNCell.init(1, 4), OutputLayer.init(4, 2)
    return train.moments(params, slow, lambda k: tasks.latch(4, 6, rng=k), optim.SGD(0.1),
                         look=answers.about(tasks.latch(4, 6)))
fig = training({"slow": begin}, updates=300, every=1)
fig""", "print(len(trained), fig.widget.updates)"]
# Runs the second cell and returns what it printed.
ASK = """async () => {
  const before = panel.content.widgets[1].model.executionCount;
  panel.content.activeCellIndex = 1;
  await window.jupyterapp.commands.execute("notebook:run-cell");
  const { outputs, executionCount } = panel.content.widgets[1].model;
  if (executionCount === before) throw new Error("the cell did not run");
  return [].concat(outputs.get(0).toJSON().text).join("").trim().split(" ").map(Number);
}"""
STATE_THERE = STATE.replace("liveDriver.values(root).k,", "liveDriver.values(root).updates,")


@pytest.fixture(scope="module")
def training(lab_notebook):
    """A notebook in JupyterLab with a slow training, opened and run."""
    with lab_notebook("play", CELLS) as page:
        yield page


def there(page, condition):
    page.wait_for_function(f"(({STATE_THERE})()).{condition}", timeout=20_000)


@pytest.mark.timeout(120)
def test_a_training_plays_while_other_cells_run_and_pauses_at_once(training):
    page = training
    assert page.evaluate(ASK) == [1, 0], "it has trained before anybody asked"
    press(page, "Start")
    there(page, "k >= 3")
    trained, updates = page.evaluate(ASK)  # another cell, while it plays
    assert page.evaluate(STATE_THERE)["playing"]
    assert trained in (updates, updates + 1)  # the next one is being made, or is there
    there(page, f"k >= {updates + 2}")
    frame = page.evaluate("""() => {
      const [root] = liveDriver.figures();
      root.querySelector(".lf-press").click();
      return liveDriver.frame(root); }""")
    page.wait_for_timeout(500)
    state = page.evaluate(STATE_THERE)
    assert not state["playing"] and state["button"] == "Start"
    assert state["frame"] <= frame + 1  # one may have been on its way
    assert page.evaluate(ASK) == [state["k"] + 1, state["k"]], "the kernel trained on"


@pytest.mark.timeout(120)
def test_a_value_far_ahead_is_walked_to_and_pause_stops_it_there(training):
    page = training
    press(page, "Reset")
    press(page, "End")
    page.wait_for_function("liveDriver.figures()[0].dataset.playing", timeout=5000)
    assert page.evaluate(STATE_THERE)["number"] == 300  # where it is going
    before = page.evaluate(STATE_THERE)["k"]
    there(page, f"k > {before + 4}")
    press(page, "Pause")
    page.wait_for_timeout(400)
    state = page.evaluate(STATE_THERE)
    assert before + 4 < state["k"] == state["number"] < 300
    assert page.evaluate(ASK) == [state["k"] + 1, state["k"]]
    frame = state["frame"]
    press(page, "Reset")  # seen already: at once
    there(page, "k === 0")
    assert page.evaluate(STATE_THERE)["frame"] == frame + 1


@pytest.mark.timeout(120)
def test_a_view_that_is_closed_stops_the_training(training):
    page = training
    press(page, "Start")
    page.wait_for_timeout(300)
    page.evaluate("panel.content.activeCellIndex = 0;"
                  "window.jupyterapp.commands.execute('notebook:clear-cell-output')")
    page.wait_for_timeout(300)
    trained = page.evaluate(ASK)
    page.wait_for_timeout(300)
    assert page.evaluate(ASK) == trained
    assert page.evaluate("liveDriver.figures().length") == 0

"""What a network says at each sub-expression: drawn and said is what it says of that alone."""

import gzip
import importlib
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg

from rnnlib import live, tasks, trees

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.expression_tree")


STATES = [{"expression": expression, "updates": updates, "asked": asked}
          for expression in module.EXPRESSIONS for updates in module.MOMENTS
          for asked in module.MODELS]


@pytest.fixture(scope="module")
def figure():
    return module.expression_tree()


def said_alone(expression, asked, updates):
    """(digit, its probability) where the network is given this expression and nothing else."""
    cell, out = module.network(module.MODELS[asked], updates)
    tree, tokens = trees.Tree.from_nested(expression)
    xs = np.array([[float(token == known) for known in tasks.TOKENS] for token in tokens])
    logits = out.V @ trees.forward(cell, tree, xs).root[0] + out.c_out
    y_hat = np.exp(logits) / np.exp(logits).sum()
    return int(y_hat.argmax()), y_hat.max()


def inside(expression):
    """All sub-expressions that are operations, the innermost first, the whole last."""
    if not isinstance(expression, tuple):
        return []
    _, (left, right) = expression
    return [*inside(left), *inside(right), expression]


def worth(expression, part, digit):
    """The value of an expression, in whose text a digit is written in the place of a part."""
    text, old = (tasks.write_expression(one) for one in (expression, part))
    assert text.count(old) == 1
    return tasks.evaluate(tasks.read_expression(text.replace(old, str(digit))))


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9
    assert len(set(map(module.depth, map(tasks.read_expression, module.EXPRESSIONS)))) >= 3


@pytest.mark.parametrize("state", STATES, ids=lambda state: " ".join(map(str, state.values())))
def test_a_node_says_what_the_network_says_of_its_part_alone(figure, state):
    sentence, _ = figure.frame(state)
    artists = figure.scene.artists
    whole = tasks.read_expression(state["expression"])
    parts = inside(whole)
    said = [said_alone(part, state["asked"], state["updates"]) for part in parts]
    right = [tasks.evaluate(part) for part in parts]
    drawn = [(text.get_position(), text.get_text()) for text in artists["digits"]
             if text.get_visible()]
    assert sorted(text for _, text in drawn) == sorted(str(digit) for digit, _ in said)
    fine, off = (set(zip(*artists[name].get_data(), strict=True)) for name in ("right", "wrong"))
    assert fine | off == {place for place, _ in drawn} and not fine & off
    assert len(off) == sum(digit != value for (digit, _), value in zip(said, right, strict=True))
    notes = [text.get_text() for text in artists["notes"] if text.get_visible()]
    assert sorted(note for note in notes if note.startswith("not")) == sorted(
        f"not {value}" for (digit, _), value in zip(said, right, strict=True) if digit != value)
    assert sorted(note for note in notes if note.endswith("%")) == sorted(
        f"{share:.0%}" for (digit, share), value in zip(said, right, strict=True)
        if digit == value)
    (digit, share), value = said[-1], right[-1]
    verdict = "right" if digit == value else f"wrong, it is {value}"
    assert artists["head"].get_text() == f"It says {digit}: {verdict}"
    assert f"says {digit} for {state['expression']}, with probability {share:.0%}: {verdict}" in (
        sentence)


@pytest.mark.parametrize("state", STATES, ids=lambda state: " ".join(map(str, state.values())))
def test_each_digit_stands_at_its_node_and_each_token_at_its_leaf(figure, state):
    figure.frame(state)
    artists = figure.scene.artists
    seen = module.reading(state["expression"], module.MODELS[state["asked"]], state["updates"])
    xy = np.transpose(artists["tree"]["nodes"].get_data())
    for node, text in zip(seen.asked, artists["digits"], strict=False):
        np.testing.assert_allclose(text.get_position(), xy[node - seen.tree.leaves])
        digit, _ = said_alone(seen.parts[node], state["asked"], state["updates"])
        assert text.get_text() == str(digit)
        assert seen.values[node] == tasks.evaluate(seen.parts[node])
    leaves = np.transpose(artists["tree"]["leaves"].get_data())
    shown = [text for text in artists["tokens"] if text.get_visible()]
    assert [text.get_text() for text in shown] == list(map(str, seen.tokens))
    assert [text.get_position()[0] for text in shown] == list(leaves[:, 0])
    assert leaves.min() >= 0 and (leaves <= (module.WIDTH, module.HEIGHT)).all()


def test_the_sources_of_an_error_have_no_error_below():
    found = 0
    for state in STATES:
        seen = module.reading(state["expression"], module.MODELS[state["asked"]], state["updates"])
        wrong = {str(seen.parts[node]) for node in seen.wrong}
        expected = [seen.parts[node] for node in seen.wrong
                    if not wrong & set(map(str, inside(seen.parts[node])[:-1]))]
        assert [seen.parts[node] for node in seen.sources] == expected
        found += len(expected)
    assert found > 20


@pytest.mark.parametrize("state", STATES, ids=lambda state: " ".join(map(str, state.values())))
def test_what_is_said_of_an_error_is_what_the_operations_make_of_it(figure, state):
    sentence, _ = figure.frame(state)
    seen = module.reading(state["expression"], module.MODELS[state["asked"]], state["updates"])
    if not len(seen.wrong):
        assert "wrong" not in sentence and "hidden" not in sentence
        return
    source = seen.sources[0]
    inner = set(map(str, inside(seen.parts[source])[:-1]))
    given = [tasks.evaluate(seen.parts[node]) if str(seen.parts[source]) not in
             [str(part) for part in inside(seen.parts[node])] or str(seen.parts[node]) in inner
             else worth(seen.parts[node], seen.parts[source], seen.said[source])
             for node in seen.asked]
    alone = given == [int(digit) for digit in seen.said[seen.asked]]
    good = seen.said[-1] == seen.values[-1]
    words = {(True, True): ", hidden further up:", (False, True): ", yet the root is right:",
             (True, False): "; the error begins where", (False, False): "; the lowest:"}
    assert f"{words[alone, good]} {tasks.write_expression(seen.parts[source])} gives" in sentence


TYPED = ("(last (max (last (max (first 2 1) 6) (first 4 (min (min (first 7 7) 9) (last 6 "
         "(first 8 2))))) (last 0 9)) 9)", "(max 1 " * 7 + "2" + ")" * 7)


@pytest.mark.parametrize("expression", [*module.EXPRESSIONS, *TYPED])
@pytest.mark.parametrize("updates", module.MOMENTS)
def test_no_text_covers_another_and_the_root_always_has_its_note(figure, expression, updates):
    figure.frame({"expression": expression, "updates": updates})
    renderer = RendererAgg(module.WIDTH, module.HEIGHT, 72)
    texts = [text for text in figure.scene.figure.axes[0].texts
             if text.get_visible() and text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    for (i, one), (j, other) in combinations(enumerate(boxes), 2):
        names = texts[i].get_text(), texts[j].get_text()
        assert min(one.x1, other.x1) <= max(one.x0, other.x0) or (
            min(one.y1, other.y1) <= max(one.y0, other.y0) + 2.5), names
    assert min(box.x0 for box in boxes) >= 0 and max(box.x1 for box in boxes) <= module.WIDTH
    notes = [text.get_text() for text in figure.scene.artists["notes"] if text.get_visible()]
    root = module.reading(expression, updates=updates).asked.size - 1
    assert notes[root] and notes.count("") <= (2 if expression in TYPED else 0)


def test_the_presets_keep_their_promise(figure):
    def shown(name):
        values = figure.opening | figure.presets[name]
        seen = module.reading(values["expression"], module.MODELS[values["asked"]],
                              values["updates"])
        return values, seen, figure.frame(values)[0]

    values, seen, sentence = shown("Six deep: all right")
    assert module.depth(tasks.read_expression(values["expression"])) == 6 > module.TRAINED
    assert len(seen.wrong) == 0 and len(seen.asked) == 7 and "All 7 sub-expressions" in sentence
    values, seen, sentence = shown("An error begins at max and climbs")
    source, = seen.sources
    assert seen.parts[source][0] == "max" and len(seen.wrong) == 3
    assert seen.wrong[-1] == seen.tree.roots[0] and "3 of 7 answers are wrong" in sentence
    assert worth(seen.parts[-1], seen.parts[source], seen.said[source]) == seen.said[-1]
    for node in seen.wrong:  # it climbs: each says what its operation gives with the error below
        given = worth(seen.parts[node], seen.parts[source], seen.said[source])
        assert given == seen.said[node] != seen.values[node]
    assert "; the error begins where" in sentence
    values, seen, sentence = shown("An error that min hides")
    node, = seen.wrong
    assert seen.parts[-1][0] == "min" and seen.said[-1] == seen.values[-1] == 2
    assert worth(seen.parts[-1], seen.parts[node], seen.said[node]) == seen.values[-1]
    assert "1 of 5 answers is wrong, hidden further up" in sentence
    values, seen, _ = shown("After 100 updates")
    assert values["updates"] == 100 and len(seen.wrong) > 1
    assert len(figure.presets) == 4


def test_the_figure_opens_on_a_right_answer(figure):
    seen = module.reading(figure.opening["expression"])
    assert len(seen.wrong) == 0 and seen.values[-1] == 3


def test_another_expression_can_be_typed(figure):
    text, _ = figure.frame({"expression": "last 1 max 2 3"})
    assert "says 3 for last 1 max 2 3" in text
    most = "(last (max (last (max (first 2 1) 6) (first 4 (min (min (first 7 7) 9) (last 6 "
    figure.frame({"expression": most + "(first 8 2))))) (last 0 9)) 9)"})
    shown = [text for text in figure.scene.artists["tokens"] if text.get_visible()]
    assert len(shown) == module.LONGEST


@pytest.mark.parametrize("text, words", [
    ("(max 3", "an expression such as"),
    ("7", "at least one operation"),
    ("(sum 3 4)", "has learned.*'sum'"),
    ("(max 1 " * 8 + "2" + ")" * 8, "at most 7 deep, got 8"),
    ("(max (max (max (max 1 2) (max 1 2)) (max (max 1 2) (max 1 2))) (max (max (max 1 2) (max 1 2))"
     " (max (max 1 2) (max 1 2))))", "at most 25 operations and digits, got 31"),
])
def test_what_the_figure_cannot_read_is_refused(figure, text, words):
    with pytest.raises(ValueError, match=words):
        figure.frame({"expression": text})


def test_what_fits_exactly_is_taken(figure):
    figure.frame({"expression": "(max 1 " * 7 + "2" + ")" * 7})
    assert isinstance(figure.controls["expression"], live.Word)

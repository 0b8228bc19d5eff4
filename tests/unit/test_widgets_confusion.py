"""The confusion of languages: what is drawn and said is what the result file counts."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import results, style

module = importlib.import_module("rnnlib.widgets.confusion")
READERS = module.READERS.values()


@pytest.fixture(scope="module")
def figure():
    return module.confusion()


def counted(reader, truth, said):
    rows = results.find(results.load("languages_confusion"), reader=reader, truth=truth)
    return sum(r["count"] for r in rows if r["said"] == said) / sum(r["count"] for r in rows)


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 30_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("reader", READERS)
def test_shares_are_those_of_the_file(reader):
    table = module.shares(reader)
    assert len(module.languages()) == 20 and np.allclose(table.sum(axis=1), 1)
    for truth, said in [("Finnish", "Estonian"), ("Estonian", "Finnish"), ("Dutch", "Dutch")]:
        i, j = (module.languages().index(name) for name in (truth, said))
        assert table[i, j] == pytest.approx(counted(reader, truth, said), rel=1e-12)
    (row,) = results.find(results.load("languages_summary"), what="macro_recall", who=reader)
    assert np.diag(table).mean() == pytest.approx(row["mean"], abs=0.004)  # pooled over the seeds


def test_strong_squares_are_frequent_mistakes_and_the_diagonal_is_grey():
    image, table = module.painted("both"), module.shares("both")
    off = ~np.eye(20, dtype=bool)
    expected = np.minimum(table[off] / module.STRONGEST, 1)
    assert np.abs(image[off][:, 3] - expected).max() <= 0.5 / module.LEVELS + 1e-12
    i, j = (module.languages().index(name) for name in ("Finnish", "Estonian"))
    assert image[i, j, 3] == 1 > image[j, i, 3]
    grey = [int(style.MUTED[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    assert np.allclose(image[~off][:, :3], grey)


@pytest.mark.parametrize(("language", "reader"), [("Finnish", "both directions"),
                                                  ("Danish", module.COUNTED)])
def test_row_names_and_sentence_agree(figure, language, reader):
    text, _ = figure.frame({"language": language, "reader": reader})
    artists, which = figure.scene.artists, module.READERS[reader]
    k = module.languages().index(language)
    assert artists["row"].get_y() == module.TOP + k * module.CELL
    assert artists["names"][k].get_text() == language and artists["names"][k].get_weight() == "bold"
    assert artists["right"][k].get_text() == f"{counted(which, language, language):.0%}"
    others = {name: counted(which, language, name) for name in module.languages()}
    del others[language]
    most = max(others, key=others.get)
    assert f"taken for {most} {others[most]:.0%}" in text
    assert [t.get_text() for t in artists["columns"] if t.get_weight() == "bold"].count(most[:3])


def test_presets_keep_their_promises(figure):
    wrong = {name: module.mistakes("both", name) for name in module.languages()}
    (first, often), (_, seldom) = wrong["Finnish"][:2]
    assert first == "Estonian" and often > 5 * seldom
    assert {name for name, _ in wrong["Spanish"][:2]} == {"Italian", "Portuguese"}
    assert wrong["Spanish"][1][1] > 0.1 and wrong["Lithuanian"][0][1] < 0.03
    assert {values["reader"] for values in figure.presets.values()} <= set(module.READERS)
    assert figure.presets["Finnish by n-grams: better"] == {
        "language": "Finnish", "reader": module.COUNTED}
    for name, values in figure.presets.items():
        assert name.startswith(values["language"])
    k = module.languages().index("Finnish")
    assert module.shares("logistic")[k, k] > module.shares("both")[k, k] + 0.05

"""The race of the optimisers: its loss is rnnlib's, its rates are the best, what is said is so."""

import gzip
import importlib

import numpy as np
import pytest
from matplotlib.path import Path

from rnnlib import RNNCell, backward, forward, losses, regularisers, train

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.optimiser_race")
COURSES = list(module.COURSES)


@pytest.fixture(scope="module")
def figure():
    return module.optimiser_race()


def loss_and_grads(theta, course):
    """The objective and its gradient by rnnlib's own cell, mean squared error and l2."""
    w, u = theta
    cell = RNNCell(U=np.array([[u]]), W=np.array([[w]]), b=np.zeros(1), activation="identity")
    xs = np.zeros((module.STEPS, 1, 1))
    xs[0] = 1
    trace = forward(cell, xs)
    echo = 0.9 ** np.arange(module.STEPS)[:, None, None]
    loss, dh = losses.mse(trace.h, echo)
    _, dcell = backward(cell, trace, dh)
    penalty, more = regularisers.l2(theta, course.weight, biases=True)
    return loss + penalty, np.array([dcell.W[0, 0], dcell.U[0, 0]]) + more


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert figure.states <= 600
    assert len(gzip.compress(figure.bake().encode())) < 100_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("theta", [(0.2, 2.0), (1.1, 0.6), (0.0, 0.5), (-0.7, 1.0), (0.9, 1.0)])
def test_the_loss_and_its_gradient_are_those_of_the_unit(theta):
    course = module.COURSES[module.L2]
    loss, slope = loss_and_grads(np.array(theta), course)
    mine, own = module.objective(np.array(theta), course.weight)
    assert mine == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(own, slope, rtol=1e-10, atol=1e-13)
    fields = module.surface(np.full((2, 3), theta[0]), np.full((2, 3), theta[1]))
    np.testing.assert_allclose(fields, np.broadcast_to(
        np.reshape(module.surface(*theta), (3, 1, 1)), (3, 2, 3)))


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("name", ["SGD", "Adam", "momentum"])
def test_a_path_is_that_of_train_fit(course, name):
    rate, path, values = module.race(course)[name]
    setting = module.COURSES[course]
    run = train.fit(np.array(setting.start), lambda p, _: loss_and_grads(p, setting), [None],
                    module.OPTIMISERS[name](rate), steps=20, clip=setting.clip, record_every=1,
                    progress=False)
    np.testing.assert_allclose(path[:21], [params for _, params in run.snapshots], rtol=1e-7)
    np.testing.assert_allclose(values[:20], run.losses, rtol=1e-6)


@pytest.mark.parametrize("course", COURSES)
def test_the_rate_is_the_best_of_the_grid_and_lies_inside_it(course):
    setting = module.COURSES[course]
    for name, (rate, path, values) in module.race(course).items():
        assert len(path) == len(values) == module.UPDATES + 1
        if setting.rate is not None:
            assert rate == setting.rate == 0.03
            continue
        i = module.RATES.index(rate)
        assert 0 < i < len(module.RATES) - 1
        for other in module.RATES:
            _, ends = module.descent(module.OPTIMISERS[name](other), setting)
            assert len(ends) < module.UPDATES + 1 or ends[-1] >= values[-1]


def test_what_blows_up_stops_early():
    course = module.COURSES[module.FALLS]
    for rate in (0.03, 1e3, 1e30):
        path, values = module.descent(module.OPTIMISERS["SGD"](rate), course)
        assert len(path) == len(values) < 10 and np.isfinite(values).all()


def test_the_cross_is_where_the_gradient_is_zero():
    np.testing.assert_allclose(module.minimum(0), (0.9, 1), atol=1e-9)
    weight = module.COURSES[module.L2].weight
    best = module.minimum(weight)
    loss, slope = loss_and_grads(best, module.COURSES[module.L2])
    np.testing.assert_allclose(slope, 0, atol=1e-10)
    rng = np.random.default_rng(0)
    assert all(module.objective(best + d, weight)[0] > loss
               for d in rng.normal(0, 0.02, (50, 2)))


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("k", [0, 1, 40, 100])
def test_drawn_and_said_is_what_the_race_gives(figure, course, k):
    runs, artists = module.race(course), figure.scene.artists
    for name in ("SGD", "Adadelta"):
        told, _ = figure.frame({"k": k, "name": name, "course": course})
        rate, path, values = runs[name]
        assert np.ravel(artists["disc"].get_data()) == pytest.approx(path[k])
        others = np.transpose(artists["discs"].get_data())
        np.testing.assert_allclose(others, [run[1][k] for run in runs.values()])
        assert np.ravel(artists["minimum"].get_data()) == pytest.approx(
            module.minimum(module.COURSES[course].weight))
        bold = [text for text in artists["labels"] if text.get_weight() == "bold"]
        assert [text.get_text() for text in bold] == [f"{name} {module._number(rate)}"]
        heights = [text.get_position()[1] for text in artists["labels"]]
        ends = [run[2][k] for run in runs.values()]
        assert np.diff(np.sort(heights)).min() >= module.GAP - 0.2 or k == 0
        assert (np.diff(np.array(heights)[np.argsort(ends, kind="stable")]) > 0).all()
        assert f"w = {path[k, 0]:.2f}" in told and f"u = {path[k, 1]:.2f}" in told
        if course != module.L2 and k:
            place = 1 + sum(end < values[k] for end in ends)
            assert f"number {place} of 6" in told
            rival = sorted(runs, key=lambda one: runs[one][2][k])[int(place == 1)]
            assert f"{rival} is {'next' if place == 1 else 'first'}, with" in told


@pytest.mark.parametrize("course", [module.BEST, module.L2])
def test_the_map_is_of_the_loss_that_is_descended_on(figure, course):
    figure.frame({"k": 40, "name": "SGD", "course": course})
    setting, artists = module.COURSES[course], figure.scene.artists
    shown, = (shades for shades in artists["maps"].values() if shades.get_visible())
    low, _ = loss_and_grads(module.minimum(setting.weight), setting)
    bands = np.append(low + np.array(module.LEVELS), np.inf)
    for theta in ((0.2, 2.0), (0.1, 0.1), (0.5, 1.0), (0.9, 1.01), (0.92, 0.75), (1.15, 1.5)):
        loss, _ = loss_and_grads(np.array(theta), setting)
        inside, = (i for i, path in enumerate(shown.get_paths()) if is_inside(path, theta))
        assert bands[inside] <= loss < bands[inside + 1]
    alphas = shown.get_facecolor()[:, 3]
    assert (np.diff(alphas) > 0).all() and alphas[0] == 0               # strong colour: high loss
    assert ("with L2" in artists["map title"].get_text()) == (course == module.L2)
    assert ("with L2" in artists["title"].get_text()) == (course == module.L2)


def is_inside(path, theta):
    """By the number of its closed curves around the point: even is outside, or in a hole."""
    return sum(Path(curve).contains_point(theta) for curve in path.to_polygons()) % 2 == 1


def test_it_opens_where_sgd_is_behind_the_five_others(figure):
    opening = figure.opening
    ends = {name: run[2][opening["k"]] for name, run in module.race(opening["course"]).items()}
    assert max(ends, key=ends.get) == opening["name"] == "SGD"
    assert opening["k"] == 40 and opening["course"] == module.BEST


def test_lines_are_within_half_a_unit_of_their_points(figure):
    figure.frame({"k": 100, "name": "momentum", "course": module.CLIPPED})
    artists = figure.scene.artists
    _, path, values = module.race(module.CLIPPED)["momentum"]
    full = np.stack([np.arange(101) * module.CURVES[2] / 100, module._heights(values)], 1)
    assert module._heights(np.array([1e-8, 3.0])) == pytest.approx([0, module.CURVES[3]])
    for points, line, scale in (
        (full, artists["curve"], 1),
        (path, artists["path"], np.divide(module.MAP[2:], (1.2, 2.2))),
    ):
        drawn = np.transpose(line.get_data()) * scale
        assert len(drawn) < len(points)
        gaps = [min(distance(point, a, b) for a, b in zip(drawn, drawn[1:], strict=False))
                for point in points * scale]
        assert max(gaps) < module.COARSE + 0.1


def distance(point, a, b):
    """From a point to the stretch from a to b."""
    along = b - a
    share = np.clip((point - a) @ along / max(along @ along, 1e-12), 0, 1)
    return np.linalg.norm(point - a - share * along)


def test_the_presets_keep_their_promises(figure):
    ends = {course: {name: run[2][-1] for name, run in module.race(course).items()}
            for course in COURSES}
    rates = {course: {name: run[0] for name, run in module.race(course).items()}
             for course in COURSES}
    best = ends[module.BEST]
    assert min(best, key=best.get) == "RMSprop"
    _, path, _ = module.race(module.ONE_RATE)["Adadelta"]
    assert np.linalg.norm(path[-1] - path[0]) < 0.02
    falls = ends[module.FALLS]
    assert max(falls, key=falls.get) == "momentum" and falls["momentum"] > 0.02
    assert ends[module.CLIPPED]["momentum"] < 1e-5
    moved = module.minimum(0.1) - module.minimum(0)
    assert module.COURSES[module.L2].weight == 0.1 and moved[1] < -0.2 and 0 < moved[0] < 0.03
    assert set(figure.presets) == {
        "Each at its best: RMSprop wins", "All at one rate: Adadelta hardly moves",
        "From the cliff: momentum must creep", "Clipped: momentum may run, 0.1 for 0.00003",
        "L2: another minimum"}
    assert (rates[module.CLIPPED]["momentum"], rates[module.FALLS]["momentum"]) == (0.1, 0.00003)


def test_small_numbers_are_written_with_a_power_of_ten():
    assert [module._number(x) for x in (0.1, 0.0089, 3e-5)] == ["0.1", "0.0089", "3·10⁻⁵"]


def test_another_course_has_another_winner():
    """Why the figure has more than one: no optimiser is the best on all of them."""
    first = {course: min(runs, key=lambda name, runs=runs: runs[name][2][-1])
             for course in (module.BEST, module.FALLS) for runs in [module.race(course)]}
    assert first == {module.BEST: "RMSprop", module.FALLS: "Adadelta"}

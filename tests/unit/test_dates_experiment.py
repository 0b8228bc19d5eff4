"""Dates, translated: rows and summaries agree, a seed gives its row, its test days are new."""

import datetime
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))

import date_looks  # noqa: E402
import dates as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import attention, budget, datasets, seq2seq  # noqa: E402
from rnnlib.widgets import date_translators as book  # noqa: E402


def read(name):
    return table.read(table.RESULTS / f"{name}.csv")


ROWS, SUMMARY, CURVE = read("dates"), read("dates_summary"), read("dates_curve")
PLACES, ALIGNMENT = read("dates_locales"), read("dates_alignment")
VARIANTS = list(dict.fromkeys(row["variant"] for row in ROWS))
SEEDS = 10


def group(rows, **wanted):
    return [row for row in rows if wanted.items() <= row.items()]


def many(rows, name):
    return np.array([row[name].split() for row in rows], float)


def same(row, values):
    """Is a row of a summary that of these values?"""
    wanted = table.mean_interval(values)
    found = [float(row[name]) for name in ("mean", "low", "high")]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-6)
    assert int(row["seeds"]) == len(values)


# --- the files --------------------------------------------------------------------------------


def test_every_variant_has_the_same_seeds_updates_and_about_as_many_parameters():
    assert set(VARIANTS) == set(experiment.VARIANTS)
    for variant in VARIANTS:
        rows = group(ROWS, variant=variant)
        assert sorted(int(row["seed"]) for row in rows) == list(range(SEEDS))
        assert {row["updates"] for row in rows} == {"1000"}
        assert {row["n"] for row in rows} == {str(experiment.TEST)}
        sizes = {int(row["parameters"]) for row in rows}
        assert len(sizes) == 1 and abs(sizes.pop() / 17389 - 1) < 0.02


def test_what_is_right_is_counted_by_language_and_format():
    for row in ROWS:
        right, asked = (np.array(row[name].split(), int) for name in ("right", "asked"))
        assert len(right) == len(asked) == 36 and (right <= asked).all()
        assert asked.sum() == int(row["n"])
        assert float(row["exact"]) == pytest.approx(right.sum() / asked.sum(), rel=1e-5)


def test_the_summary_comes_from_the_rows():
    exact = {variant: np.array([float(row["exact"]) for row in group(ROWS, variant=variant)])
             for variant in VARIANTS}
    for row in SUMMARY:
        one, _, other = row["what"].partition(" - ")
        same(row, exact[one] - exact[other] if other else exact[one])
    assert len(SUMMARY) == len(VARIANTS) + len(experiment.PAIRS)


def test_the_curve_comes_from_the_rows():
    assert len(CURVE) == len(VARIANTS) * len(experiment.MOMENTS)
    for row in CURVE:
        place = experiment.MOMENTS.index(int(row["updates"]))
        same(row, many(group(ROWS, variant=row["variant"]), "curve")[:, place])


def test_languages_and_formats_come_from_the_rows():
    languages = list(datasets.dates(1).classes)
    assert len(PLACES) == len(VARIANTS) * (12 + 3 + 36)
    for row in PLACES:
        rows = group(ROWS, variant=row["variant"])
        right, asked = (many(rows, name).reshape(-1, 3, 12) for name in ("right", "asked"))
        if row["format"] != "all":
            f = experiment.FORMATS.index(row["format"])
            right, asked = right[:, [f]], asked[:, [f]]
        if row["language"] != "all":
            k = languages.index(row["language"])
            right, asked = right[..., [k]], asked[..., [k]]
        same(row, right.sum((1, 2)) / asked.sum((1, 2)))


def test_the_alignment_comes_from_the_rows():
    measures, digits = date_looks.LOOKS, list(date_looks.DIGITS)
    looking = [variant for variant in VARIANTS if group(ROWS, variant=variant)[0]["looks"]]
    assert looking == ["additive", "dot"]
    assert len(ALIGNMENT) == 2 * len(measures) * (8 + 4)
    for row in ALIGNMENT:
        seen = many(group(ROWS, variant=row["variant"]), "looks")
        seen = seen.reshape(-1, len(measures), 8)[:, measures.index(row["measure"])]
        those = [k for k, digit in enumerate(digits) if row["digit"] in (
            "all", date_looks.DIGITS[digit], str(digit + 1))]
        same(row, seen[:, those].mean(axis=1))


def test_what_the_readme_and_the_book_quote():
    exact = {row["what"]: float(row["mean"]) for row in SUMMARY}
    assert exact["dot"] > 0.99 and exact["additive"] > 0.99 and exact["none"] < 0.02
    high = {row["what"]: float(row["high"]) for row in SUMMARY}
    low = {row["what"]: float(row["low"]) for row in SUMMARY}
    assert low["none reversed - none"] < 0 < high["none reversed - none"]       # reversal: no help
    assert low["additive - dot"] < 0 < high["additive - dot"]
    share = {(row["variant"], row["digit"], row["measure"]): float(row["mean"])
             for row in ALIGNMENT}
    assert share["additive", "all", "weight"] == pytest.approx(0.938, abs=0.001)
    assert share["dot", "all", "weight"] == pytest.approx(0.624, abs=0.001)
    # The first digit of a year is never where it is looked for, the third always is.
    assert share["additive", "1", "own"] == 0 and share["additive", "3", "own"] == 1
    # It looks at the month's name, and could do without the letter that it looks at most.
    assert share["additive", "month", "weight"] > 0.9 > 0.25 > share["additive", "month", "blind"]
    assert share["additive", "all", "another"] < 0.04 < share["additive", "all", "erased"]


# --- days -------------------------------------------------------------------------------------


def test_no_training_meets_a_day_of_the_test():
    rng = np.random.default_rng(3)
    train, test = experiment.drawn(300, rng), experiment.drawn(300, rng, held=True)
    for dates, hidden in ((train, False), (test, True)):
        assert len(dates) == 300
        for day in dates.targets:
            assert (datetime.date.fromisoformat(day).toordinal() % 20 == 0) == hidden
    for xs, _, targets in islice(experiment.like_length(rng), 10):
        assert xs.shape[1] == experiment.BATCH
        assert not any(experiment.held_out(book.write(column)) for column in targets.T)


def test_a_batch_holds_texts_of_like_length_and_their_days():
    lengths = [lengths for _, lengths, _ in islice(experiment.like_length(
        np.random.default_rng(4)), experiment.POOL)]
    spans = sorted((one.min(), one.max()) for one in lengths)
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    dates = experiment.drawn(50, np.random.default_rng(5))
    forth, back = experiment.batch(dates), experiment.batch(dates, backwards=True)
    for b, (text, day) in enumerate(zip(dates.texts, dates.targets, strict=True)):
        letters = [experiment.letters()[k] for k in forth[0][: len(text), b].argmax(-1)]
        assert "".join(letters) == text and book.write(forth[2][:, b]) == day
        np.testing.assert_array_equal(forth[0][: len(text), b], back[0][: len(text), b][::-1])
    np.testing.assert_array_equal(forth[2], back[2])


@pytest.mark.parametrize("count, parts", [(1, 1), (300, 1), (301, 2), (900, 3)])
def test_chunks_are_all_of_them_in_order(count, parts):
    found = experiment.chunks(count)
    assert len(found) == parts and max(map(len, found)) <= experiment.CHUNK
    np.testing.assert_array_equal(np.concatenate(found), range(count))


# --- a row from its seed ----------------------------------------------------------------------


def on_the_way(seed):
    return experiment.drawn(experiment.ON_THE_WAY, np.random.default_rng([seed, 2]), held=True)


def test_a_row_begins_as_its_seed_says(monkeypatch):
    row, = group(ROWS, variant="additive", seed="1")
    monkeypatch.setattr(experiment, "UPDATES", 100)
    dates = on_the_way(1)
    run = experiment.trained("additive", 1, experiment.MOMENTS,
                             lambda model: experiment.right(model, dates).mean())
    assert budget.parameters(run.params) == int(row["parameters"])
    curve = [share for _, share in run.snapshots]
    np.testing.assert_allclose(curve, np.array(row["curve"].split()[:3], float), atol=0.02)
    assert 0 < curve[-1] < 0.9


def test_the_stored_networks_are_those_of_the_rows():
    letters, networks = book.stored()
    assert letters == experiment.letters()
    dates = on_the_way(experiment.SHOWN)
    for name, model in networks.items():
        variant, _, updates = name.partition(" ")
        row, = group(ROWS, variant=variant, seed=str(experiment.SHOWN))
        place = experiment.MOMENTS.index(int(updates or 1000))
        share = float(row["curve"].split()[place])
        assert experiment.right(model, dates).mean() == pytest.approx(share, abs=0.02)


def test_right_is_what_is_written_alone_and_to_its_end():
    model = book.stored()[1]["additive 200"]
    dates = on_the_way(7).take(range(40))
    found = experiment.right(model, dates)
    for b in range(40):
        xs, _, _ = experiment.batch(dates.take([b]))
        said = [book.START]
        while len(said) <= book.STEPS and said[-1] != book.STOP:
            inputs = np.eye(len(book.SYMBOLS), dtype=np.float32)[said][:, None]
            said.append(int(seq2seq.forward(model, xs, inputs).logits[-1, 0].argmax()))
        text = "".join(book.SYMBOLS[k] for k in said[1:])
        assert found[b] == (text == str(dates.targets[b]) + "■")
    assert 5 < found.sum() < 40


# --- where it looks ---------------------------------------------------------------------------


def test_the_fields_of_a_text_are_its_year_month_and_day():
    dates = datasets.dates(600, rng=11)
    for text, day, label in zip(dates.texts, dates.targets, dates.labels, strict=True):
        text, date = str(text), datetime.date.fromisoformat(day)
        places = date_looks.field(text, day, experiment.LOCALES[label])
        assert int(text[places["year"]]) == date.year and int(text[places["day"]]) == date.day
        month = text[places["month"]]
        if month.isdigit():
            assert int(month) == date.month
        else:
            left = text.replace(month, " ", 1)
            assert len(month) >= 3 and month in text and left != text
            other = datasets.days._write(date.replace(day=1, month=date.month % 12 + 1), "long",
                                         datasets.languages.locale(experiment.LOCALES[label]))
            assert month not in other or month == "mai"


def test_the_measures_of_a_date_are_what_a_loop_finds():
    letters, networks = book.stored()
    model, dates = networks["additive 400"], on_the_way(5).take(range(3))
    for b in range(3):
        one = dates.take([b])
        found = date_looks.looks(model, letters, one)
        text, day = str(one.texts[0]), str(one.targets[0])
        xs, lengths, targets = experiment.batch(one)
        trace = book.taught(model, xs, lengths, targets)
        fields = date_looks.field(text, day, experiment.LOCALES[one.labels[0]])
        for k, (place, what) in enumerate(date_looks.DIGITS.items()):
            weights, said = trace.attention.weights[place, 0], trace.logits[place, 0].argmax()
            most = weights.argmax()
            assert found["weight"][k] == pytest.approx(weights[fields[what]].sum(), abs=1e-6)
            assert found["most"][k] == (fields[what].start <= most < fields[what].stop)
            assert found["blind"][k] == (blind(model, trace, place, most).argmax() != said)
            otherwise, chances = [], []
            for s in range(len(text)):
                less = xs.copy()
                less[s] = 0
                logits = book.taught(model, less, lengths, targets).logits[place, 0]
                otherwise.append(logits.argmax() != said)
                chances.append(logits[said] - np.logaddexp.reduce(logits))
            assert found["erased"][k] == otherwise[most]
            others = np.delete(otherwise, most)
            assert found["another"][k] == pytest.approx(others.mean())
            assert found["agrees"][k] == (np.argmin(chances) == most)
            if what == "year":
                assert found["own"][k] == (most == fields["year"].start + place)


def blind(model, trace, place, most):
    """The logits of a step whose attention is offered every key but one."""
    keys = np.delete(trace.attention.keys, most, axis=0)
    queries = trace.decoder.rnn.h[place : place + 1]
    context = attention.forward(model.decoder.attention, queries, keys).context
    return model.decoder.out.logits(np.concatenate([queries, context], -1))[0, 0]

"""What the sets hand out: labelled examples side by side, or one long series.

Labelled examples may be shuffled: which comes first means nothing. A series may not: its parts are
cut one after the other, and the future stays out of the training part.
"""

import dataclasses

import numpy as np

from rnnlib import checks
from rnnlib.datasets.letters import encode
from rnnlib.records import Record, record
from rnnlib.tasks.batch import Batch, inside
from rnnlib.tasks.letters import one_hot


@record
class Samples(Record):
    """Labelled examples: labels[b] = k says that example b belongs to classes[k]."""

    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.fields().items())
        return f"{type(self).__name__}({shapes}, {len(self.classes)} classes)"

    @property
    def groups(self):
        """What must not stand on both sides of a split, one value an example."""
        return np.arange(len(self))

    def take(self, which):
        """The examples of these places, in this order: whole numbers (B,)."""
        which = checks.classes("which", which, ("B",), len(self))
        return dataclasses.replace(self, **{name: a[which] for name, a in self.fields().items()})

    def split(self, share=0.2, rng=0):
        """(train, test), shuffled; `share` of every class goes to the test.

        `rng` is a whole number or a numpy Generator. Examples of one group (the same text, the
        same day) stay together, so that nothing learned by heart helps with the test.
        """
        share = checks.number("share", share, above=0, below=1)
        rng = checks.generator("rng", rng)
        _, first, group = np.unique(self.groups, return_index=True, return_inverse=True)
        members = [np.flatnonzero(self.labels[first] == k) for k in range(len(self.classes))]
        counts = [round(share * len(one)) for one in members]
        if not 0 < sum(counts) < len(first):
            raise ValueError(f"share: expected one that leaves both sides something, got {share}")
        held_out = np.zeros(len(first), bool)
        for one, count in zip(members, counts, strict=True):
            held_out[rng.permutation(one)[:count]] = True
        sides = [np.flatnonzero(~held_out[group]), np.flatnonzero(held_out[group])]
        return tuple(self.take(rng.permutation(side)) for side in sides)


@record
class Sequences(Samples):
    """Labelled sequences: xs (T, B, D), zero past lengths (B,); labels (B,) of `classes`.

    `channels` names the D columns of a step, in `units`; `seconds` from one step to the next, None
    where steps are not times.
    """

    xs: np.ndarray
    lengths: np.ndarray
    channels: tuple[str, ...]
    units: str = ""
    seconds: float | None = None

    def take(self, which):
        """The sequences of these places, in this order: whole numbers (B,); T is their longest."""
        which = checks.classes("which", which, ("B",), len(self))
        lengths = self.lengths[which]
        xs = self.xs[: lengths.max(), which]
        return dataclasses.replace(self, xs=xs, lengths=lengths, labels=self.labels[which])

    def batch(self):
        """xs, targets (1, B) and lengths, as the synthetic tasks come: `rnnlib.tasks.Batch`."""
        return Batch(self.xs, self.labels[None], self.lengths)


@record
class Texts(Samples):
    """Labelled short texts: texts (N,), labels (N,) of `classes`; `letters`, the alphabet of all.

    Parts of a set keep the alphabet of the whole set, so that their codes agree.
    """

    texts: np.ndarray
    letters: str

    @property
    def groups(self):
        """The texts: the same one must not stand on both sides of a split."""
        return self.texts

    def codes(self):
        """Codes (T, B), a letter's place in `letters`, and lengths (B,)."""
        return encode(self.texts, self.letters)

    def sequences(self):
        """The texts one-hot: `Sequences` with xs (T, B, D), one column a letter.

        A whole set is large (10,000 names take 700 MB): take a batch first.
        """
        codes, lengths = self.codes()
        xs = one_hot(codes, len(self.letters)) * inside(lengths)[..., None]
        return Sequences(self.labels, self.classes, xs, lengths, tuple(self.letters))


@record
class Dates(Texts):
    """Texts that say a day, and targets (N,), the same day as year-month-day: "1999-12-31"."""

    targets: np.ndarray

    TARGET_LETTERS = "-0123456789"

    @property
    def groups(self):
        """The days: none may stand on both sides of a split, in whatever words."""
        return self.targets

    def target_codes(self):
        """Codes (10, B) of the targets: a character's place in TARGET_LETTERS."""
        return encode(self.targets, self.TARGET_LETTERS)[0]


@record
class Series(Record):
    """One long sequence: xs (T, 1, D) at times (T,); `channels` names the D columns, in `units`.

    series[a:b] is the series of the steps a to b - 1.
    """

    xs: np.ndarray
    times: np.ndarray
    channels: tuple[str, ...]
    units: str

    def __len__(self):
        return len(self.xs)

    def __getitem__(self, steps):
        checks.instance("steps", steps, slice, "a slice a:b")
        return dataclasses.replace(self, xs=self.xs[steps], times=self.times[steps])


def parts(series, shares=(0.8, 0.1, 0.1)):
    """Cut a text, an array or a `Series` into consecutive parts: training, validation, test.

    Never shuffled. Neighbouring steps resemble each other, and windows that overlap share steps: in
    a random split the answers of the test would stand in the training part, and the score would
    tell how well the net remembers, not how well it foretells.
    Raises ValueError for shares that are not positive, do not add up to 1 or leave a part empty.
    """
    kinds = (str, list, tuple, np.ndarray, Series)
    checks.instance("series", series, kinds, "a text, an array or a Series")
    shares = checks.array("shares", shares, ("K",))
    if shares.min() <= 0 or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"shares: expected positive ones that add up to 1, got {shares.tolist()}")
    edges = [0, *np.rint(np.cumsum(shares) * len(series)).astype(int).tolist()]
    if min(np.diff(edges)) == 0:
        raise ValueError(f"shares: expected none that leaves a part empty, got {shares.tolist()}")
    return tuple(series[a:b] for a, b in zip(edges, edges[1:], strict=False))

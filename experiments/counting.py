"""Which language is this word? Readers that count runs of letters, for languages.py.

A part is a `datasets` record of names: texts (N,), labels (N,), classes. `naive_bayes` and
`logistic` learn from the training part and choose their setting on the validation part.
"""

import numpy as np

from rnnlib import losses
from rnnlib.widgets.language_readers import small


def right(said, part):
    """The share of the names of a part of which this is said that are told rightly."""
    return (said == part.labels).mean()


def grams(text, n, capitals=True):
    """All runs of 1 to n letters of a text between its marks."""
    text = f"\2{text if capitals else small(text)}\3"
    return [text[k : k + size] for size in range(1, n + 1) for k in range(len(text) - size + 1)]


def counted(train_part, others, n, capitals=True):
    """(how many n-grams the training part has, their numbers for each name of each part)."""
    index, found = {}, []
    for text in train_part.texts:
        for gram in grams(text, n, capitals):
            index.setdefault(gram, len(index))
    for part in (train_part, *others):
        found.append([np.array([index[g] for g in grams(text, n, capitals) if g in index])
                      for text in part.texts])
    return len(index), found


def scores(weights, bias, names):
    """Scores (N, K) of names: the bias and the weights of their n-grams, added up."""
    return np.array([bias + weights[gram_numbers].sum(0) for gram_numbers in names])


def naive_bayes(training, validation, test):
    """(setting, validation accuracy, what is said of the test's names): the best setting."""
    K, best = len(training.classes), (None, -1, None)
    prior = np.log(np.bincount(training.labels, minlength=K) / len(training))
    for capitals in (True, False):
        for n in (1, 2, 3, 4, 5):
            size, (seen, *unseen) = counted(training, (validation, test), n, capitals)
            counts = np.zeros((size, K))
            for name, label in zip(seen, training.labels, strict=True):
                np.add.at(counts[:, label], name, 1)
            for smoothing in (0.01, 0.03, 0.1, 0.3, 1):
                weights = np.log(counts + smoothing) - np.log((counts + smoothing).sum(0))
                share = right(scores(weights, prior, unseen[0]).argmax(1), validation)
                if share > best[1]:
                    setting = f"n {n}, smoothing {smoothing:g}, capitals {int(capitals)}"
                    best = setting, share, scores(weights, prior, unseen[1]).argmax(1)
    return best


def logistic(training, validation, test, seed, *, sizes=(3, 4), epochs=6, rate=0.1):
    """The same of logistic regression by Adagrad, 32 names a step."""
    K, best = len(training.classes), (None, -1, None)
    for n in sizes:
        size, (seen, *unseen) = counted(training, (validation, test), n)
        weights, bias = np.zeros((size, K)), np.zeros(K)
        sums, rng = np.full((size, K), 1e-6), np.random.default_rng([seed, 3])
        for epoch in range(1, epochs + 1):
            for these in np.array_split(rng.permutation(len(seen)), len(seen) // 32):
                names = [seen[k] for k in these]
                log_p = losses.log_softmax(scores(weights, bias, names))
                d = np.exp(log_p) - np.eye(K)[training.labels[these]]
                used, place = np.unique(np.concatenate(names), return_inverse=True)
                grad = np.zeros((len(used), K))
                np.add.at(grad, place, np.repeat(d / len(these), [len(x) for x in names], axis=0))
                sums[used] += grad**2
                weights[used] -= rate * grad / np.sqrt(sums[used])
                bias -= rate * d.mean(0)
            share = right(scores(weights, bias, unseen[0]).argmax(1), validation)
            if share > best[1]:
                best = f"n {n}, epochs {epoch}", share, scores(weights, bias, unseen[1]).argmax(1)
    return best

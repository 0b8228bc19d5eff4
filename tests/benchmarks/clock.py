"""Medians of times taken in turn, so that a busy moment of the machine meets all alike."""

import gc
import statistics
import time


def medians_ms(runs, repeats=21, at_a_time=3):
    """The median time of each run() in milliseconds.

    Each has its turn `repeats / at_a_time` times, and in it one run that does not count and then
    `at_a_time` that do: what the others left in the caches is gone by then, as in training.
    """
    times = [[] for _ in runs]
    for _ in range(-(-repeats // at_a_time)):
        for run, taken in zip(runs, times, strict=True):
            gc.collect()
            run()
            taken.extend(_seconds(run) for _ in range(at_a_time))
    return [1000 * statistics.median(taken) for taken in times]


def _seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start

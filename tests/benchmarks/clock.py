"""Medians of times taken in turn, so that a busy moment of the machine meets all alike."""

import statistics
import time


def medians_ms(runs, repeats=21):
    """The median time of each run() in milliseconds, after one round to warm up."""
    times = [[] for _ in runs]
    for round_ in range(repeats + 1):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            if round_:
                taken.append(time.perf_counter() - start)
    return [1000 * statistics.median(taken) for taken in times]

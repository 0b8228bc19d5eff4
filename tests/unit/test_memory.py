"""Memory that is used again: never while anybody holds what is in it."""

import gc

import numpy as np
import pytest

from rnnlib import LSTMCell, backward, forward, memory

BIG = (memory.LEAST // 8,)  # float64 numbers that are just worth keeping


@pytest.fixture(autouse=True)
def nothing_kept():
    memory.release()
    yield
    memory.release()


def address(array):
    return array.__array_interface__["data"][0]


def test_arrays_lie_side_by_side_and_do_not_overlap():
    arrays = memory.fresh(np.float64, (3, 4), (2, 2), BIG)
    assert [v.shape for v in arrays] == [(3, 4), (2, 2), BIG]
    for i, v in enumerate(arrays):
        v[:] = i
    assert [set(v.flat) for v in arrays] == [{0.0}, {1.0}, {2.0}]
    assert address(arrays[1]) == address(arrays[0]) + 12 * 8


def test_memory_is_used_again_when_its_last_array_is_gone():
    first, view = memory.fresh(np.float64, BIG, BIG), None
    place, view = address(first[0]), first[1][5:9]
    del first
    gc.collect()
    (other,) = memory.fresh(np.float64, (2 * BIG[0],))
    assert address(other) != place                                  # a view still looks at it
    del view
    gc.collect()
    (again,) = memory.fresh(np.float32, (4 * BIG[0],))
    assert address(again) == place
    assert again.dtype == np.float32


def test_the_best_fitting_piece_is_taken_and_none_much_too_large():
    sizes = [BIG[0] * n for n in (4, 2, 3)]
    pieces = [memory.fresh(np.float64, (size,))[0] for size in sizes]
    places = dict(zip((4, 2, 3), map(address, pieces), strict=True))
    pieces.clear()
    gc.collect()
    (two,) = memory.fresh(np.float64, (2 * BIG[0] - 1,))
    (three,) = memory.fresh(np.float64, (2 * BIG[0] + 1,))
    (one,) = memory.fresh(np.float64, BIG)
    assert (address(two), address(three)) == (places[2], places[3])
    assert address(one) not in places.values()


def test_what_is_kept_is_limited_and_can_be_given_back():
    for size in (memory.MOST // 2, memory.MOST // 2 + 1, memory.MOST // 4):
        memory.fresh(np.uint8, (size,))
        gc.collect()
        assert sum(map(len, memory._free)) <= memory.MOST
    assert memory._free
    memory.release()
    assert not memory._free
    memory.fresh(np.float64, (BIG[0] - 1,))                         # too small to be worth it
    gc.collect()
    assert not memory._free


def test_a_trace_that_is_held_keeps_its_numbers():
    cell, rng = LSTMCell.init(8, 32), np.random.default_rng(0)
    held, expected = [], []
    for _ in range(6):
        xs = rng.normal(size=(50, 8, 8))
        trace = forward(cell, xs)
        dtrace, _ = backward(cell, trace, trace.h)
        held.append((trace.c, dtrace.x, trace.last))
        expected.append([v.copy() for v in held[-1]])
        if len(held) % 2:
            del trace, dtrace
    for arrays, copies in zip(held, expected, strict=True):
        assert all(map(np.array_equal, arrays, copies))

"""Memory that is used again: never while anybody holds what is in it."""

import gc

import numpy as np
import pytest

from rnnlib import GRUCell, LSTMCell, backward, forward, memory

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
        assert sum(map(len, memory._free.values())) <= memory.MOST
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


def test_a_piece_that_is_in_use_is_not_given_away_twice():
    memory.fresh(np.float64, BIG)                                   # gone at once: it is free now
    assert len(memory._free) == 1
    one, two = memory.fresh(np.float64, BIG)[0], memory.fresh(np.float64, BIG)[0]
    assert not np.shares_memory(one, two)
    assert not memory._free


def test_of_several_pieces_that_fit_the_smallest_is_taken():
    pieces = [memory.fresh(np.float64, (n * BIG[0],))[0] for n in (5, 4, 6)]
    least = address(pieces[1])
    pieces.clear()
    (taken,) = memory.fresh(np.float64, (4 * BIG[0],))
    assert address(taken) == least


def test_what_was_kept_longest_is_given_back_first():
    half = memory.MOST // 2
    pieces = [memory.fresh(np.uint8, (size,))[0] for size in (half, half + 1, half - 1)]
    while pieces:
        pieces.pop(0)                                               # they come free in this order
    assert [len(buffer) for buffer in memory._free.values()] == [half + 1, half - 1]


def test_held_traces_keep_their_numbers_while_others_come_and_go():
    cell, rng, held, places = GRUCell.init(8, 32), np.random.default_rng(0), [], []
    for n in range(8):
        for _ in range(2):                                          # the first frees, the last uses
            trace = forward(cell, rng.normal(size=(60, 8, 8)))
            dtrace, _ = backward(cell, trace, trace.h)
            places.append(address(trace.x))
        views = [trace.h, trace.last, dtrace.x[3:], dtrace.state]
        if n % 2:
            held.append((views, [v.copy() for v in views]))
    assert len(set(places)) < len(places)                           # memory was used again
    for views, copies in held:
        assert all(map(np.array_equal, views, copies))

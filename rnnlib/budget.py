"""How many numbers a network has, and the network of a kind that has as many as another.

    parameters((cell, out))                                     # 1,218
    hidden_size(GRUCell.init, 2, 1_218)                         # the GRU nearest to that

Networks of different kinds are compared at equal numbers of parameters: of equal width, an LSTM has
four times the weights of a plain network.
"""

from collections.abc import Callable

from rnnlib import checks
from rnnlib.records import leaves


def parameters(network):
    """Return how many numbers a network is made of: a record, or a tuple or dict of records.

    Raises TypeError for anything else.
    """
    return sum(array.size for array in leaves("network", network).values())


def hidden_size(init, input_size, wanted):
    """Return the H for which init(input_size, H) has the number of parameters nearest to `wanted`.

    init: a function such as `LSTMCell.init`, or one that returns a cell and its output layer; its
    networks must grow with H. Of two that are equally near, the smaller.
    Raises TypeError or ValueError for arguments that do not fit.
    """
    checks.instance("init", init, Callable, "a function of input_size and hidden_size")
    checks.whole("input_size", input_size)
    checks.whole("wanted", wanted)
    size, count = 1, parameters(init(input_size, 1))
    while count < wanted:
        larger = parameters(init(input_size, size + 1))
        if larger <= count:
            raise ValueError(f"init: expected more parameters for more units, got {larger}")
        if larger - wanted >= wanted - count:
            return size
        size, count = size + 1, larger
    return size

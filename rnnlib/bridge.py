"""To and from torch: an RNN, LSTM or GRU of torch becomes cells whose every quantity shows.

rnnlib keeps torch's orientation and its order of gates (LSTM: i, f, g, o; GRU: r, z, n), so the
weights go over as they are, bit for bit:

    U = weight_ih      W = weight_hh      b = bias_ih + bias_hh

torch splits every bias in two, of which only the sum acts: the way back puts b in bias_ih and zeros
in bias_hh. Rows n of a GRU are the exception, since the reset gate comes between their two biases:

    b = bias_ih        b_n = bias_hh      rows n

rnnlib is time-major, (T, B, D), as torch is by default. `batch_first` changes only how a module
takes its data, not its weights: such modules are accepted, and their data must be transposed.

A model of your own, whatever it does before and after its recurrent layers, in three lines:

    run = lambda: loss_of(model(batch), targets)            # one pass of it, to its loss
    trace, dtrace = bridge.trace_torch(model.lstm, run)
    trace.i, trace.f, dtrace.c                              # its gates, its cell states' gradients

With two layers or more, trace.layers[0].i and so on; with two directions, trace.ahead.i.
"""

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnlib import checks
from rnnlib.bidirectional import Bidirectional
from rnnlib.cells import RNNCell
from rnnlib.gru import GRUCell
from rnnlib.lstm import LSTMCell
from rnnlib.stack import Stack
from rnnlib.unroll import backward, forward

LAYERS = {RNNCell: torch.nn.RNN, LSTMCell: torch.nn.LSTM, GRUCell: torch.nn.GRU}
STEPS = {RNNCell: torch.nn.RNNCell, LSTMCell: torch.nn.LSTMCell, GRUCell: torch.nn.GRUCell}


def from_torch(module):
    """The cell with the weights (copied) of a torch module, or the list of its layers' cells.

    module: a torch.nn.RNN, LSTM, GRU, RNNCell, LSTMCell or GRUCell. One layer gives a cell, several
    a list, the lowest first, which `Stack` unrolls; two directions give a `Bidirectional` for each
    layer. float32 and float64 are kept; bias=False gives zeros. TypeError: another class, a forward
    of its own, half precision or quantised weights. ValueError: proj_size, dropout in training,
    weights that are not there, not finite, or computed from others.
    """
    ours, theirs = _kind(module)
    if theirs is STEPS[ours]:
        return _cell_of(module, ours, "")
    if module.proj_size:
        raise ValueError(f"module: expected no projection, got proj_size={module.proj_size}")
    if module.dropout and module.training:
        raise ValueError(
            f"module: expected no dropout, got dropout={module.dropout} in training; call eval()"
        )
    ways = ("", "_reverse") if module.bidirectional else ("",)
    layers = [
        [_cell_of(module, ours, f"_l{k}{way}") for way in ways] for k in range(module.num_layers)
    ]
    layers = [Bidirectional(*cells) if module.bidirectional else cells[0] for cells in layers]
    return layers if len(layers) > 1 else layers[0]


def to_torch(cell):
    """A `torch.nn.RNN`, `LSTM` or `GRU` with the weights of `cell` (copied), in their dtype.

    cell: an RNNCell, LSTMCell or GRUCell; a `Bidirectional` of two; a list or a `Stack` of either,
    all of one kind, size and dtype. TypeError: a cell that torch has not. ValueError: identity
    activation, cells that differ. torch's global random numbers are left as they were.
    """
    layers = _layers(cell)
    _check_alike(layers)
    first = next(iter(layers[0].values()))
    options = {"nonlinearity": first.activation} if type(first) is RNNCell else {}
    with torch.random.fork_rng(devices=[]):
        module = LAYERS[type(first)](
            first.input_size, first.hidden_size, len(layers), bidirectional=len(layers[0]) == 2,
            device="cpu", dtype=getattr(torch, first.dtype.name), **options,
        )
    arrays = {}
    for k, cells in enumerate(layers):
        for one, way in zip(cells.values(), ("", "_reverse"), strict=False):
            parts = {"weight_ih": one.U, "weight_hh": one.W, "bias_ih": one.b}
            parts["bias_hh"] = _second_bias(one)
            arrays |= {f"{name}_l{k}{way}": array for name, array in parts.items()}
    module.load_state_dict({n: torch.tensor(v, device="cpu") for n, v in arrays.items()})
    return module


def state_from_torch(cell, state):
    """What `forward` takes as `state`, from what torch.nn.RNN, LSTM and GRU take and return.

    cell: as for `to_torch`; of a list, the state is that of Stack(list). state: h, or for an LSTM
    the pair (h, c), tensors or arrays (layers * directions, B, H). Raises as `forward` does for
    another shape, and TypeError where the pair is missing.
    """
    layers = _layers(cell)
    _check_alike(layers)
    count, first = sum(map(len, layers)), next(iter(layers[0].values()))
    pair = isinstance(state, (tuple, list)) and len(state) == 2
    if first.states == 2 and not pair:
        raise TypeError(f"state: expected the pair (h, c), got {type(state).__name__}")
    arrays, batch = [], "B"
    for name, part in zip("hc", state, strict=True) if first.states == 2 else [("h", state)]:
        part = part.detach().cpu() if isinstance(part, torch.Tensor) else part
        arrays.append(checks.array(f"state ({name})", part, (count, batch, first.hidden_size)))
        batch = arrays[0].shape[1]
    each = iter(arrays[0] if first.states == 1 else np.stack(arrays, axis=1))
    layers = [tuple(next(each) for _ in cells) for cells in layers]
    layers = [one if len(one) == 2 else one[0] for one in layers]
    return tuple(layers) if isinstance(cell, (Stack, list, tuple)) else layers[0]


def trace_torch(module, loss):
    """(trace, dtrace) of a torch.nn.RNN, LSTM or GRU within a model: one pass, seen from inside.

    loss: a function without arguments that runs the model and returns its loss, a tensor of one
    number; `module` must be called once. trace is `forward` on what the module was given (inputs,
    initial state, the lengths of a packed sequence), dtrace `backward` from what the rest of the
    model sends back into it; both time-major. The parameters and .grad stay as they are.
    ValueError: the module is not called once, or on no batch; a loss without gradient, as under
    no_grad.
    """
    cells, calls, leaves = from_torch(module), [], []
    if isinstance(module, tuple(STEPS.values())):
        kind = type(module).__name__
        raise TypeError(f"module: expected torch.nn.RNN, LSTM or GRU, got one step of them, {kind}")
    if not callable(loss):
        raise TypeError(f"loss: expected a function that runs the model, got {type(loss).__name__}")

    def watch(_, args, named, output):
        calls.append(_given(*args, **named))
        return _cut(output, leaves)     # the model goes on from leaves: no need of what is below

    handle = module.register_forward_hook(watch, with_kwargs=True)
    try:
        value = loss()
    finally:
        handle.remove()
    if len(calls) != 1:
        raise ValueError(f"loss: expected the module to be called once, got {len(calls)} calls")
    if not isinstance(value, torch.Tensor) or value.numel() != 1 or not value.requires_grad:
        got = checks.came(value)
        raise ValueError(f"loss: expected a tensor of one number with a gradient, got {got}")
    return _seen(cells, *calls[0], leaves, value, module.batch_first)


def _seen(cells, given, state, leaves, value, batch_first):
    """The trace on the inputs and state that were given, and dtrace from the gradients."""
    dleaves = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    cell = Stack(tuple(cells)) if isinstance(cells, list) else cells
    if isinstance(given, PackedSequence):
        dhs = pad_packed_sequence(PackedSequence(dleaves[0], *given[1:]))[0]
        xs, lengths = pad_packed_sequence(given)
    else:
        turn = (1, 0, 2) if batch_first else (0, 1, 2)
        xs, dhs, lengths = given.permute(turn), dleaves[0].permute(turn), None
    dlast = dleaves[1] if len(dleaves) == 2 else dleaves[1:]
    state = None if state is None else state_from_torch(cell, state)
    trace = forward(cell, xs.detach().cpu().numpy(), state, lengths=lengths)
    dlast = state_from_torch(cell, dlast)
    return trace, backward(cell, trace, dhs.cpu().numpy(), dlast=dlast)[0]


def _given(input, hx=None):  # the names are torch's
    if not isinstance(input, PackedSequence) and input.ndim != 3:
        raise ValueError(f"loss: expected inputs of three axes, a batch, got {input.ndim} axes")
    return input, hx


def _cut(output, leaves):
    """The module's output begun anew as leaves of the graph, which are added to `leaves`."""
    hs, last = output
    packed = isinstance(hs, PackedSequence)
    parts = [hs.data if packed else hs, *(last if isinstance(last, tuple) else (last,))]
    parts = [part.detach().requires_grad_() for part in parts]
    leaves += parts
    hs_now, *last_now = (leaf.clone() for leaf in parts)    # clones may be changed in place
    hs_now = PackedSequence(hs_now, *hs[1:]) if packed else hs_now
    return hs_now, tuple(last_now) if isinstance(last, tuple) else last_now[0]


def _kind(module):
    """(our class, torch's class) of a module that runs as torch wrote it."""
    for kinds in (LAYERS, STEPS):
        for ours, theirs in kinds.items():
            if isinstance(module, theirs):
                if getattr(module.forward, "__func__", None) is not theirs.forward:
                    words = f"the forward of torch.nn.{theirs.__name__}"
                    raise TypeError(f"module: expected {words}, got another (overridden)")
                return ours, theirs
    kinds = (*LAYERS.values(), *STEPS.values())
    inner = module.named_modules() if isinstance(module, torch.nn.Module) else ()
    inner = [name for name, part in inner if isinstance(part, kinds)]
    hint = f"; perhaps its .{inner[0]} was meant" if inner else ""
    got = f"{type(module).__module__}.{type(module).__name__}".removeprefix("builtins.")
    raise TypeError(
        f"module: expected a torch.nn.RNN, LSTM, GRU or one of their cells, got {got}{hint}"
    )


def _cell_of(module, ours, suffix):
    """The cell of one layer and direction; `suffix` ends the names of its parameters."""
    U, W = (_array(module, name + suffix) for name in ("weight_ih", "weight_hh"))
    if not module.bias:
        b_ih = b_hh = b = np.zeros(len(W), W.dtype)
    else:
        names = [f"bias_ih{suffix}", f"bias_hh{suffix}"]
        b_ih, b_hh = (_array(module, name) for name in names)
        with np.errstate(over="ignore"):
            b = checks.real(f"module.{' + '.join(names)}", b_ih + b_hh)
    if ours is LSTMCell:
        return LSTMCell(U, W, b)
    if ours is GRUCell:
        H = len(W) // 3
        return GRUCell(U, W, np.concatenate([b[: 2 * H], b_ih[2 * H :]]), b_hh[2 * H :])
    # What a torch.nn.RNN computes is written in its mode, not in its nonlinearity.
    words = module.mode[4:].lower() if hasattr(module, "mode") else module.nonlinearity
    return RNNCell(U, W, b, checks.choice("module.nonlinearity", words, ("tanh", "relu")))


def _array(module, name):
    weight = dict(module.named_parameters(recurse=False, remove_duplicate=False)).get(name)
    if weight is None:
        raise ValueError(
            f"module.{name}: expected a parameter, got a tensor computed from others (weight norm, "
            "pruning); remove the parametrisation first"
        )
    if weight.is_meta or torch.nn.parameter.is_lazy(weight):
        raise ValueError(f"module.{name}: expected numbers, got a tensor without data")
    if weight.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"module.{name}: expected float32 or float64, got {weight.dtype}")
    return checks.real(f"module.{name}", weight.detach().cpu().numpy(), copy=False)  # cells copy


def _second_bias(cell):
    """bias_hh: zeros, with the sign of a zero of b, so that the sum has the bits of b; GRU: b_n."""
    bias = np.where(cell.b == 0, cell.b, 0)
    if type(cell) is GRUCell:
        bias[2 * cell.hidden_size :] = cell.b_n
    return bias


def _layers(cell):
    """For every layer, the lowest first: its cells, one a direction, by the name of each."""
    if isinstance(cell, (list, tuple)):
        cell = Stack(tuple(cell))
    if type(cell) is not Stack:
        return [_directions("cell", cell)]
    return [_directions(f"cells[{k}]", layer) for k, layer in enumerate(cell.cells)]


def _directions(name, layer):
    cells = {name: layer}
    if type(layer) is Bidirectional:
        cells = {f"{name}.ahead": layer.ahead, f"{name}.back": layer.back}
    for path, cell in cells.items():
        if type(cell) not in LAYERS:
            words = ", ".join(kind.__name__ for kind in LAYERS)
            raise TypeError(f"{path}: expected one of {words}, got {type(cell).__name__}")
        if getattr(cell, "activation", None) == "identity":
            raise ValueError(f"{path}: expected activation tanh or relu, as torch, got identity")
    return cells


def _check_alike(layers):
    """torch's modules are of one piece: the same cell in all layers and directions but for U."""
    found = {path: _words(cell, layer) for layer in layers for path, cell in layer.items()}
    (first, words), *others = found.items()
    for path, other in others:
        if other != words:
            raise ValueError(f"{path}: expected {words}, as {first}, got {other}")


def _words(cell, layer):
    kind = " ".join([getattr(cell, "activation", ""), type(cell).__name__]).strip()
    ways = "both directions" if len(layer) == 2 else "one direction"
    return f"{kind} of {cell.hidden_size} hidden units in {cell.dtype}, {ways}"

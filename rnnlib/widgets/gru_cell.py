"""One GRU cell as a drawing that computes, in the language of `lstm_cell`, on the same sequence."""

from functools import cache

import numpy as np

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.gru import GRUCell
from rnnlib.plots import cells
from rnnlib.plots.cells import Box, Flow, Label, Valve, Wire
from rnnlib.plots.matrices import blank_axes, signed
from rnnlib.plots.numerals import subscript
from rnnlib.widgets.drawn_cell import FREE, Drawing, holds, opening, reads, sequence

STAGES = ("look", "gates", "candidate", "mix")
LOOK, GATES, CANDIDATE, MIX = range(1, 5)
HOLDS = holds("rz")


def gru_cell():
    """One GRU unit (torch's form) that keeps a number, drawn with all it computes.

        r, z = σ(b + W h_{t-1} + U x_t),   s_t = b_n + W_n h_{t-1}
        n_t = tanh(b + U x_t + r_t s_t),   h_t = (1 - z_t) n_t + z_t h_{t-1}

    Its weights are set by hand (`gru_by_hand`); one gate can be held at 0 or 1 all the time.
    """
    still = {"stage": MIX, "hold": FREE}
    return live.LiveFigure(
        _setup,
        _update,
        title="Inside a GRU cell",
        controls=DRAWING.controls(),
        presets={
            "The writing step": {"t": 2} | still,
            "Kept": {"t": 6} | still,
            "Asked, but it shows all the time": {"t": 7} | still,
            "r = 0: add becomes store": {"t": 4, "stage": MIX, "hold": "r = 0"},
            "r = 1: store becomes add": {"t": 9, "stage": MIX, "hold": "r = 1"},
            "z = 0: nothing is kept": {"t": 5, "stage": MIX, "hold": "z = 0"},
            "z = 1: nothing gets in": {"t": 4, "stage": MIX, "hold": "z = 1"},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- the numbers --------------------------------------------------------------------------------


def gru_by_hand():
    """The cell: D = 4 inputs (the number, and 1 where the command is store, add, show), H = 1.

    z shuts at store and add, r opens at add: the candidate is then tanh of the number and the past.
    """
    U = [[0, 0, 8, 0],                                              # r
         [0, -8, -8, 0],                                            # z
         [1, 0, 0, 0]]                                              # n
    W, b, b_n = [[0], [0], [1]], [-4, 4, 0], [0]
    return GRUCell(*(np.array(parameter, float) for parameter in (U, W, b, b_n)))


@cache
def gru_run(hold=FREE):
    """All that the cell computes, one equation after the other: name -> (T,).

    hold: one of `HOLDS`; that gate has that value at every step. h has T + 1 values, h_0 first;
    u is what the candidate gets from the input, U_n x_t + b.
    """
    cell, held = gru_by_hand(), HOLDS[hold]
    run = {name: [] for name in ("a_r", "a_z", "r", "z", "s", "u", "a_n", "n")} | {"h": [0.0]}
    for x in sequence()[:, 0]:
        h, u = run["h"][-1], cell.b + cell.U @ x
        a = u[:2] + cell.W[:2, 0] * h
        r, z = sigmoid(a)
        r, z = held.get("r", r), held.get("z", z)
        s = cell.b_n[0] + cell.W[2, 0] * h
        a_n = u[2] + r * s
        n = np.tanh(a_n)
        values = (*a, r, z, s, u[2], a_n, n, (1 - z) * n + z * h)
        for name, value in zip(run, values, strict=True):
            run[name].append(value)
    return {name: np.array(values) for name, values in run.items()}


# --- the drawing --------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 452
BELT, LANE, BOX_ROW, GATE_ROW = 102, 305, 276, 245  # heights: of h, of the way to the boxes, ...
Z_X, R_X, N_X, U_X = 120, 191, 264, 362  # columns
WRITE_Y, TANH_Y, SUM_Y = 138, 173, 214
JOINT = 76  # where h_{t-1} and x_t meet

FLOWS = {
    "h_prev": Flow((44, BELT), (Z_X, BELT), style.H),
    "down": Flow((JOINT, BELT), (JOINT, LANE), style.H),
    "kept": Flow((Z_X, BELT), (N_X, BELT), style.H),
    "h": Flow((N_X, BELT), (418, BELT), style.H),
    "s": Flow((N_X, BOX_ROW - 10), (N_X, GATE_ROW), style.CANDIDATE),
    "seen": Flow((N_X, GATE_ROW), (N_X, SUM_Y), style.CANDIDATE),
    "n": Flow((N_X, TANH_Y - 8), (N_X, WRITE_Y), style.CANDIDATE),
    "written": Flow((N_X, WRITE_Y), (N_X, BELT), style.CANDIDATE),
}
VALVES = {
    "z": Valve((Z_X, BELT), style.KEEP, level=True),
    "1 - z": Valve((N_X, WRITE_Y), style.KEEP),
    "r": Valve((N_X, GATE_ROW), style.LOOK),
}
WIRES = {
    "z": Wire(((Z_X, GATE_ROW), (Z_X, BELT + 20)), style.KEEP),
    "1 - z": Wire(((Z_X, WRITE_Y), (N_X - 20, WRITE_Y)), style.KEEP, ">"),
    "r": Wire(((R_X, GATE_ROW), (N_X - 20, GATE_ROW)), style.LOOK, ">"),
    "u": Wire(((U_X, BOX_ROW), (U_X, SUM_Y), (N_X + 12, SUM_Y)), style.CANDIDATE, "<"),
}
BOXES = {
    "a_z": Box((Z_X, BOX_ROW), "a", "z", style.KEEP),
    "a_r": Box((R_X, BOX_ROW), "a", "r", style.LOOK),
    "s": Box((N_X, BOX_ROW), "s", "", style.CANDIDATE, digits=2),
    "u": Box((U_X, BOX_ROW), "U x + b", "", style.CANDIDATE, 88, digits=2),
}
LABELS = {
    "h_prev": Label((22, BELT), style.H),
    "h": Label((443, BELT), style.H),
    "z": Label((Z_X, BELT - 26), style.KEEP),
    "kept": Label((206, BELT - 26), style.H),
    "1 - z": Label((186, WRITE_Y - 12), style.KEEP),
    "r": Label((211, GATE_ROW - 18), style.LOOK),
    "seen": Label((N_X + 13, 231), style.CANDIDATE, "left"),
    "a_n": Label((N_X + 13, 195), style.CANDIDATE, "left"),
    "n": Label((N_X + 36, 164), style.CANDIDATE, "left"),
    "written": Label((N_X + 13, 122), style.CANDIDATE, "left"),
}
ROLES = {
    "update gate": Label((Z_X, BELT - 39), style.KEEP),
    "reset gate": Label((211, GATE_ROW - 31), style.LOOK),
    "candidate": Label((N_X + 36, 151), style.CANDIDATE, "left"),
}
#: what is computed -> the stage that does so
STAGE_OF = {
    "h_prev": LOOK, "down": LOOK, "s": LOOK, "u": LOOK, "z": GATES, "1 - z": GATES, "r": GATES,
    "seen": CANDIDATE, "a_n": CANDIDATE, "n": CANDIDATE, "kept": MIX, "written": MIX, "h": MIX,
}


DRAWING = Drawing(
    stages=STAGES, stage_of=STAGE_OF, holds=HOLDS, flows=FLOWS, valves=VALVES, wires=WIRES,
    boxes=BOXES, labels=LABELS, heads=("h",), rooms={"h": 1}, between={"h": "\n", "h_prev": "\n"},
)


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    cells.draw_frame(ax, 62, 48, 412, 327)
    artists = DRAWING.create(ax, free=gru_run(), x=(JOINT + 8, LANE + 32), strip=357)
    _draw_fixed(ax)
    cells.draw_inputs(ax, (JOINT, LANE), BOX_ROW + 11, (Z_X, R_X, N_X, U_X))
    return fig, artists


def _draw_fixed(ax):
    for x in (Z_X, R_X):
        cells.draw_pill(ax, (x, GATE_ROW), "σ")
        ax.plot([x, x], [BOX_ROW - 9, GATE_ROW], color=style.MUTED, lw=1.2, zorder=1)
    ax.plot([N_X, N_X], [SUM_Y, TANH_Y], color=style.MUTED, lw=1.2, zorder=1)
    cells.draw_pill(ax, (N_X, TANH_Y), "tanh")
    cells.draw_roles(ax, ROLES)
    for y in (BELT, SUM_Y):
        cells.draw_sum(ax, (N_X, y))


def _update(artists, t, stage, hold):
    run = gru_run(hold)
    now = values_at(run, t)
    DRAWING.show(artists, t, stage, hold, run=run, now=now, names=_names(t))
    artists["sum"].set_text(sums(t, now, hold)[stage - 1])
    return _sentence(t, stage, hold)


def values_at(run, t):
    """All that is drawn at step t, by name."""
    now = {name: run[name][t - 1] for name in run if name != "h"}
    now |= {"h": run["h"][t], "h_prev": run["h"][t - 1], "down": run["h"][t - 1]}
    now |= {"1 - z": 1 - now["z"], "seen": now["r"] * now["s"]}
    return now | {"kept": now["z"] * now["h_prev"], "written": now["1 - z"] * now["n"]}


def _names(t):
    this, last = subscript(t), subscript(t - 1)
    names = {name: f"{name}{this}" for name in "zrnh"}
    names |= {"h_prev": f"h{last}", "1 - z": f"1 − z{this}", "a_n": "aₙ"}
    return names | {"kept": f"z{this}·h{last}", "written": f"(1 − z{this})·n{this}",
                    "seen": f"r{this}·s{this}"}


def sums(t, now, hold):
    """What each stage computes, with its numbers."""
    this, last = subscript(t), subscript(t - 1)
    said = {name: signed(value) for name, value in now.items()}
    gates = ",   ".join(
        f"{k}{this} = {now[k]:g} (held)" if k in HOLDS[hold]
        else f"{k}{this} = σ({signed(now['a_' + k], 1)}) = {said[k]}" for k in "zr")
    return (
        f"s{this} = bₙ + Wₙ h{last} = 0 + 1·{said['h_prev']} = {said['s']}",
        gates,
        f"n{this} = tanh(U x{this} + b + r{this}·s{this}) = tanh({said['u']} + "
        f"{said['r']}·{said['s']}) = {said['n']}",
        f"h{this} = (1 − z{this})·n{this} + z{this}·h{last} = {said['1 - z']}·{said['n']} + "
        f"{said['z']}·{said['h_prev']} = {said['h']}",
    )


# --- what is said -------------------------------------------------------------------------------


def _sentence(t, stage, hold):
    now = values_at(gru_run(hold), t)
    said = f"{reads(t)} {STAGES[stage - 1].capitalize()}: {_stage_sentence(t, stage, now)}"
    return said if hold == FREE else f"{said} {_hold_sentence(t, hold)}"


def _stage_sentence(t, stage, now):
    this, last = subscript(t), subscript(t - 1)
    said = {k: signed(v) for k, v in now.items()}
    if stage == LOOK:
        return (f"from before there is h{last} = {said['h_prev']}, on the belt and on its way to "
                f"the gates; s{this} = {said['s']} is what the candidate may see of it.")
    if stage == GATES:
        return (f"z {opening(now['z'])} ({said['z']}) for what is there, so its other valve, "
                f"{said['1 - z']}, {opening(now['1 - z'])}; r {opening(now['r'])} ({said['r']}).")
    if stage == CANDIDATE:
        return (f"of the past, r{this} = {said['r']} lets {said['seen']} be seen; with the input "
                f"the candidate is n{this} = {said['n']}.")
    return (f"{said['kept']} is kept and {said['written']} is written; the belt carries "
            f"h{this} = {said['h']}, for all to see.")


MEANING = {
    "r = 0": "the candidate never sees the past, so that add does what store does",
    "r = 1": "the candidate always sees the past, so that store does what add does",
    "z = 0": "nothing is kept on the belt, and the candidate becomes the state",
    "z = 1": "all is kept, and nothing is ever written",
}


def _hold_sentence(t, hold):
    return (f"{hold[0]} is held at {hold[-1]}: {MEANING[hold]}. "
            f"Not held, h{subscript(t)} would be {signed(gru_run()['h'][t])}.")

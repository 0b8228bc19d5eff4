"""One LSTM cell as a drawing that computes: what flows, what is kept, what a held gate does."""

from functools import cache

import numpy as np

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.lstm import LSTMCell
from rnnlib.plots import cells
from rnnlib.plots.cells import Box, Flow, Label, Valve, Wire
from rnnlib.plots.matrices import blank_axes, signed
from rnnlib.plots.numerals import subscript
from rnnlib.widgets.drawn_cell import FREE, Drawing, holds, opening, reads, sequence

STAGES = ("look", "gates", "forget", "write", "show")
LOOK, GATES, FORGET, WRITE, SHOW = range(1, 6)
HOLDS = holds("fio")


def lstm_cell():
    """One LSTM unit that keeps a number until it is asked for, drawn with all it computes.

        a = b + W h_{t-1} + U x_t,   i, f, o = σ(a_i, a_f, a_o),   g = tanh(a_g)
        c_t = f_t c_{t-1} + i_t g_t,   h_t = o_t tanh(c_t)

    Its weights are set by hand (`lstm_by_hand`); one gate can be held at 0 or 1 all the time.
    """
    still = {"stage": SHOW, "hold": FREE}
    return live.LiveFigure(
        _setup,
        _update,
        title="Inside an LSTM cell",
        controls=DRAWING.controls(),
        presets={
            "The writing step": {"t": 2, "stage": WRITE, "hold": FREE},
            "Kept and hidden": {"t": 6} | still,
            "Shown when asked": {"t": 7} | still,
            "Then dropped": {"t": 8, "stage": FORGET, "hold": FREE},
            "f = 0: forgotten at once": {"t": 3, "stage": SHOW, "hold": "f = 0"},
            "f = 1: nothing is dropped": {"t": 10, "stage": SHOW, "hold": "f = 1"},
            "i = 1: every number gets in": {"t": 6, "stage": SHOW, "hold": "i = 1"},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- the numbers --------------------------------------------------------------------------------


def lstm_by_hand():
    """The cell: D = 4 inputs (the number, and 1 where the command is store, add, show), H = 1.

    i opens at store and add, o at show. f shuts at store, and in the step after h was not 0: what
    has been shown is dropped. g is tanh of the number.
    """
    U = [[0, 8, 8, 0],                                              # i
         [0, -8, 0, 0],                                             # f
         [1, 0, 0, 0],                                              # g
         [0, 0, 0, 8]]                                              # o
    W, b = [[0], [-16], [0], [0]], [-4, 4, 0, -4]
    return LSTMCell(*(np.array(parameter, float) for parameter in (U, W, b)))


@cache
def lstm_run(hold=FREE):
    """All that the cell computes, one equation after the other: name -> (T,).

    hold: one of `HOLDS`; that gate has that value at every step. c and h have T + 1 values, c_0
    and h_0 first.
    """
    cell, held = lstm_by_hand(), HOLDS[hold]
    run = {name: [] for name in ("a_i", "a_f", "a_g", "a_o", "i", "f", "g", "o")}
    run |= {"c": [0.0], "h": [0.0]}
    for x in sequence()[:, 0]:
        a = cell.b + cell.W[:, 0] * run["h"][-1] + cell.U @ x
        i, f, g, o = (*sigmoid(a[:2]), np.tanh(a[2]), *sigmoid(a[3:]))
        i, f, o = held.get("i", i), held.get("f", f), held.get("o", o)
        c = f * run["c"][-1] + i * g
        for name, value in zip(run, (*a, i, f, g, o, c, o * np.tanh(c)), strict=True):
            run[name].append(value)
    return {name: np.array(values) for name, values in run.items()}


# --- the drawing --------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 452
BELT, LANE, GATE_ROW = 102, 276, 216  # heights: of the belt, of h, of the functions that make gates
F_X, I_X, G_X, O_X, H_X = 112, 175, 238, 310, 364  # columns
ROOM = 2.0  # of the belt
I_Y, TANH_Y, O_Y = 162, 126, 172
JOINT = 80  # where h_{t-1} and x_t meet

FLOWS = {
    "c_prev": Flow((44, BELT), (F_X, BELT), style.H, ROOM),
    "kept": Flow((F_X, BELT), (G_X, BELT), style.H, ROOM),
    "c": Flow((G_X, BELT), (418, BELT), style.H, ROOM),
    "g": Flow((G_X, GATE_ROW - 8), (G_X, I_Y), style.CANDIDATE),
    "written": Flow((G_X, I_Y), (G_X, BELT), style.CANDIDATE),
    "tanh_c": Flow((H_X, TANH_Y), (H_X, O_Y), style.H),
    "h": Flow((H_X, O_Y), (H_X, LANE), style.H, turns=True),
    "h_out": Flow((H_X, LANE), (418, LANE), style.H, turns=True),
    "h_prev": Flow((44, LANE), (JOINT, LANE), style.H),
}
VALVES = {
    "f": Valve((F_X, BELT), style.KEEP, level=True),
    "i": Valve((G_X, I_Y), style.WRITE),
    "o": Valve((H_X, O_Y), style.LOOK),
}
WIRES = {
    "f": Wire(((F_X, GATE_ROW), (F_X, BELT + 20)), style.KEEP),
    "i": Wire(((I_X, GATE_ROW), (I_X, I_Y), (G_X - 20, I_Y)), style.WRITE, ">"),
    "o": Wire(((O_X, GATE_ROW), (O_X, O_Y), (H_X - 20, O_Y)), style.LOOK, ">"),
}
BOXES = {
    f"a_{k}": Box((x, 247), "a", k, style.GATES[k])
    for k, x in zip("figo", (F_X, I_X, G_X, O_X), strict=True)
}
LABELS = {
    "c_prev": Label((22, BELT), style.H),
    "c": Label((443, BELT), style.H),
    "h_prev": Label((22, LANE), style.H),
    "h": Label((443, LANE), style.H),
    "f": Label((F_X, BELT - 26), style.KEEP),
    "kept": Label((182, BELT - 26), style.H),
    "i": Label((I_X, I_Y - 12), style.WRITE),
    "g": Label((G_X + 12, 194), style.CANDIDATE, "left"),
    "written": Label((G_X + 13, 126), style.CANDIDATE, "left"),
    "o": Label((314, O_Y - 12), style.LOOK),
    "tanh_c": Label((H_X + 12, 149), style.H, "left"),
}
ROLES = {
    "forget gate": Label((F_X, BELT - 39), style.KEEP),
    "input gate": Label((I_X, I_Y - 25), style.WRITE),
    "candidate": Label((G_X + 12, 181), style.CANDIDATE, "left"),
    "output gate": Label((314, O_Y - 25), style.LOOK),
}
#: what is computed -> the stage that does so
STAGE_OF = {
    "c_prev": LOOK, "h_prev": LOOK, "f": GATES, "i": GATES, "g": GATES, "o": GATES,
    "kept": FORGET, "written": WRITE, "c": WRITE, "tanh_c": SHOW, "h": SHOW, "h_out": SHOW,
}


DRAWING = Drawing(
    stages=STAGES, stage_of=STAGE_OF, holds=HOLDS, flows=FLOWS, valves=VALVES, wires=WIRES,
    boxes=BOXES, labels=LABELS, heads=("c", "h_out"), rooms={"c": ROOM, "h": 1},
    between={"c": "\n", "h": "\n", "c_prev": "\n", "h_prev": "\n", "tanh_c": ""},
)


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    cells.draw_frame(ax, 62, 48, 408, 298)
    artists = DRAWING.create(ax, free=lstm_run(), x=(JOINT + 8, LANE + 32), strip=328)
    _draw_fixed(ax)
    cells.draw_inputs(ax, (JOINT, LANE), 258, (F_X, I_X, G_X, O_X))
    return fig, artists


def _draw_fixed(ax):
    for x, name in ((F_X, "σ"), (I_X, "σ"), (G_X, "tanh"), (O_X, "σ")):
        cells.draw_pill(ax, (x, GATE_ROW), name)
        ax.plot([x, x], [238, GATE_ROW], color=style.MUTED, lw=1.2, zorder=1)
    cells.draw_pill(ax, (H_X, TANH_Y), "tanh")
    cells.draw_roles(ax, ROLES)
    cells.draw_sum(ax, (G_X, BELT))


def _update(artists, t, stage, hold):
    run = lstm_run(hold)
    now = values_at(run, t)
    DRAWING.show(artists, t, stage, hold, run=run, now=now, names=_names(t))
    artists["sum"].set_text(sums(t, now, hold)[stage - 1])
    return _sentence(t, stage, hold)


def values_at(run, t):
    """All that is drawn at step t, by name."""
    now = {name: run[name][t - 1] for name in run if name not in "ch"}
    now |= {"c": run["c"][t], "h": run["h"][t], "h_out": run["h"][t]}
    now |= {"c_prev": run["c"][t - 1], "h_prev": run["h"][t - 1], "tanh_c": np.tanh(run["c"][t])}
    return now | {"kept": now["f"] * now["c_prev"], "written": now["i"] * now["g"]}


def _names(t):
    this, last = subscript(t), subscript(t - 1)
    names = {name: f"{name}{this}" for name in "cfigoh"}
    names |= {"c_prev": f"c{last}", "h_prev": f"h{last}", "tanh_c": ""}
    return names | {"kept": f"f{this}·c{last}", "written": f"i{this}·g{this}"}


def sums(t, now, hold):
    """What each stage computes, with its numbers."""
    this, last = subscript(t), subscript(t - 1)
    said = {name: signed(value) for name, value in now.items()}
    cell, x = lstm_by_hand(), sequence()[t - 1, 0]
    gates = ", ".join(
        f"{k}{this} = {now[k]:g} (held)" if k in HOLDS[hold]
        else f"{k}{this} = σ({signed(now['a_' + k], 1)})" for k in "fio")
    return (
        f"a = b + W h{last} + U x{this};  for f:  {cell.b[1]:g} − {-cell.W[1, 0]:g}·"
        f"{signed(now['h_prev'], 4)} − {-(cell.U[1] @ x) + 0:g} = {signed(now['a_f'], 1)}",
        f"{gates},  g{this} = tanh({signed(now['a_g'], 1)})",
        f"f{this}·c{last} = {said['f']}·{said['c_prev']} = {said['kept']}",
        f"c{this} = f{this}·c{last} + i{this}·g{this} = {said['f']}·{said['c_prev']} + "
        f"{said['i']}·{said['g']} = {said['c']}",
        f"h{this} = o{this}·tanh(c{this}) = {said['o']}·{said['tanh_c']} = {said['h']}",
    )


# --- what is said -------------------------------------------------------------------------------


def _sentence(t, stage, hold):
    now = values_at(lstm_run(hold), t)
    said = f"{reads(t)} {STAGES[stage - 1].capitalize()}: {_stage_sentence(t, stage, now)}"
    return said if hold == FREE else f"{said} {_hold_sentence(t, stage, hold)}"


def _stage_sentence(t, stage, now):
    this, last = subscript(t), subscript(t - 1)
    said = {k: signed(v) for k, v in now.items()}
    if stage == LOOK:
        return (f"from before there are c{last} = {said['c_prev']} on the belt and "
                f"h{last} = {said['h_prev']}; x and h make the four pre-activations.")
    if stage == GATES:
        gates = ", ".join(f"{k} {opening(now[k])} ({said[k]})" for k in "fio")
        return f"{gates}; the candidate is g{this} = {said['g']}."
    if stage == FORGET:
        return f"of c{last} = {said['c_prev']}, f{this} = {said['f']} leaves {said['kept']}."
    if stage == WRITE:
        return (f"{said['kept']} was left, i{this}·g{this} = {said['written']} is added; the belt "
                f"carries c{this} = {said['c']}.")
    return (f"the belt carries c{this} = {said['c']} ({said['kept']} kept, {said['written']} "
            f"written); o {opening(now['o'])}, and h{this} = {said['h']} of it is seen.")


MEANING = {
    "f = 0": "the belt is emptied at every step, and holds only what that step wrote",
    "f = 1": "nothing on the belt is ever dropped, as in the LSTM of 1997, which had no f",
    "i = 0": "nothing ever gets onto the belt",
    "i = 1": "every number is put on the belt, whatever the command",
    "o = 0": "nothing is ever seen of the belt, so the cell never learns that it was asked",
    "o = 1": "the belt is seen all the time, and what was seen is dropped in the next step",
}


def _hold_sentence(t, stage, hold):
    free = lstm_run()
    name = "h" if stage == SHOW and hold[0] == "o" else "c"
    return (f"{hold[0]} is held at {hold[-1]}: {MEANING[hold]}. "
            f"Not held, {name}{subscript(t)} would be {signed(free[name][t])}.")

"""One GRU cell as a drawing that computes, in the language of `lstm_cell`, on the same sequence."""

from functools import cache

import numpy as np

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.gru import GRUCell
from rnnlib.plots import cells
from rnnlib.plots.cell_strip import draw_stages, draw_strip, set_stages, set_strip
from rnnlib.plots.cells import Box, Flow, Label, Valve, Wire
from rnnlib.plots.matrices import blank_axes, signed
from rnnlib.plots.numerals import subscript
from rnnlib.widgets.lstm_cell import FREE, INPUTS, STEPS, opening, sequence

STAGES = ("look", "gates", "candidate", "mix")
LOOK, GATES, CANDIDATE, MIX = range(1, 5)
#: choice -> the gate that is held, and where
HOLDS = {FREE: {}} | {f"{k} = {at}": {k: float(at)} for k in "rz" for at in (0, 1)}


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
        controls={
            "t": live.Step("step t", 1, STEPS, value=4),
            "stage": live.Step("stage of the step", LOOK, MIX, value=MIX),
            "hold": live.Choice("hold a gate", list(HOLDS)),
        },
        presets={
            "The writing step": {"t": 2} | still,
            "Kept": {"t": 6} | still,
            "Asked, but it shows all the time": {"t": 7} | still,
            "r = 0: add becomes store": {"t": 4, "stage": MIX, "hold": "r = 0"},
            "r = 1: store becomes add": {"t": 9, "stage": MIX, "hold": "r = 1"},
            "z = 0: only the last number": {"t": 5, "stage": MIX, "hold": "z = 0"},
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
Z_X, R_X, N_X, U_X = 120, 191, 264, 366  # columns
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
    "s": Box((N_X, BOX_ROW), "s", "t", style.CANDIDATE),
    "u": Box((U_X, BOX_ROW), "U x + b", "", style.CANDIDATE, 80),
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


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    cells.draw_frame(ax, 62, 48, 412, 327)
    artists = {"flows": cells.draw_flows(ax, FLOWS), "valves": cells.draw_valves(ax, VALVES)}
    artists |= {"wires": cells.draw_wires(ax, WIRES), "labels": cells.draw_labels(ax, LABELS)}
    _draw_fixed(ax)
    cells.draw_inputs(ax, (JOINT, LANE), BOX_ROW + 11, (Z_X, R_X, N_X, U_X))
    artists["boxes"] = cells.draw_boxes(ax, BOXES)
    artists["head"] = cells.draw_head(ax, style.H)
    artists["x"] = ax.text(JOINT + 8, LANE + 32, "", color=style.X, va="center_baseline")
    artists["stages"] = draw_stages(ax, 10, STAGES)
    artists["sum"] = ax.text(WIDTH / 2, 31, "", ha="center", va="center_baseline", fontsize=11)
    return fig, artists | {"strip": draw_strip(ax, 357, INPUTS, {"h": (gru_run()["h"][1:], 1)})}


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
    shown = {name: now[name] for name in STAGE_OF if STAGE_OF[name] <= stage}
    for name, flow in FLOWS.items():
        cells.set_flow(artists["flows"][name], flow, shown.get(name))
    for name, valve in VALVES.items():
        cells.set_valve(artists["valves"][name], valve, shown.get(name))
    for name, wire in WIRES.items():
        cut = any(gate in name for gate in HOLDS[hold])
        cells.set_wire(artists["wires"][name], wire, name in shown, cut=cut)
    cells.set_head(artists["head"], FLOWS["h"], shown.get("h"))
    for name in BOXES:
        artists["boxes"][name].set_text(signed(now[name], 1))
    _set_labels(artists["labels"], shown, t, stage, hold)
    number, command = INPUTS[t - 1]
    artists["x"].set_text(f"x{subscript(t)}: {number:.1f}, {command or 'no command'}")
    set_stages(artists["stages"], stage)
    artists["sum"].set_text(sums(t, now, hold)[stage - 1])
    set_strip(artists["strip"], t, {"h": run["h"][1:]}, {"h": t - (stage < MIX)},
              "" if hold == FREE else hold)
    return _sentence(t, stage, hold)


def values_at(run, t):
    """All that is drawn at step t, by name."""
    now = {name: run[name][t - 1] for name in run if name != "h"}
    now |= {"h": run["h"][t], "h_prev": run["h"][t - 1], "down": run["h"][t - 1]}
    now |= {"1 - z": 1 - now["z"], "seen": now["r"] * now["s"]}
    return now | {"kept": now["z"] * now["h_prev"], "written": now["1 - z"] * now["n"]}


def _set_labels(texts, shown, t, stage, hold):
    this, last = subscript(t), subscript(t - 1)
    names = {name: f"{name}{this}" for name in "zrnh"}
    names |= {"h_prev": f"h{last}", "1 - z": f"1 − z{this}", "a_n": "aₙ"}
    names |= {"kept": f"z{this}·h{last}", "written": f"(1 − z{this})·n{this}",
              "seen": f"r{this}·s{this}"}
    for name, text in texts.items():
        cells.set_label(text, LABELS[name], names[name], shown.get(name),
                        fresh=STAGE_OF[name] == stage, held=name in HOLDS[hold],
                        between="\n" if name in ("h", "h_prev") else " = ")


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
    number, command = INPUTS[t - 1]
    said = f"Step {t} reads {number:.1f} and {command or 'no command'}. "
    said += f"{STAGES[stage - 1].capitalize()}: {_stage_sentence(t, stage, now)}"
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
    "z = 0": "nothing is kept, and each number is written over the last",
    "z = 1": "all is kept, and nothing is ever written",
}


def _hold_sentence(t, hold):
    return (f"{hold[0]} is held at {hold[-1]}: {MEANING[hold]}. "
            f"Not held, h{subscript(t)} would be {signed(gru_run()['h'][t])}.")

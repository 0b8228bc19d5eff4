"""What the drawn LSTM and the drawn GRU share: what they read, their controls, their pictures."""

from dataclasses import dataclass

import numpy as np

from rnnlib import live, style
from rnnlib.plots import cells
from rnnlib.plots.cell_strip import draw_stages, draw_strip, set_stages, set_strip
from rnnlib.plots.matrices import signed
from rnnlib.plots.numerals import subscript

COMMANDS = ("store", "add", "show")
#: What is read: a number and a command, "" if the number is not meant for the cell.
INPUTS = ((0.3, ""), (0.5, "store"), (0.2, ""), (0.4, "add"), (0.3, ""), (0.1, ""), (0.2, "show"),
          (0.3, ""), (0.4, "store"), (0.7, "store"))
STEPS = len(INPUTS)
FREE = "nothing"


def sequence():
    """The inputs as the cells read them, (T, 1, 4)."""
    return np.array([[[number, *(command == c for c in COMMANDS)]] for number, command in INPUTS],
                    float)


def holds(gates):
    """Choices of what to hold: nothing, or one of `gates` at 0 or 1: choice -> {gate: value}."""
    return {FREE: {}} | {f"{k} = {at}": {k: float(at)} for k in gates for at in (0, 1)}


def opening(share):
    """Whether a gate of that value is open."""
    return "is open" if share > 0.75 else "is shut" if share < 0.25 else "is half open"


def reads(t):
    """Say what step t reads."""
    number, command = INPUTS[t - 1]
    return f"Step {t} reads {number:.1f} and {command or 'no command'}."


@dataclass(frozen=True)
class Drawing:
    """A drawn cell: its tables (`plots.cells`) and the order in which its numbers are computed.

    stages: their names; stage_of: number -> the stage that computes it, from 1. holds: see `holds`.
    heads: flows that end in a tip. rooms: state -> the room that the strip below gives it.
    between: label -> what stands between its name and its number, if not " = ".
    """

    stages: tuple
    stage_of: dict
    holds: dict
    flows: dict
    valves: dict
    wires: dict
    boxes: dict
    labels: dict
    heads: tuple
    rooms: dict
    between: dict

    def controls(self):
        """Step, stage and hold; at the opening all of step 4, nothing held."""
        last = len(self.stages)
        return {
            "t": live.Step("step t", 1, STEPS, value=4),
            "stage": live.Step("stage of the step", 1, last, value=last),
            "hold": live.Choice("hold a gate", list(self.holds)),
        }

    def create(self, ax, *, free, x, strip):
        """Draw what moves. free: the run with nothing held; x: where x_t is told; strip: its top.

        Returns the artists that `show` moves, and the line of algebra, "sum".
        """
        states = {name: (free[name][1:], room) for name, room in self.rooms.items()}
        middle = ax.get_xlim()[1] / 2
        return {
            "flows": cells.draw_flows(ax, self.flows),
            "valves": cells.draw_valves(ax, self.valves),
            "wires": cells.draw_wires(ax, self.wires),
            "labels": cells.draw_labels(ax, self.labels),
            "boxes": cells.draw_boxes(ax, self.boxes),
            "heads": {name: cells.draw_head(ax, style.H) for name in self.heads},
            "x": ax.text(*x, "", color=style.X, va="center_baseline"),
            "stages": draw_stages(ax, 10, self.stages),
            "sum": ax.text(middle, 31, "", ha="center", va="center_baseline", fontsize=11),
            "strip": draw_strip(ax, strip, INPUTS, states),
        }

    def show(self, artists, t, stage, hold, *, run, now, names):
        """Bring everything to a state. now: number -> its value; names: label -> how it is called.

        run: state -> its values, that before step 1 first.
        """
        shown = {name: now[name] for name, since in self.stage_of.items() if since <= stage}
        held = self.holds[hold]
        self._show_pipes(artists, shown, held)
        for name, box in self.boxes.items():
            artists["boxes"][name].set_text(signed(now[name], box.digits))
        for name, text in artists["labels"].items():
            cells.set_label(text, self.labels[name], names[name], shown.get(name),
                            fresh=self.stage_of[name] == stage, held=name in held,
                            between=self.between.get(name, " = "))
        number, command = INPUTS[t - 1]
        artists["x"].set_text(f"x{subscript(t)}: {number:.1f}, {command or 'no command'}")
        set_stages(artists["stages"], stage)
        set_strip(artists["strip"], t, {name: run[name][1:] for name in self.rooms},
                  {name: t - (stage < self.stage_of[name]) for name in self.rooms},
                  "" if hold == FREE else hold)

    def _show_pipes(self, artists, shown, held):
        for name, flow in self.flows.items():
            cells.set_flow(artists["flows"][name], flow, shown.get(name))
        for name, valve in self.valves.items():
            cells.set_valve(artists["valves"][name], valve, shown.get(name))
        for name, wire in self.wires.items():
            cut = any(gate in name for gate in held)
            cells.set_wire(artists["wires"][name], wire, name in shown, cut=cut)
        for name, head in artists["heads"].items():
            cells.set_head(head, self.flows[name], shown.get(name))

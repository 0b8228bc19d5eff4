"""The gradient norms of chapter 4's figure, computed by torch's autograd.

The networks are those of rnnlib.widgets.gradient_norms.network at one setting, all its seeds:
torch unrolls them step by step, keeps the gradient of each state, and its norms are written with
17 significant digits, so that not a bit is lost. norm is ‖dL/dh_{τ-step}‖, for step = 0 .. 100.

Writes gradient_torch.csv. A second on one core; no random numbers of its own.
"""

import argparse
from pathlib import Path

import table
import torch

from rnnlib.widgets.gradient_norms import SEEDS, TORCH, network


def autograd_norms(cell, xs, dh_end):
    """‖dL/dh_τ‖, ‖dL/dh_{τ-1}‖, ..., ‖dL/dh_0‖ of a tanh network, by torch."""
    U, W, b, x, dh = (torch.tensor(a) for a in (cell.U, cell.W, cell.b, xs[:, 0], dh_end[0]))
    hs = [torch.zeros_like(b, requires_grad=True)]
    for x_t in x:
        hs.append(torch.tanh(b + W @ hs[-1] + U @ x_t))
        hs[-1].retain_grad()
    hs[-1].backward(dh)
    return [h.grad.norm().item() for h in reversed(hs)]


def rows():
    """A row for each network and step."""
    for seed in SEEDS:
        networks = network(**TORCH, seed=seed)
        for step, norm in enumerate(autograd_norms(*networks)):
            yield TORCH | {"seed": seed, "step": step, "norm": f"{norm:.17g}"}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")
    args = parser.parse_args(argv)
    with table.seconds():
        table.write(args.out / "gradient_torch.csv", list(rows()))


if __name__ == "__main__":
    main()

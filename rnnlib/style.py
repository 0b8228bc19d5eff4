"""One colour per quantity, in every figure of the book.

The hex values are those of a printed page. Live figures replace them in dark mode as `COLOURS`
says: use these constants, and tints of them (alpha), and no other colour.
"""

import matplotlib as mpl

INK = "#1a1a1a"  # axes, text, outputs, logits, data and targets
X = "#009E73"  # input x
H = "#0072B2"  # hidden state h
THETA = "#CC79A7"  # parameters U, W, V, b
GRAD = "#D55E00"  # loss and gradient
MUTED = "#767676"  # what is not the point now
PAPER = "#ffffff"  # the page, and boxes behind labels

# Gates, by what they do, so that one colour is one role in every cell. None is a colour of above.
KEEP = "#6A3D9A"  # how much of the old state stays: f of an LSTM, z of a GRU
WRITE = "#7A6A00"  # how much of the candidate is written: i of an LSTM
LOOK = "#B01E3C"  # how much may be looked at: o of an LSTM, r of a GRU
CANDIDATE = "#007A85"  # what could be written: g of an LSTM, n of a GRU
#: field of a trace -> its colour
GATES = {"i": WRITE, "f": KEEP, "g": CANDIDATE, "o": LOOK, "r": LOOK, "z": KEEP, "n": CANDIDATE}

#: colour -> the colour that takes its place in dark mode, as bright there as the first is dark here
COLOURS = {
    INK: "#E6E6E6",
    X: "#2DC79B",
    H: "#56B4E9",
    THETA: "#E3A1C6",
    GRAD: "#FF8C42",
    MUTED: "#9AA4AF",
    PAPER: "#14181E",
    KEEP: "#B79CED",
    WRITE: "#CDBB3C",
    LOOK: "#FF7D90",
    CANDIDATE: "#3FC6D1",
}

#: One inch is 72 units of SVG, so a font size here is a size in the page before scaling.
RC = {
    "figure.dpi": 72,
    "figure.figsize": (6.4, 3.2),
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": mpl.cycler(color=[H, X, GRAD, THETA, INK, MUTED]),
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "image.cmap": "cividis",
}


def context():
    """Apply the book's style inside a `with` block, and nowhere else."""
    return mpl.rc_context(RC)

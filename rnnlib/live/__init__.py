"""Live figures: matplotlib pictures that follow a control, with a kernel or without one.

You write an ordinary figure once (`setup`), and what changes in it (`update`)::

    def setup():
        fig, ax = plt.subplots()
        line, = ax.plot(x, np.sin(x))
        return fig, {"line": line}

    def update(artists, freq):
        artists["line"].set_ydata(np.sin(freq * x))
        return f"Frequency {freq}."

    live.LiveFigure(setup, update, title="A wave",
                    controls={"freq": live.Range("frequency", 1, 9, value=2)},
                    presets={"Fast": {"freq": 9}})

In a notebook every change of a control goes to Python, which redraws only the artists that
`setup` returned. In a built page (`RNNLIB_LIVE=baked`) all frames are in the page already.

| module       | holds                                                            |
|--------------|------------------------------------------------------------------|
| `controls`   | `Range`, `Step`, `Play`, `Choice`, `Word`, `Toggle`: what is set  |
| `svg`        | matplotlib's SVG, made small and ready for dark mode              |
| `scene`      | a figure as a fixed skeleton and the artists that move in it      |
| `figure`     | `LiveFigure`: controls, frames, display                           |
| `bake`       | every frame of a figure as one piece of HTML                      |
| `widget`     | the figure as an anywidget, for notebooks with a kernel           |
| `prediction` | `Prediction`: a question whose answer stays shut until you choose |

Nothing here knows what a recurrent network is.
"""

from .bake import BakeError
from .controls import Choice, Play, Range, Step, Toggle, Word
from .figure import LiveError, LiveFigure, figures
from .prediction import Prediction
from .scene import FullFrameWarning

__all__ = [
    "BakeError",
    "Choice",
    "FullFrameWarning",
    "LiveError",
    "LiveFigure",
    "Play",
    "Prediction",
    "Range",
    "Step",
    "Toggle",
    "Word",
    "figures",
]

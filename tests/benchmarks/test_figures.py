"""How fast the live figures are: one frame, and the bake of all frames. `make bench`.

Printed, not asserted: a busy machine would fail it. What must hold at any time (a bake within its
two seconds, a frame within its budget) is asserted in the unit and browser tests.
"""

import pytest
from clock import medians_ms

from rnnlib import widgets


@pytest.mark.parametrize("name", widgets.__all__)
def test_live_figure(name):
    """One frame on demand, and the bake of all frames."""
    figure = getattr(widgets, name)()
    states = list(figure.probes())
    frames, = medians_ms([lambda: [figure.frame(values) for values in states]], 5)
    bake, = medians_ms([figure.bake], 3)
    print(f"\n{name}: {frames / len(states):.1f} ms a frame, "
          f"{figure.states} states baked in {bake / 1000:.2f} s")

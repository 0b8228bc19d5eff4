"""El Niño: how warm the surface of the equatorial Pacific was, month by month."""

import csv
from functools import cache
from importlib.resources import files

import numpy as np

from rnnlib.datasets.samples import Series


@cache
def nino():
    """Sea surface temperature of four regions, every month from 1950-01 to 2016-08.

    xs (800, 1, 4) in degrees Celsius; times (800,), months as numpy dates. The regions:

        nino1+2    0° to 10° S, 90° W to 80° W: the coast of Peru
        nino3      5° N to 5° S, 150° W to 90° W
        nino4      5° N to 5° S, 160° E to 150° W
        nino3.4    5° N to 5° S, 170° W to 120° W: the usual measure of El Niño

    Most of the variation is the season. Take it off with the monthly means *of the training part*:
    with those of all years the future would leak into the past.

    Source: NOAA, National Weather Service, Climate Prediction Center, ERSST version 4
    (ersst4.nino.mth.81-10.ascii), in the public domain; by way of PyWavelets, whose table
    sst_nino3.npz holds that file. nino.csv keeps its temperatures and leaves out the deviations
    from the means of 1981-2010. (`pywt.data.nino` gives something else: three-month means of
    nino3, standardised over all years.)
    """
    with files("rnnlib.datasets").joinpath("nino.csv").open(encoding="utf-8") as file:
        (_, *regions), *rows = csv.reader(file)
    months = np.array([row[0] for row in rows], "datetime64[M]")
    xs = np.array([row[1:] for row in rows], float)[:, None]
    return Series(xs, months, tuple(regions), "°C")

"""Gauss's hypergeometric function, for the arguments these models have."""

import numpy as np
from scipy.special import hyp2f1

from scoring.snapshots import Floats

NEAR = 1e-8


def gauss(a: Floats | float, b: Floats | float, c: Floats, z: Floats) -> Floats:
    """2F1(a, b; c; z) for 0 ≤ z < 1, in the form of which c - a - b is not negative.

    Where that difference is a whole number, scipy gives NaN for frequent buyers and z above 0.9: c is moved off a
    little, which changes the value by less than a millionth.
    """
    excess = c - a - b
    moved = np.where(np.abs(excess - np.rint(excess)) < NEAR, c + 2 * NEAR, c)
    value: Floats = hyp2f1(a, b, moved, z)
    return value

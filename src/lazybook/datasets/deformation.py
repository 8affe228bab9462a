"""Images deformed at random, as if the digits had been written by more people.

As Loosli, Canu & Bottou 2007 made eight million digits from MNIST's. What a pixel shows is taken
from a place nearby. How far away, is for the one part an affine map of the image, which turns,
scales, shears and shifts the digit; and for the other a smooth random field, which bends it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lazybook.support.compiling import compiled
from lazybook.support.machine import cores

SIDE = 28  # pixels
BLOCK = 1000  # images whose random numbers come from one stream

# How far the random numbers go to each side, all uniform. Of the map, relative to the distance from
# the middle: 3 degrees of rotation, and 5 % of a length. In pixels: its shift, and the coefficients
# of the field, two for each knot of a grid of cubic splines. So most places move by less than a
# pixel, and the digits stay as easy to tell apart as before.
SCALE, ROTATION, SHEAR, SHIFT, BEND = 0.05, 0.05, 0.05, 0.3, 1.0
KNOTS = 8  # of the grid, on each side
RANGES = np.repeat(
    np.array([SCALE, ROTATION, SHEAR, SHIFT, BEND], np.float32), [1, 1, 2, 2, 2 * KNOTS**2]
)
_apart = np.abs(np.arange(SIDE)[:, None] * (KNOTS - 3) / (SIDE - 1) - np.arange(-1, KNOTS - 1))
SPLINES = np.where(  # the value of each spline at each pixel, [pixel, spline]
    _apart < 1, 2 / 3 - _apart**2 + _apart**3 / 2, np.maximum(2 - _apart, 0) ** 3 / 6
).astype(np.float32)


def deform(
    images: np.ndarray,
    bases: np.ndarray,
    seed: int,
    advance: Callable[[int], None] = lambda images: None,
) -> np.ndarray:
    """Return a deformation of each of ``images[bases]``: uint8 ``(len(bases), SIDE * SIDE)``.

    A deformation is determined by its image, its place and the ``seed``, so the first of many are
    the same as the first of few. All cores share the work.

    Parameters
    ----------
    images: uint8 ``(images, SIDE * SIDE)``.
    bases: indices of the images to deform, in any order, any number of times.
    advance: called with the number of images that were done since the last call.
    """
    deformed = np.empty((len(bases), SIDE * SIDE), np.uint8)

    def fill(start: int) -> None:
        block = slice(start, start + BLOCK)
        stream = np.random.Generator(np.random.PCG64([seed, start // BLOCK]))
        numbers = stream.random((len(bases[block]), len(RANGES)), np.float32)
        field, room = (np.empty(shape, np.float32) for shape in ((2, SIDE, SIDE), (SIDE, KNOTS)))
        moves = RANGES * (2 * numbers - 1)
        _fill(deformed[block], images, bases[block], moves, SPLINES, field, room)
        advance(len(moves))

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(fill, range(0, len(bases), BLOCK)))
    return deformed


@compiled
def _fill(deformed, images, bases, moves, splines, field, room):
    """Write ``images[bases]`` to ``deformed``, their pixels taken from where ``moves`` says."""
    side, knots = splines.shape
    middle = np.float32(0.5) * np.float32(side - 1)
    for n in range(len(bases)):
        scale, rotation, stretch, shear, shift_y, shift_x = moves[n, :6]
        for axis in range(2):
            first = 6 + axis * knots * knots
            _interpolate(field[axis], moves[n, first : first + knots * knots], splines, room)
        for row in range(side):
            for column in range(side):
                down, right = row - middle, column - middle
                y = (scale + stretch) * down + (shear + rotation) * right + shift_y
                x = (shear - rotation) * down + (scale - stretch) * right + shift_x
                y += row + field[0, row, column]
                x += column + field[1, row, column]
                deformed[n, row * side + column] = _between_pixels(images[bases[n]], y, x, side)


@compiled
def _interpolate(field, coefficients, splines, room):
    """Fill ``field`` from the coefficients of its splines, row by row of the grid."""
    side, knots = splines.shape
    for row in range(side):
        for j in range(knots):
            total = np.float32(0)
            for i in range(knots):
                total += splines[row, i] * coefficients[i * knots + j]
            room[row, j] = total
    for row in range(side):
        for column in range(side):
            total = np.float32(0)
            for j in range(knots):
                total += room[row, j] * splines[column, j]
            field[row, column] = total


@compiled
def _between_pixels(image, y, x, side):
    """Return what ``image`` shows at a place, linear between pixels, and 0 outside."""
    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = y - top, x - left
    total = np.float32(0.5)  # to round
    for row in range(top, top + 2):
        down = np.float32(1) - down
        for column in range(left, left + 2):
            right = np.float32(1) - right
            if 0 <= row < side and 0 <= column < side:
                total += down * right * image[row * side + column]
    return np.uint8(total)

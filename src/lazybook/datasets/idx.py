"""The IDX format: what MNIST and its relatives are stored in.

Two bytes of zero, one for the type of the numbers, one for the number of dimensions; then the size
of each dimension, four bytes, the most significant first; then the numbers, also the most
significant byte first, the last dimension running fastest.
"""

import math

import numpy as np

from lazybook.errors import DataError

TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


def read(contents: bytes, source: object) -> np.ndarray:
    """Return the array in the ``contents`` of a file, not writable, in this machine's byte order.

    Raises DataError that names the ``source`` if they are not in the IDX format, or lack bytes, or
    have more than they say.
    """
    zeros, code, dimensions = contents[:2], contents[2:3], contents[3:4]
    start = 4 + 4 * sum(dimensions)
    if zeros != bytes(2) or not dimensions or code[0] not in TYPES:
        raise DataError(
            f"{source} is not in the IDX format: it begins with the bytes"
            f" {contents[:4].hex(' ') or 'of nothing, for it is empty'}, and not with 00 00, the"
            f" type of numbers ({', '.join(f'{known:02x}' for known in TYPES)}) and the number of"
            " dimensions"
        )
    if len(contents) < start:
        raise DataError(
            f"{source} is cut short: of {start} bytes before the numbers it has {len(contents)}"
        )
    shape = [int(size) for size in np.frombuffer(contents, ">u4", sum(dimensions), offset=4)]
    dtype = TYPES[code[0]]
    expected = start + math.prod(shape) * dtype.itemsize
    if len(contents) != expected:
        raise DataError(
            f"{source} has {len(contents):,} bytes; an array of {' × '.join(map(str, shape))}"
            f" numbers of {dtype.itemsize} bytes would need {expected:,}"
        )
    array = np.frombuffer(contents, dtype, offset=start).reshape(shape)
    array = array.astype(dtype.newbyteorder("="), copy=False)
    array.setflags(write=False)
    return array

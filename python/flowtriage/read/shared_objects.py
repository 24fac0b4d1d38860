"""Columns of Python strings of which many rows share one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import numpy as np

_SAMPLE = 1 << 13
_LARGE = 1 << 15
"""Rows from which it pays to look for shared objects."""


def shared_strings(column: Any) -> pa.Array | None:
    """Convert a column of Python strings of a DataFrame, each object once, to a dictionary.

    Return None if few rows share objects, or other objects are among them.
    """
    import numpy as np

    if column.dtype != object or len(column) < _LARGE:
        return None
    objects = np.ascontiguousarray(column.to_numpy())
    addresses = _Addresses(objects).array()
    sample = addresses[:: max(1, len(addresses) // _SAMPLE)]
    repeats = len(sample) - len(np.unique(sample))
    # As many as in a sample of rows of which each two share an object.
    if repeats * len(addresses) < len(sample) ** 2:
        return None
    encoded = pa.array(addresses).dictionary_encode()
    rows = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), np.intp)
    first[rows[::-1]] = np.arange(len(rows) - 1, -1, -1)
    try:
        values = pa.array(objects[first], pa.string(), from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError):
        return None
    return pa.DictionaryArray.from_arrays(encoded.indices, values)


class _Addresses:
    """The addresses of the objects of an array."""

    def __init__(self, objects: np.ndarray) -> None:
        self._objects = objects
        self.__array_interface__ = {
            "version": 3,
            "shape": objects.shape,
            "typestr": f"i{objects.itemsize}",
            "data": (objects.ctypes.data, True),
        }

    def array(self) -> np.ndarray:
        """Return them as integers; the objects live as long as the array."""
        import numpy as np

        return np.asarray(self)

"""Where the nodes of a graph stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_ROUNDS = 400
_GRAVITY = 0.9
_WIDE = 1.7


def spread(count: int, ends: Places) -> Floats:
    """Place nodes so that neighbours are near each other and all others are apart.

    Nodes push each other off, those of many edges more, edges pull, and the middle pulls a
    little, so that parts that are not connected stay in sight (after Fruchterman and Reingold,
    1991). The same graph always looks the same.

    Parameters
    ----------
    count
        Number of nodes.
    ends
        The two ends of each edge, of shape (edges, 2).

    Returns
    -------
    numpy.ndarray
        Places of shape (count, 2), within -1.7 to 1.7 across and -1 to 1 upwards.

    Examples
    --------
    >>> spread(1, np.empty((0, 2), np.int64)).tolist()
    [[0.0, 0.0]]
    """
    if count == 1:
        return np.zeros((1, 2))
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt((np.arange(count) + 0.5) / count)
    place = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    near = np.sqrt(1 / count)
    weight = np.sqrt(1 + np.bincount(ends.ravel(), minlength=count))
    for heat in np.linspace(0.1, 0.002, _ROUNDS):
        apart = place[:, None, :] - place[None, :, :]
        square = np.maximum((apart**2).sum(axis=2), 1e-6)
        push = (apart * (near**2 * weight / square)[:, :, None]).sum(axis=1)
        along = place[ends[:, 0]] - place[ends[:, 1]]
        pull = along * (np.sqrt((along**2).sum(axis=1)) / near)[:, None]
        np.add.at(push, ends[:, 0], -pull)
        np.add.at(push, ends[:, 1], pull)
        push -= _GRAVITY * place
        length = np.maximum(np.sqrt((push**2).sum(axis=1)), 1e-9)
        place += push * (np.minimum(length, heat) / length)[:, None]
    place -= (place.max(axis=0) + place.min(axis=0)) / 2
    size = np.maximum(np.abs(place).max(axis=0), 1e-9)
    if size[1] > size[0]:
        place, size = place[:, ::-1], size[::-1]
    return np.asarray(place / size * [_WIDE, 1])

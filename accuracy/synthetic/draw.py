"""Random numbers that every version of numpy draws alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DAY = 86_400.0


class Draw:
    """Draws from PCG64 by uniform doubles only; other distributions by their inverse."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Floats:
        """Draw uniform numbers."""
        return low + (high - low) * self._generator.random(count)

    def integers(self, count: int, end: int) -> Integers:
        """Draw integers from 0 to below `end`."""
        return (self._generator.random(count) * end).astype(np.int64)

    def exponential(self, count: int, mean: float) -> Floats:
        """Draw exponential numbers."""
        return -mean * np.log1p(-self._generator.random(count))

    def sizes(self, count: int, median: float, most: float = 2e7) -> Integers:
        """Draw sizes from a heavy-tailed (log-logistic) distribution."""
        share = self.uniform(count, 0.02, 0.98)
        return np.minimum(median * share / (1 - share), most).astype(np.int64)

    def skewed(self, count: int, end: int) -> Integers:
        """Draw integers from 0 to below `end`, low ones more often."""
        return (self._generator.random(count) ** 2 * end).astype(np.int64)

    def order(self, count: int) -> Integers:
        """Draw a permutation."""
        return np.argsort(self._generator.random(count), kind="stable")

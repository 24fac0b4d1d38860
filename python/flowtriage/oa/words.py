"""Flow words, and the bag of words of each address as input of the topic model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage._core import flow_words as _flow_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


def flow_words(flows: pa.Table) -> pa.Table:
    """Return the words of every flow at both endpoints, as in Apache Spot.

    A word is `port_protocol_hour_bytes_packets`: the service port (0 without ports, 111111 if both
    are 1024 or less, 333333 if both are greater), the hour of the start in UTC, and the base-2
    logarithms of the source's bytes + 1 and packets + 1, rounded up. The word at the endpoint that
    owns the service port has the prefix `-1_`. Missing counts are 0.

    Parameters
    ----------
    flows
        Flows in the canonical schema.

    Returns
    -------
    pyarrow.Table
        `src_word` and `dst_word`, dictionary-encoded with one sorted dictionary; null for a flow
        without start or protocol, or with a value out of range.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flow_words(sample.office_day().slice(0, 1)).to_pylist()
    [{'src_word': '0_icmp_0_8_3', 'dst_word': '0_icmp_0_8_3'}]
    """
    return _flow_words(flows.to_reader())


@dataclass(frozen=True)
class Bags:
    """Bags of words; each entry is a distinct pair of address and word.

    Attributes
    ----------
    addresses, words : pyarrow.Array
        Addresses and words of the day and the feedback, sorted.
    address, word : numpy.ndarray
        Indices of each entry's address and word.
    counts : numpy.ndarray
        Number of occurrences of each entry on the day.
    weights : numpy.ndarray
        Training weight of each entry: the count, adjusted by feedback.
    sources, destinations : numpy.ndarray
        Entries of the two endpoints of each flow of the day that has words.
    rows : numpy.ndarray
        Row numbers of these flows.
    """

    addresses: pa.Array
    words: pa.Array
    address: NDArray[np.int64]
    word: NDArray[np.int64]
    counts: NDArray[np.int64]
    weights: NDArray[np.int64]
    sources: NDArray[np.int64]
    destinations: NDArray[np.int64]
    rows: NDArray[np.int64]

    def matrix(self) -> csr_matrix:
        """Return the weights as a sparse matrix of shape (addresses, words)."""
        from scipy.sparse import csr_matrix

        shape = (len(self.addresses), len(self.words))
        return csr_matrix((self.weights, (self.address, self.word)), shape=shape)


def bags(flows: pa.Table, feedback: pa.Table, duplication: int) -> Bags:
    """Collect the words of every address.

    Feedback has the column `risk` (1 high, 2 medium, 3 low). The words of a high-risk flow have
    weight 0 at its addresses; a low-risk flow counts `duplication` times.
    """
    import numpy as np
    import pyarrow.compute as pc

    names = ["start_time", "src_ip", "dst_ip", "src_port", "dst_port", "protocol"]
    names += ["src_bytes", "src_packets", "flows"]
    both = pa.concat_tables([flows.select(names), feedback.select(names)])
    words = flow_words(both)
    complete = pc.and_(pc.is_valid(both["src_ip"]), pc.is_valid(both["dst_ip"]))
    rows = np.flatnonzero(_numpy(pc.and_(complete, pc.is_valid(words["src_word"]))))
    endpoints = both.select(["src_ip", "dst_ip"]).take(rows)
    addresses, address = _encode(endpoints["src_ip"], endpoints["dst_ip"])
    vocabulary, word = _dictionary(words.take(rows).combine_chunks())
    entries, indices = np.unique(address * len(vocabulary) + word, return_inverse=True)
    sources, destinations = np.split(indices, 2)
    today = rows < flows.num_rows
    risk = _numpy(feedback["risk"])[rows[~today] - flows.num_rows]
    size = len(entries)

    def count(selected: NDArray[np.bool_]) -> NDArray[np.int64]:
        endpoints = np.concatenate([sources[selected], destinations[selected]])
        return np.bincount(endpoints, minlength=size).astype(np.int64)

    def scored(level: int) -> NDArray[np.int64]:
        selected = ~today
        selected[selected] = risk == level
        return count(selected)

    counts = count(today)
    weights = np.where(scored(1) > 0, 0, counts) + duplication * scored(3)
    return Bags(
        addresses,
        vocabulary,
        *np.divmod(entries, max(len(vocabulary), 1)),
        counts,
        weights,
        sources[today],
        destinations[today],
        rows[today],
    )


def _encode(*columns: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the sorted distinct strings of columns, and the index of each value in them."""
    import numpy as np
    import pyarrow.compute as pc

    chunks = [chunk.cast(pa.string()) for column in columns for chunk in column.chunks]
    # One array could not hold the addresses of some 80 million flows.
    strings = pa.chunked_array(chunks, pa.string())
    distinct = strings.unique().sort()
    return distinct, _numpy(pc.index_in(strings, value_set=distinct)).astype(np.int64)


def _dictionary(words: pa.Table) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the shared dictionary of both columns, and the index of each word in it."""
    import numpy as np

    columns = [words[name].combine_chunks() for name in ("src_word", "dst_word")]
    columns = [c.chunk(0) if isinstance(c, pa.ChunkedArray) else c for c in columns]
    indices = [_numpy(column.indices) for column in columns]
    return columns[0].dictionary, np.concatenate(indices).astype(np.int64)


def _numpy(array: Any) -> NDArray[Any]:
    values: NDArray[Any] = (
        array.to_numpy(zero_copy_only=False) if isinstance(array, pa.Array) else array.to_numpy()
    )
    return values

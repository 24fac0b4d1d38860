"""Flow words, and the bags of them that addresses are to a topic model."""

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
    """Return the word of every flow at each of its ends, as Apache Spot makes them.

    A word is `port_protocol_hour_bytes_packets`: the port that names the service (0 where there
    are no ports, 111111 where both are at most 1024, 333333 where both are above), the hour of
    the start in UTC, and the logarithms to base 2 of the source's bytes + 1 and packets + 1,
    rounded up. The word at the end that owns the named port has `-1_` before it. Missing counts
    are 0.

    Parameters
    ----------
    flows
        Flows in the canonical schema.

    Returns
    -------
    pyarrow.Table
        `src_word` and `dst_word`, dictionary-encoded over one dictionary in order; null for a
        flow that has no start, no protocol, or a number out of its range.

    Examples
    --------
    >>> from flowtriage import sample
    >>> flow_words(sample.office_day().slice(0, 1)).to_pylist()
    [{'src_word': '0_icmp_0_8_3', 'dst_word': '0_icmp_0_8_3'}]
    """
    return _flow_words(flows.to_reader())


@dataclass(frozen=True)
class Bags:
    """The words of every address; entries are distinct pairs of address and word.

    Attributes
    ----------
    addresses, words : pyarrow.Array
        Those of the day and of the feedback, in order.
    address, word : numpy.ndarray
        Place of each entry's address and word.
    counts : numpy.ndarray
        How often each entry was met on the day.
    weights : numpy.ndarray
        What of it is to be learnt: the count, with feedback.
    sources, destinations : numpy.ndarray
        For each flow of the day that has words, the entries of its two ends.
    rows : numpy.ndarray
        Places of these flows among all flows of the day.
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
        """Return the weights as a matrix of addresses and words."""
        from scipy.sparse import csr_matrix

        shape = (len(self.addresses), len(self.words))
        return csr_matrix((self.weights, (self.address, self.word)), shape=shape)


def bags(flows: pa.Table, feedback: pa.Table, duplication: int) -> Bags:
    """Gather the words of every address.

    Parameters
    ----------
    flows
        The day, in the canonical schema.
    feedback
        Flows in the canonical schema, with the column `risk` (1 high, 2 medium, 3 low).
    duplication
        How often a flow of low risk is repeated. The words of a flow of high risk are not learnt
        at its addresses.
    """
    import numpy as np
    import pyarrow.compute as pc

    names = ["start_time", "src_ip", "dst_ip", "src_port", "dst_port", "protocol"]
    names += ["src_bytes", "src_packets", "flows"]
    both = pa.concat_tables([flows.select(names), feedback.select(names)])
    words = flow_words(both)
    whole = pc.and_(pc.is_valid(both["src_ip"]), pc.is_valid(both["dst_ip"]))
    rows = np.flatnonzero(_numpy(pc.and_(whole, pc.is_valid(words["src_word"]))))
    ends = both.select(["src_ip", "dst_ip"]).take(rows)
    addresses, address = _numbered(ends["src_ip"], ends["dst_ip"])
    said = words.take(rows).combine_chunks()
    vocabulary, word = _dictionary(said)
    entries, places = np.unique(address * len(vocabulary) + word, return_inverse=True)
    sources, destinations = np.split(places, 2)
    today = rows < flows.num_rows
    risk = _numpy(feedback["risk"])[rows[~today] - flows.num_rows]
    size = len(entries)

    def count(of: NDArray[np.bool_]) -> NDArray[np.int64]:
        both_ends = np.concatenate([sources[of], destinations[of]])
        return np.bincount(both_ends, minlength=size).astype(np.int64)

    def scored(level: int) -> NDArray[np.int64]:
        of = ~today
        of[of] = risk == level
        return count(of)

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


def _numbered(*columns: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the distinct texts of columns in order, and the place of each text."""
    import numpy as np
    import pyarrow.compute as pc

    chunks = [chunk.cast(pa.string()) for column in columns for chunk in column.chunks]
    texts = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    order = pc.sort_indices(texts.dictionary)
    rank = np.empty(len(order), dtype=np.int64)
    rank[_numpy(order)] = np.arange(len(order))
    return texts.dictionary.take(order), rank[_numpy(texts.indices)]


def _dictionary(words: pa.Table) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the dictionary that both columns share, and the place of each word in it."""
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

"""Rank flows by their probability under a topic model, least likely first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.oa.feedback import as_flows
from flowtriage.oa.model import Model, ModelSettings, train
from flowtriage.oa.results import as_results
from flowtriage.oa.words import Bags, bags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTS = pa.schema(
    [
        ("src_word", pa.string()),
        ("dst_word", pa.string()),
        ("src_score", pa.float64()),
        ("dst_score", pa.float64()),
        ("src_word_count", pa.int64()),
        ("dst_word_count", pa.int64()),
    ]
)
"""Parts of a score: the words, their probabilities at both endpoints, and their counts."""


@dataclass(frozen=True)
class Ranked:
    """Ranked flows of a day.

    Attributes
    ----------
    results : pyarrow.Table
        Flows, least likely first: the columns of Spot's `flow_results.csv`, `rank` (from 0), and
        the parts of the score (`PARTS`). Ties take one flow of every pair of addresses, then a
        second one, and so on; within a turn, pairs with more tied flows come first, then flows
        with a lower score at the other endpoint, then earlier flows.
    model : Model
        Model of the scores.
    scored : int
        Number of flows with a score.
    unscored : int
        Number of flows without a score, for lack of an address, start time or protocol.
    suspicious : int
        Number of flows at or below the threshold; `results` contains the first `limit` of them.
    lowest : float
        Minimum score; NaN if no flow has a score.
    """

    results: pa.Table
    model: Model
    scored: int
    unscored: int
    suspicious: int
    lowest: float


def rank(
    flows: pa.Table,
    settings: ModelSettings | None = None,
    feedback: pa.Table | None = None,
    seed: int = 0,
    *,
    model: Model | None = None,
) -> Ranked:
    """Rank the flows of a day, least likely first.

    Addresses are the documents of a topic model, the words of their flows the text (see
    `flow_words`). The score of a flow is the minimum of the probabilities of its words at its two
    endpoints. Method: Apache Spot's suspicious connects, https://spot.apache.org.

    Parameters
    ----------
    flows
        Flows of the day, in the canonical schema.
    settings
        Settings of the model and the results; None uses the defaults.
    feedback
        Analyst scores of earlier days (see `flowtriage.oa.feedback`): training repeats low-risk
        flows `settings.duplication` times and excludes high-risk flows.
    seed
        Random seed of the model. Equal flows, in any order, settings and seed give equal scores.
    model
        Model of an earlier day to apply instead of training one. Topics of new addresses are
        inferred from their words; unknown words have probability 0.

    Returns
    -------
    Ranked

    Raises
    ------
    ArgumentError
        If both feedback and a model are given.
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> from flowtriage import sample
    >>> ranked = rank(sample.office_day(), ModelSettings(limit=3, iterations=2))
    >>> ranked.results["rank"].to_pylist()
    [0, 1, 2]
    """
    if model is not None and feedback is not None:
        raise ArgumentError("feedback= needs a new model; give model= or feedback=, not both")
    import numpy as np

    settings = settings or ModelSettings()
    of_day = bags(flows, as_flows(feedback), settings.duplication)
    scored = len(of_day.rows)
    if model is None:
        model = train(of_day, settings, seed)
    probabilities = model.probabilities(of_day) if scored else np.zeros(0)
    src, dst = probabilities[of_day.sources], probabilities[of_day.destinations]
    score = np.minimum(src, dst)
    suspicious = int((score <= settings.threshold).sum())
    limit = min(settings.limit, suspicious)
    highest = np.partition(score, limit - 1)[limit - 1] if limit else -1.0
    top = np.flatnonzero(score <= highest)
    starts = flows["start_time"].cast(pa.int64()).to_numpy()[of_day.rows[top]]
    pair = [of_day.address[entries[top]] for entries in (of_day.sources, of_day.destinations)]
    order = top[_order(score[top], np.maximum(src, dst)[top], starts, *pair)][:limit]
    results = as_results(flows.take(of_day.rows[order]), pa.array(score[order]))
    for name, column in _parts(of_day, model, order, src, dst).items():
        results = results.append_column(PARTS.field(name), column)
    lowest = float(score.min()) if scored else float("nan")
    return Ranked(results, model, scored, flows.num_rows - scored, suspicious, lowest)


def _order(
    score: NDArray[np.float64],
    other: NDArray[np.float64],
    starts: NDArray[np.int64],
    sources: NDArray[np.int64],
    destinations: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Order flows by score; in ties, pairs of addresses take turns."""
    import numpy as np

    lower, upper = np.minimum(sources, destinations), np.maximum(sources, destinations)
    pair = np.unique(lower * (upper.max(initial=0) + 1) + upper, return_inverse=True)[1]
    level = np.unique(score, return_inverse=True)[1]
    groups = level * (pair.max(initial=0) + 1) + pair
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    by_group = np.lexsort((starts, other, group))
    turn = np.empty(len(score), dtype=np.int64)
    turn[by_group] = np.arange(len(score)) - np.repeat(np.cumsum(size) - size, size)
    order: NDArray[np.int64] = np.lexsort((starts, other, -size[group], turn, score))
    return order


def _parts(
    of_day: Bags,
    model: Model,
    order: NDArray[np.int64],
    src: NDArray[np.float64],
    dst: NDArray[np.float64],
) -> dict[str, Any]:
    seen = model.seen_of(of_day)
    words = [of_day.word[entries[order]] for entries in (of_day.sources, of_day.destinations)]
    return {
        "src_word": of_day.words.take(words[0]),
        "dst_word": of_day.words.take(words[1]),
        "src_score": pa.array(src[order]),
        "dst_score": pa.array(dst[order]),
        "src_word_count": pa.array(seen[words[0]]),
        "dst_word_count": pa.array(seen[words[1]]),
    }

"""Ranking of flows: the least likely ones first."""

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
"""What a score is made of: words, their probabilities at either end, how often they were met."""


@dataclass(frozen=True)
class Ranked:
    """Flows that are suspicious because they are unlikely.

    Attributes
    ----------
    results : pyarrow.Table
        The flows, the least likely first: the columns of Spot's `flow_results.csv`, `rank`
        (from 0), and what the score is made of (`PARTS`). Of equal scores one flow of every pair
        of addresses comes first, then a second one, and so on: the pair with most such flows
        before others, then the flow that is less likely at its other end, then the earlier one.
    model : Model
        The model by which they were scored.
    scored : int
        Number of flows that have a score.
    unscored : int
        Number of flows that have none, since an address, the start or the protocol is missing.
    suspicious : int
        Number of flows at or below the threshold, of which `results` has the first.
    lowest : float
        The lowest score of all; NaN where nothing is scored.
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
    """Rank the flows of a day by how unlikely they are.

    An address is a document, the words of its flows are its text (see `flow_words`). A flow's
    score is the smaller of the probabilities of its words at its two ends, by a topic model of
    the day. Method: Apache Spot's suspicious connects, https://spot.apache.org.

    Parameters
    ----------
    flows
        The day, in the canonical schema.
    settings
        Of the model, and which flows are kept.
    feedback
        Flows that analysts scored on earlier days (see `flowtriage.oa.feedback`): low risk is
        learnt as often as `settings.duplication` tells, high risk is not learnt.
    seed
        Of the model's random start. The same flows, whatever their order, settings and seed
        lead to the same scores.
    model
        Of an earlier day, to be applied instead of training one. An address keeps the topics it
        had then; those of a new one are told from its words. A word that was not met then has
        probability 0.

    Returns
    -------
    Ranked

    Raises
    ------
    ArgumentError
        If feedback is given together with a model, which learns no more.
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> from flowtriage import sample
    >>> ranked = rank(sample.office_day(), Settings(limit=3, iterations=2))
    >>> ranked.results["rank"].to_pylist()
    [0, 1, 2]
    """
    if model is not None and feedback is not None:
        raise ArgumentError("a model that is applied does not learn: leave out model= or feedback=")
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
    near = np.flatnonzero(score <= highest)
    starts = flows["start_time"].cast(pa.int64()).to_numpy()[of_day.rows[near]]
    ends = [of_day.address[entries[near]] for entries in (of_day.sources, of_day.destinations)]
    order = near[_in_order(score[near], np.maximum(src, dst)[near], starts, *ends)][:limit]
    kept = flows.take(of_day.rows[order])
    results = as_results(kept, pa.array(score[order]))
    for name, column in _parts(of_day, model, order, src, dst).items():
        results = results.append_column(PARTS.field(name), column)
    lowest = float(score.min()) if scored else float("nan")
    return Ranked(results, model, scored, flows.num_rows - scored, suspicious, lowest)


def _in_order(
    score: NDArray[np.float64],
    other: NDArray[np.float64],
    starts: NDArray[np.int64],
    sources: NDArray[np.int64],
    destinations: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Order flows by score; of equal ones, let the pairs of addresses take turns."""
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
    words = [of_day.word[ends[order]] for ends in (of_day.sources, of_day.destinations)]
    return {
        "src_word": of_day.words.take(words[0]),
        "dst_word": of_day.words.take(words[1]),
        "src_score": pa.array(src[order]),
        "dst_score": pa.array(dst[order]),
        "src_word_count": pa.array(seen[words[0]]),
        "dst_word_count": pa.array(seen[words[1]]),
    }

"""Topic models of a day: which words are likely at which address."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.atomic import replacing
from flowtriage.errors import ArgumentError, FormatError, MissingExtraError
from flowtriage.oa.words import Bags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.decomposition import LatentDirichletAllocation

TOLERANCE = 0.05
"""Words of an address, for each topic, that may still move when its topics are called settled."""
_VERSION = 1
_CHUNK = 1 << 16
_KEY = b"flowtriage.model"


@dataclass(frozen=True)
class ModelSettings:
    """How flows are ranked. The defaults are those of Apache Spot, but for the threshold.

    Attributes
    ----------
    topics
        Number of topics, at least 2.
    alpha
        Prior of the topics of an address, as the EM of Spark counts it: from 1, where there is
        none, to 1.5.
    beta
        Prior of the words of a topic, counted likewise.
    iterations
        Passes over the day in training.
    threshold
        Largest score of a flow that is kept, a probability; 1 keeps all, so that the limit alone
        decides. Spot's TOL is 1e-6.
    limit
        Most flows that are kept.
    duplication
        How often a flow that an analyst called low risk is repeated in training.

    Raises
    ------
    ArgumentError
        If a value is out of its range.
    """

    topics: int = 20
    alpha: float = 1.02
    beta: float = 1.001
    iterations: int = 20
    threshold: float = 1.0
    limit: int = 500
    duplication: int = 1000

    def __post_init__(self) -> None:
        """Refuse what cannot be worked with."""
        least = {"topics": 2, "iterations": 1, "threshold": 0, "limit": 1, "duplication": 0}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                raise ArgumentError(f"{name} is {getattr(self, name)}; {value} is the least")
        for name in ("alpha", "beta"):
            if not 1 <= getattr(self, name) <= 1.5:
                raise ArgumentError(f"{name} is {getattr(self, name)}; give 1 to 1.5")


@dataclass(frozen=True)
class Model:
    """A topic model.

    Attributes
    ----------
    settings
        How it was made.
    addresses : pyarrow.Array
        Addresses of the day, in order.
    mixtures : numpy.ndarray
        For each address the share of every topic; rows add up to 1.
    words : pyarrow.Array
        Words of the day, in order.
    seen : numpy.ndarray
        How often each word was met, at either end of a flow; feedback does not count.
    weights : numpy.ndarray
        For each topic the weight of every word; 0 where nothing was learnt of a word.
    """

    settings: ModelSettings
    addresses: pa.Array
    mixtures: NDArray[np.float64]
    words: pa.Array
    seen: NDArray[np.int64]
    weights: NDArray[np.float64]

    def probabilities(self, bags: Bags) -> NDArray[np.float64]:
        """Return how likely each word is at each address: the sum over topics of P(t|a) P(w|t)."""
        import numpy as np

        mixtures = self._mixtures_of(bags)
        likely = (self.weights / self.weights.sum(axis=1, keepdims=True)).T
        likely = np.vstack([likely, np.zeros(likely.shape[1])])  # the last for unknown words
        words = _places(bags.words, self.words)
        result = np.empty(len(bags.counts))
        for start in range(0, len(result), _CHUNK):
            part = slice(start, start + _CHUNK)
            of_address = mixtures[bags.address[part]]
            np.einsum("pt,pt->p", of_address, likely[words[bags.word[part]]], out=result[part])
        return result

    def seen_of(self, bags: Bags) -> NDArray[np.int64]:
        """Return how often each word of `bags` was met in training."""
        import numpy as np

        return np.append(self.seen, 0)[_places(bags.words, self.words)]

    def _mixtures_of(self, bags: Bags) -> NDArray[np.float64]:
        """Return the topics of each address: as learnt, or told from its words if it is new."""
        import numpy as np
        from scipy.sparse import csr_matrix

        known = _places(bags.addresses, self.addresses)
        mixtures = np.empty((len(known), self.settings.topics))
        mixtures[known >= 0] = self.mixtures[known[known >= 0]]
        new = np.flatnonzero(known < 0)
        if len(new):
            row = np.full(len(known), -1)
            row[new] = np.arange(len(new))
            rows, columns = row[bags.address], _places(bags.words, self.words)[bags.word]
            told = (rows >= 0) & (columns >= 0)
            shape = (len(new), len(self.words))
            matrix = csr_matrix((bags.counts[told], (rows[told], columns[told])), shape=shape)
            mixtures[new] = self._estimator().transform(matrix)
        return mixtures

    def _estimator(self) -> LatentDirichletAllocation:
        """Return scikit-learn's estimator in the state in which training left it."""
        import numpy as np
        from scipy.special import psi

        lda = estimator(self.settings, 0)
        weights = np.maximum(self.weights, lda.topic_word_prior)
        lda.components_ = weights
        totals = psi(weights.sum(axis=1))[:, np.newaxis]
        lda.exp_dirichlet_component_ = np.exp(psi(weights) - totals)
        lda.doc_topic_prior_ = lda.doc_topic_prior
        lda.topic_word_prior_ = lda.topic_word_prior
        lda.n_features_in_ = weights.shape[1]
        lda.n_batch_iter_ = lda.n_iter_ = self.settings.iterations
        return lda

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model into a Parquet file, whole or not at all.

        Raises
        ------
        OSError
            As the operating system says.
        """
        import pyarrow.parquet as pq

        facts = {"version": _VERSION, "settings": asdict(self.settings)}
        with replacing(Path(path)) as file:
            pq.write_table(self._table().replace_schema_metadata({_KEY: json.dumps(facts)}), file)

    def _table(self) -> pa.Table:
        import numpy as np

        def part(kind: str, names: pa.Array, seen: Any, topics: NDArray[np.float64]) -> pa.Table:
            flat = pa.array(np.ascontiguousarray(topics).reshape(-1))
            columns = {
                "kind": pa.repeat(kind, len(names)),
                "name": names,
                "seen": seen,
                "topics": pa.FixedSizeListArray.from_arrays(flat, self.settings.topics),
            }
            return pa.table(columns)

        nothing = pa.nulls(len(self.addresses), pa.int64())
        return pa.concat_tables(
            [
                part("address", self.addresses, nothing, self.mixtures),
                part("word", self.words, pa.array(self.seen), self.weights.T),
            ]
        )


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model that `Model.save` wrote.

    Raises
    ------
    OSError
        As the operating system says.
    FormatError
        If the file is no such model, or of a later version.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(Path(path))
        facts = json.loads((table.schema.metadata or {})[_KEY])
        if facts["version"] != _VERSION:
            raise FormatError(
                f"{path} is a model of version {facts['version']}; this program reads {_VERSION}"
            )
        settings = ModelSettings(**facts["settings"])
        return _of_table(table, settings)
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise FormatError(f"{path} is not a model of flows ({error})") from None


def _of_table(table: pa.Table, settings: ModelSettings) -> Model:
    import numpy as np
    import pyarrow.compute as pc

    def part(kind: str) -> tuple[pa.Array, pa.Array, NDArray[np.float64]]:
        rows = table.filter(pc.equal(table["kind"], kind)).combine_chunks()
        topics = pc.list_flatten(rows["topics"]).to_numpy().reshape(-1, settings.topics)
        names = [rows[name].combine_chunks() for name in ("name", "seen")]
        return names[0], names[1], topics

    addresses, _, mixtures = part("address")
    words, seen, weights = part("word")
    # In the order of a trained model, so that sums over it are the same to the last bit.
    weights = np.ascontiguousarray(weights.T)
    return Model(settings, addresses, mixtures, words, seen.to_numpy(), weights)


def train(bags: Bags, settings: ModelSettings, seed: int) -> Model:
    """Train a model on the words of a day.

    Parameters
    ----------
    bags
        Words by address; their weights are learnt from.
    settings
        Number of topics, priors, iterations.
    seed
        Of the random start; the same one leads to the same model.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    import numpy as np

    matrix = bags.matrix()
    lda = estimator(settings, seed)
    if not matrix.nnz:
        nothing = np.zeros(len(bags.words), dtype=np.int64)
        even = np.full((len(bags.addresses), settings.topics), 1 / settings.topics)
        return Model(
            settings,
            bags.addresses,
            even,
            bags.words,
            nothing,
            np.zeros((settings.topics, len(nothing))),
        )
    lda.fit(matrix)
    learnt = np.asarray(matrix.sum(axis=0)).reshape(-1) > 0
    seen = np.bincount(bags.word, bags.counts, minlength=len(bags.words))
    return Model(
        settings,
        bags.addresses,
        lda.transform(matrix),
        bags.words,
        seen.astype(np.int64),
        np.where(learnt, lda.components_, 0.0),
    )


def estimator(settings: ModelSettings, seed: int) -> LatentDirichletAllocation:
    """Return scikit-learn's estimator for these settings.

    The priors are those of Spark's EM less a half, which smooths variational Bayes as much: EM
    adds the prior less 1 to the counts, variational Bayes has exp(psi(count + prior)), which is
    about the count and the prior less a half (Asuncion, Welling, Smyth and Teh 2009, On Smoothing
    and Inference for Topic Models, https://arxiv.org/abs/1205.2662).
    """
    try:
        from sklearn.decomposition import LatentDirichletAllocation
    except ImportError:
        raise MissingExtraError(
            "scikit-learn is needed to rank flows; install it with: pip install flowtriage[oa]"
        ) from None
    return LatentDirichletAllocation(
        n_components=settings.topics,
        doc_topic_prior=settings.alpha - 0.5,
        topic_word_prior=settings.beta - 0.5,
        max_iter=settings.iterations,
        mean_change_tol=TOLERANCE,
        learning_method="batch",
        random_state=seed,
    )


def _places(values: pa.Array, among: pa.Array) -> NDArray[np.int64]:
    """Return the place of each value in a list, -1 where it is not there."""
    import pyarrow.compute as pc

    found = pc.fill_null(pc.index_in(values, value_set=among), -1)
    places: NDArray[np.int64] = found.cast(pa.int64()).to_numpy()
    return places

"""Topic model of a day: the probability of each flow word at each address."""

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
"""Convergence threshold: mean change of an address's word counts per topic between iterations."""
_VERSION = 1
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
_CHUNK = 1 << 16
_KEY = b"flowtriage.model"


@dataclass(frozen=True)
class ModelSettings:
    """Settings of the ranking. Defaults are those of Apache Spot, except for the threshold.

    Attributes
    ----------
    topics
        Number of topics, 2 or more.
    alpha
        Dirichlet prior of topics per address in the convention of Spark's EM: 1 (no prior) to 1.5.
    beta
        Dirichlet prior of words per topic, in the same convention.
    iterations
        Maximum number of training iterations.
    threshold
        Maximum score of a result, a probability; 1 disables the threshold. Spot's TOL is 1e-6.
    limit
        Maximum number of results.
    duplication
        Repetitions in training of a flow with an analyst score of low risk.

    Raises
    ------
    ArgumentError
        If a value is out of range.
    """

    topics: int = 20
    alpha: float = 1.02
    beta: float = 1.001
    iterations: int = 20
    threshold: float = 1.0
    limit: int = 500
    duplication: int = 1000

    def __post_init__(self) -> None:
        """Check the ranges of all values."""
        minima = {"topics": 2, "iterations": 1, "threshold": 0, "limit": 1, "duplication": 0}
        for name, value in minima.items():
            if not getattr(self, name) >= value:
                raise ArgumentError(f"{name} must be {value} or more, got {getattr(self, name)}")
        for name in ("alpha", "beta"):
            if not 1 <= getattr(self, name) <= 1.5:
                raise ArgumentError(f"{name} must be 1 to 1.5, got {getattr(self, name)}")


@dataclass(frozen=True)
class Model:
    """A topic model.

    Attributes
    ----------
    settings
        Settings of the training.
    addresses : pyarrow.Array
        Addresses of the day, sorted.
    mixtures : numpy.ndarray
        Topic distribution of each address, shape (addresses, topics); rows sum to 1.
    words : pyarrow.Array
        Words of the day, sorted.
    seen : numpy.ndarray
        Number of occurrences of each word at both endpoints, without feedback.
    weights : numpy.ndarray
        Weight of each word per topic, shape (topics, words); 0 for words without training data.
    """

    settings: ModelSettings
    addresses: pa.Array
    mixtures: NDArray[np.float64]
    words: pa.Array
    seen: NDArray[np.int64]
    weights: NDArray[np.float64]

    def probabilities(self, bags: Bags) -> NDArray[np.float64]:
        """Return P(word | address) of each entry: the sum over topics of P(t|a) P(w|t)."""
        import numpy as np

        mixtures = self._mixtures_of(bags)
        likely = (self.weights / self.weights.sum(axis=1, keepdims=True)).T
        likely = np.vstack([likely, np.zeros(likely.shape[1])])  # index -1: unknown words
        words = _indices(bags.words, self.words)
        result = np.empty(len(bags.counts))
        for start in range(0, len(result), _CHUNK):
            part = slice(start, start + _CHUNK)
            of_address = mixtures[bags.address[part]]
            np.einsum("pt,pt->p", of_address, likely[words[bags.word[part]]], out=result[part])
        return result

    def seen_of(self, bags: Bags) -> NDArray[np.int64]:
        """Return the number of occurrences in training of each word of `bags`."""
        import numpy as np

        return np.append(self.seen, 0)[_indices(bags.words, self.words)]

    def _mixtures_of(self, bags: Bags) -> NDArray[np.float64]:
        """Return the topic distribution of each address; infer it from the words of new ones."""
        import numpy as np
        from scipy.sparse import csr_matrix

        known = _indices(bags.addresses, self.addresses)
        mixtures = np.empty((len(known), self.settings.topics))
        mixtures[known >= 0] = self.mixtures[known[known >= 0]]
        new = np.flatnonzero(known < 0)
        if len(new):
            row = np.full(len(known), -1)
            row[new] = np.arange(len(new))
            rows, columns = row[bags.address], _indices(bags.words, self.words)[bags.word]
            known_words = (rows >= 0) & (columns >= 0)
            shape = (len(new), len(self.words))
            entries = (rows[known_words], columns[known_words])
            matrix = csr_matrix((bags.counts[known_words], entries), shape=shape)
            mixtures[new] = self._estimator().transform(matrix)
        return mixtures

    def _estimator(self) -> LatentDirichletAllocation:
        """Return scikit-learn's estimator in its state after training."""
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
        """Write the model to a Parquet file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        import pyarrow.parquet as pq

        metadata = {"version": _VERSION, "settings": asdict(self.settings)}
        with replacing(Path(path)) as file:
            pq.write_table(
                self._table().replace_schema_metadata({_KEY: json.dumps(metadata)}), file
            )

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

        no_counts = pa.nulls(len(self.addresses), pa.int64())
        return pa.concat_tables(
            [
                part("address", self.addresses, no_counts, self.mixtures),
                part("word", self.words, pa.array(self.seen), self.weights.T),
            ]
        )


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model written by `Model.save`.

    Raises
    ------
    OSError
        If the file cannot be read.
    FormatError
        If the file is not a model, or has another version.
    """
    import pyarrow.parquet as pq

    with Path(path).open("rb") as file:
        try:
            table = pq.ParquetFile(file).read()
            table.validate(full=True)
            metadata = json.loads((table.schema.metadata or {})[_KEY])
            if metadata["version"] != _VERSION:
                raise FormatError(
                    f"{path} is a model of version {metadata['version']}; expected {_VERSION}"
                )
            return _of_table(table, ModelSettings(**metadata["settings"]))
        except FormatError:
            raise
        except (*_DAMAGE, pa.ArrowException) as error:
            raise FormatError(f"{path} is not a flow model ({error})") from None


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
    # The memory layout of a trained model keeps sums bit-identical.
    weights = np.ascontiguousarray(weights.T)
    return Model(settings, addresses, mixtures, words, seen.to_numpy(), weights)


def train(bags: Bags, settings: ModelSettings, seed: int) -> Model:
    """Train a model on the words of a day.

    Parameters
    ----------
    bags
        Words by address; training uses their weights.
    settings
        Number of topics, priors, iterations.
    seed
        Random seed; the same seed gives the same model.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    import numpy as np

    matrix = bags.matrix()
    lda = estimator(settings, seed)
    if not matrix.nnz:
        no_counts = np.zeros(len(bags.words), dtype=np.int64)
        uniform = np.full((len(bags.addresses), settings.topics), 1 / settings.topics)
        return Model(
            settings,
            bags.addresses,
            uniform,
            bags.words,
            no_counts,
            np.zeros((settings.topics, len(no_counts))),
        )
    lda.fit(matrix)
    trained = np.asarray(matrix.sum(axis=0)).reshape(-1) > 0
    seen = np.bincount(bags.word, bags.counts, minlength=len(bags.words))
    return Model(
        settings,
        bags.addresses,
        lda.transform(matrix),
        bags.words,
        seen.astype(np.int64),
        np.where(trained, lda.components_, 0.0),
    )


def estimator(settings: ModelSettings, seed: int) -> LatentDirichletAllocation:
    """Return scikit-learn's estimator for the settings.

    Priors are those of Spark's EM minus 0.5, for equal smoothing: EM adds prior - 1 to the counts;
    variational Bayes uses exp(psi(count + prior)), about count + prior - 0.5 (Asuncion, Welling,
    Smyth and Teh 2009, On Smoothing and Inference for Topic Models,
    https://arxiv.org/abs/1205.2662).
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


def _indices(values: pa.Array, value_set: pa.Array) -> NDArray[np.int64]:
    """Return the index of each value in `value_set`, -1 if it is missing."""
    import pyarrow.compute as pc

    found = pc.fill_null(pc.index_in(values, value_set=value_set), -1)
    indices: NDArray[np.int64] = found.cast(pa.int64()).to_numpy()
    return indices

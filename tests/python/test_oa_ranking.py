"""Ranking: scores by a direct use of scikit-learn, planted findings, stored models."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation

from flowtriage import sample
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.oa.model import Settings, load
from flowtriage.oa.ranking import Ranked, rank
from flowtriage.oa.results import RESULTS
from flowtriage.oa.words import flow_words
from oa_office import DROP, SCANNED, SCANNER, UPLOADER, flow, office

pytestmark = pytest.mark.extra

ALL = Settings(threshold=1, limit=100_000, iterations=5)


@pytest.fixture(scope="module")
def ranked() -> Ranked:
    return rank(office(), Settings(threshold=1, limit=20))


def by_flow(ranked: Ranked, column: str) -> dict[tuple[Any, ...], float]:
    names = ["treceived", "sip", "dip", "sport", "dport", column]
    rows = ranked.results.select(names).to_pylist()
    return {tuple(row.values())[:-1]: row[column] for row in rows}


def test_scores_are_those_of_scikit_learn_used_directly() -> None:
    day = office().slice(0, 1500)
    said = flow_words(day).to_pylist()
    documents: dict[str, Counter[str]] = defaultdict(Counter)
    for row, word in zip(day.to_pylist(), said, strict=True):
        documents[row["src_ip"]][word["src_word"]] += 1
        documents[row["dst_ip"]][word["dst_word"]] += 1
    addresses, vocabulary = sorted(documents), sorted({w for d in documents.values() for w in d})
    counts = np.array([[documents[a][w] for w in vocabulary] for a in addresses])
    lda = LatentDirichletAllocation(
        20, doc_topic_prior=0.02, topic_word_prior=0.001, max_iter=5, random_state=3
    ).fit(counts)
    topics = lda.components_ / lda.components_.sum(axis=1)[:, None]
    likely = lda.transform(counts) @ topics

    ranked = rank(day, ALL, seed=3)
    assert (ranked.scored, ranked.unscored) == (1500, 0)
    for row in ranked.results.to_pylist():
        src = likely[addresses.index(row["sip"]), vocabulary.index(row["src_word"])]
        dst = likely[addresses.index(row["dip"]), vocabulary.index(row["dst_word"])]
        assert row["src_score"] == pytest.approx(src, rel=1e-6)
        assert row["dst_score"] == pytest.approx(dst, rel=1e-6)
        assert row["score"] == min(row["src_score"], row["dst_score"])
        for end in ("src", "dst"):
            word = row[f"{end}_word"]
            assert row[f"{end}_word_count"] == sum(d[word] for d in documents.values())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_scan_and_an_upload_at_an_odd_hour_are_among_the_first_twenty(seed: int) -> None:
    results = rank(office(), Settings(threshold=1, limit=20), seed=seed).results
    pairs = Counter(zip(results["sip"].to_pylist(), results["dip"].to_pylist(), strict=True))
    assert pairs[SCANNER, SCANNED] == 10
    assert pairs[UPLOADER, DROP] == 3


def test_results_have_spots_columns_in_order_of_rank(ranked: Ranked) -> None:
    results = ranked.results
    assert results.column_names[: len(RESULTS)] == RESULTS.names
    assert results["rank"].to_pylist() == list(range(20))
    assert results["score"].to_pylist() == sorted(results["score"].to_pylist())
    assert ranked.lowest == results["score"][0].as_py()
    upload = next(row for row in results.to_pylist() if row["dip"] == DROP)
    assert {name: upload[name] for name in RESULTS.names[:7]} == {
        "treceived": f"2013-09-15 03:{upload['trminute']}:00",
        "tryear": 2013,
        "trmonth": 9,
        "trday": 15,
        "trhour": 3,
        "trminute": upload["trminute"],
        "trsec": 0,
    }
    assert (upload["tdur"], upload["dport"], upload["proto"]) == (1.0, 443, "tcp")
    assert (upload["obyt"], upload["opkt"]) == (9000, 14)


def test_threshold_and_limit(ranked: Ranked) -> None:
    scores = ranked.results["score"].to_pylist()
    under = rank(office(), Settings(threshold=scores[12], limit=5))
    assert under.suspicious == sum(score <= scores[12] for score in scores)
    assert under.results["score"].to_pylist() == scores[:5]
    nothing = rank(office(), Settings(threshold=ranked.lowest / 2))
    assert (nothing.results.num_rows, nothing.suspicious, nothing.scored) == (0, 0, 9013)
    assert nothing.results.schema == ranked.results.schema


def test_the_same_seed_leads_to_the_same_scores_whatever_the_order_of_flows() -> None:
    day = office().slice(0, 2000)
    shuffled = day.take(np.random.default_rng(1).permutation(day.num_rows))
    first, second, other = rank(day, ALL), rank(shuffled, ALL), rank(day, ALL, seed=1)
    assert by_flow(first, "score") == by_flow(second, "score")
    assert by_flow(first, "score") != by_flow(other, "score")


def test_flows_without_address_time_or_protocol_have_no_score() -> None:
    names = ("src_ip", "dst_ip", "start_time", "protocol")
    bad = [flow(9, "10.1.0.1", "203.0.113.1", (50_000, 443)) | {name: None} for name in names]
    day = pa.concat_tables([office().slice(0, 300), pa.Table.from_pylist(bad, office().schema)])
    ranked = rank(day, ALL)
    assert (ranked.scored, ranked.unscored, ranked.results.num_rows) == (300, 4, 300)


def test_no_flows() -> None:
    ranked = rank(office().slice(0, 0), ALL)
    assert (ranked.results.num_rows, ranked.scored) == (0, 0)


def test_a_stored_model_scores_the_next_day(tmp_path: Path) -> None:
    model = rank(office(0), Settings(threshold=1, limit=10)).model
    model.save(tmp_path / "model.parquet")
    stored = load(tmp_path / "model.parquet")
    assert stored.settings == model.settings
    assert stored.words.equals(model.words)
    assert np.array_equal(stored.weights, model.weights)

    new = flow(4.5, "10.1.0.77", "203.0.113.4", (50_000, 8443), src_bytes=1 << 40)
    usual = flow(9.5, "10.1.0.78", "203.0.113.4", (50_000, 443))
    more = pa.Table.from_pylist([new, usual], office().schema)
    next_day = pa.concat_tables([office(1), more])
    ranked = rank(next_day, ALL, model=stored)
    assert ranked.model is stored
    told = {row["sip"]: row for row in ranked.results.to_pylist()}
    assert (told["10.1.0.77"]["score"], told["10.1.0.77"]["src_word_count"]) == (0, 0)
    assert told["10.1.0.77"]["rank"] < 5
    assert told["10.1.0.78"]["score"] > 1e-3
    again = rank(next_day, ALL, model=model)
    assert by_flow(again, "score") == by_flow(ranked, "score")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("x")
    for name in ("other.parquet", "text.parquet"):
        with pytest.raises(FormatError, match=name):
            load(tmp_path / name)


@pytest.mark.parametrize(
    "wrong", [{"topics": 1}, {"alpha": 1.0}, {"beta": 2.5}, {"limit": 0}, {"duplication": -1}]
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Settings(**wrong)


def test_the_sample_day_is_scored_whole() -> None:
    ranked = rank(sample.office_day(), ALL)
    assert (ranked.scored, ranked.unscored) == (sample.office_day().num_rows, 0)
    scores = np.array(ranked.results["score"])
    assert ((scores > 0) & (scores <= 1)).all()

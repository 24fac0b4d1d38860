"""Ranking: scores computed with scikit-learn directly, planted findings, saved models."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation

from flowtriage import sample
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.oa.feedback import FEEDBACK, withdraw
from flowtriage.oa.model import ModelSettings, load_model
from flowtriage.oa.ranking import Ranked, rank
from flowtriage.oa.results import RESULTS
from flowtriage.oa.words import flow_words
from oa_office import DROP, SCANNED, SCANNER, UPLOADER, flow, office

pytestmark = pytest.mark.extra

ALL = ModelSettings(limit=100_000, iterations=5)
SPOT = {"doc_topic_prior": 0.52, "topic_word_prior": 0.501, "mean_change_tol": 0.05}
"""Spot's priors minus 0.5; convergence at a mean change of 0.05 words."""


@pytest.fixture(scope="module")
def ranked() -> Ranked:
    return rank(office(), ModelSettings(limit=20))


def by_flow(ranked: Ranked, column: str) -> dict[tuple[Any, ...], float]:
    names = ["treceived", "sip", "dip", "sport", "dport", column]
    rows = ranked.results.select(names).to_pylist()
    return {tuple(row.values())[:-1]: row[column] for row in rows}


def documents_of(day: pa.Table) -> dict[str, Counter[str]]:
    """How often each word was met at each address."""
    documents: dict[str, Counter[str]] = defaultdict(Counter)
    for row, word in zip(day.to_pylist(), flow_words(day).to_pylist(), strict=True):
        documents[row["src_ip"]][word["src_word"]] += 1
        documents[row["dst_ip"]][word["dst_word"]] += 1
    return documents


@pytest.mark.parametrize("repeated", [0, 1000])
def test_scores_equal_those_of_scikit_learn(repeated: int) -> None:
    day = office().slice(0, 1500)
    documents = documents_of(day)
    seen = Counter[str]()
    for document in documents.values():
        seen.update(document)
    feedback = low_risk(day.slice(700, 1)) if repeated else None
    for address, words in documents_of(day.slice(700, 1)).items():
        documents[address].update(dict.fromkeys(words, repeated))
    addresses, vocabulary = sorted(documents), sorted({w for d in documents.values() for w in d})
    counts = np.array([[documents[a][w] for w in vocabulary] for a in addresses])
    lda = LatentDirichletAllocation(20, max_iter=5, random_state=3, **SPOT).fit(counts)
    topics = lda.components_ / lda.components_.sum(axis=1)[:, None]
    likely = lda.transform(counts) @ topics

    ranked = rank(day, ALL, feedback, seed=3)
    assert (ranked.scored, ranked.unscored) == (1500, 0)
    for row in ranked.results.to_pylist():
        src = likely[addresses.index(row["sip"]), vocabulary.index(row["src_word"])]
        dst = likely[addresses.index(row["dip"]), vocabulary.index(row["dst_word"])]
        assert row["src_score"] == pytest.approx(src, rel=1e-6)
        assert row["dst_score"] == pytest.approx(dst, rel=1e-6)
        assert row["score"] == min(row["src_score"], row["dst_score"])
        for end in ("src", "dst"):
            word = row[f"{end}_word"]
            assert row[f"{end}_word_count"] == seen[word]


def low_risk(flows: pa.Table) -> pa.Table:
    """Feedback that calls flows low risk, in whole seconds, as analysts see them."""
    start = pc.floor_temporal(flows["start_time"], unit="second").cast(pa.timestamp("s", "UTC"))
    columns = {
        "tstart": pc.strftime(start, "%Y-%m-%d %H:%M:%S"),
        "srcip": flows["src_ip"],
        "dstip": flows["dst_ip"],
        "sport": flows["src_port"],
        "dport": flows["dst_port"],
        "proto": flows["protocol"],
        "ipkt": flows["src_packets"],
        "ibyt": flows["src_bytes"],
        "score": pa.repeat(3, flows.num_rows),
        "day": flows["start_time"].cast(pa.date32()),
    }
    return pa.table({f.name: columns[f.name].cast(f.type) for f in FEEDBACK})


SEEDS = pytest.mark.parametrize("seed", [0, 1, 2])


@SEEDS
def test_all_of_a_scan_and_an_upload_among_uniform_flows_are_in_the_first_twenty(seed: int) -> None:
    results = rank(office(), ModelSettings(limit=20), seed=seed).results
    pairs = Counter(zip(results["sip"].to_pylist(), results["dip"].to_pylist(), strict=True))
    assert pairs[SCANNER, SCANNED] == 10
    assert pairs[UPLOADER, DROP] == 3


def workstations(number: int) -> pa.Table:
    """The day of the sample, and the days of its neighbours, without their findings."""
    days = [sample.office_day()]
    findings = pa.array([finding.peer for finding in sample.FINDINGS])
    for other in range(1, number):
        day = sample.office_day(seed=100 + other)
        found = [pc.is_in(day[end], findings) for end in ("src_ip", "dst_ip")]
        day = day.filter(pc.invert(pc.or_(*found)))
        for end in ("src_ip", "dst_ip"):
            named = pc.replace_substring(day[end], sample.HOST_IP, f"10.20.30.{100 + other}")
            named = pc.replace_substring(named, sample.HOST_IPV6, f"fd4c:7a1e:93b2:30::{other}")
            day = day.set_column(day.column_names.index(end), end, named)
        days.append(day)
    return pa.concat_tables(days)


@SEEDS
@pytest.mark.parametrize("hosts", [1, 4])
def test_the_scan_and_the_upload_of_the_sample_are_among_the_first_twenty(
    seed: int, hosts: int
) -> None:
    results = rank(workstations(hosts), ModelSettings(limit=20), seed=seed).results
    ends = {*results["sip"].to_pylist(), *results["dip"].to_pylist()}
    assert {sample.SCAN.peer, sample.UPLOAD.peer} <= ends


def test_pairs_of_addresses_take_turns_among_equal_scores() -> None:
    results = rank(sample.office_day(), ALL).results
    names = ["score", "sip", "dip", "src_score", "dst_score", "treceived"]
    rows = results.select(names).to_pylist()
    equal: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        row["pair"] = (row["score"], *sorted((row["sip"], row["dip"])))
        row["other"] = max(row["src_score"], row["dst_score"])
        equal[row["pair"]].append((row["other"], row["treceived"]))
    expected = []
    for pair, flows in equal.items():
        for turn, one in enumerate(sorted(flows)):
            expected.append((pair[0], turn, -len(flows), *one, pair))
    met = Counter[Any]()
    told = []
    for row in rows:
        pair = row["pair"]
        told.append((row["score"], met[pair], -len(equal[pair]), row["other"], row["treceived"]))
        met[pair] += 1
    assert told == [key[:-1] for key in sorted(expected)]


@pytest.mark.parametrize("peer", [sample.SCAN.peer, sample.UPLOAD.peer])
def test_a_low_risk_score_moves_a_finding_down_and_its_withdrawal_moves_it_back(peer: str) -> None:
    day, every = sample.office_day(), ModelSettings(limit=100_000)
    before = rank(day, every).results
    first = next(r for r in before.to_pylist() if peer in (r["sip"], r["dip"]))
    ends = {"src_ip": "sip", "dst_ip": "dip", "src_port": "sport", "dst_port": "dport"}
    same = [pc.equal(day[name], first[of]) for name, of in ends.items()]
    same = reduce(pc.and_, same)
    scored = low_risk(day.filter(same))
    assert scored.num_rows == 1
    ranks = {}
    for times in (0, 1, 1000):
        after = rank(day, replace(every, duplication=times), scored).results.to_pylist()
        row = next(r for r in after if (r["sport"], r["dport"]) == (first["sport"], first["dport"]))
        ranks[times] = row["rank"]
    assert ranks[0] == first["rank"] < 20 < ranks[1] < ranks[1000]
    withdrawn = withdraw(scored, ip=peer)
    assert rank(day, every, withdrawn).results.equals(before)


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
    under = rank(office(), ModelSettings(threshold=scores[12], limit=5))
    assert under.suspicious == sum(score <= scores[12] for score in scores)
    assert under.results["score"].to_pylist() == scores[:5]
    nothing = rank(office(), ModelSettings(threshold=ranked.lowest / 2))
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
    model = rank(office(0), ModelSettings(limit=10)).model
    model.save(tmp_path / "model.parquet")
    stored = load_model(tmp_path / "model.parquet")
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


@pytest.mark.parametrize("stored", [False, True])
def test_parts_explain_the_score(stored: bool, tmp_path: Path) -> None:
    learnt = day = office()
    if stored:
        new = flow(4.5, "10.1.0.77", "203.0.113.4", (50_000, 8443), src_bytes=1 << 40)
        day = pa.concat_tables([office(1), pa.Table.from_pylist([new], learnt.schema)])
    rank(learnt, ALL).model.save(tmp_path / "model.parquet")
    model = load_model(tmp_path / "model.parquet")
    results = rank(day, ALL, model=model if stored else None).results
    seen = Counter[str]()
    for document in documents_of(learnt).values():
        seen.update(document)
    said = flow_words(day).to_pylist()
    words = {
        (f["src_ip"], f["dst_ip"], f["src_port"], f"{f['start_time']:%F %T}"): tuple(w.values())
        for f, w in zip(day.to_pylist(), said, strict=True)
    }
    addresses, vocabulary = model.addresses.to_pylist(), model.words.to_pylist()
    likely = model.mixtures @ (model.weights / model.weights.sum(axis=1)[:, None])
    place = {name: at for at, name in enumerate(vocabulary)}
    row_of = {name: at for at, name in enumerate(addresses)}
    unmet = 0
    for row in results.to_pylist():
        key = (row["sip"], row["dip"], row["sport"], row["treceived"])
        assert (row["src_word"], row["dst_word"]) == words[key]
        for end, ip in (("src", "sip"), ("dst", "dip")):
            word = row[f"{end}_word"]
            unmet += word not in place
            told = likely[row_of[row[ip]], place[word]] if word in place else 0
            assert row[f"{end}_score"] == pytest.approx(told, rel=1e-9)
            assert row[f"{end}_word_count"] == seen[word]
        assert row["score"] == min(row["src_score"], row["dst_score"])
    assert bool(unmet) == stored


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("x")
    for name in ("other.parquet", "text.parquet"):
        with pytest.raises(FormatError, match=name):
            load_model(tmp_path / name)


@pytest.mark.parametrize(
    "wrong", [{"topics": 1}, {"alpha": 0.9}, {"beta": 1.6}, {"limit": 0}, {"duplication": -1}]
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        ModelSettings(**wrong)


def test_the_sample_day_is_scored_whole() -> None:
    ranked = rank(sample.office_day(), ALL)
    assert (ranked.scored, ranked.unscored) == (sample.office_day().num_rows, 0)
    scores = np.array(ranked.results["score"])
    assert ((scores > 0) & (scores <= 1)).all()

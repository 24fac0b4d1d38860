"""Feedback tables: collect, withdraw, and the effect on the next run."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("sklearn")

from flowtriage.errors import ArgumentError, InputError
from flowtriage.oa import feedback as fb
from flowtriage.oa.model import ModelSettings
from flowtriage.oa.ranking import rank
from flowtriage.oa.results import DEFAULT
from oa_office import DROP, SCANNED, SCANNER, UPLOADER, office

pytestmark = pytest.mark.extra

EARLIER, DAY = dt.date(2013, 9, 14), dt.date(2013, 9, 15)
ALL = ModelSettings(threshold=1, limit=100_000)


def scores_of(results: pa.Table, day: dt.date) -> pa.Table:
    """Rows of `flow_scores` as a store returns them."""
    table = DEFAULT.scores(results)
    return table.append_column("day", pa.repeat(pa.scalar(day), table.num_rows))


def investigation(scores: pa.Table, risk: int, dstip: str) -> pa.Table:
    """Rows of `flow_threat_investigation` for the flows towards an address."""
    rows = [row for row in scores.to_pylist() if row["dstip"] == dstip]
    names = {"tstart": "tstart", "srcip": "srcip", "dstip": "dstip", "day": "day"}
    names |= {"srcport": "sport", "dstport": "dport"}
    return pa.table(
        {
            **{name: [row[of] for row in rows] for name, of in names.items()},
            "score": pa.array([risk] * len(rows), pa.int32()),
        }
    )


@pytest.fixture(scope="module")
def before() -> pa.Table:
    return rank(office(), ALL).results


@pytest.fixture(scope="module")
def scores(before: pa.Table) -> pa.Table:
    return scores_of(before, EARLIER)


def test_the_last_score_of_a_flow_counts(scores: pa.Table) -> None:
    both = pa.concat_tables([investigation(scores, 1, DROP), investigation(scores, 3, DROP)])
    gathered = fb.collect(both, scores)
    assert gathered.schema == fb.FEEDBACK
    assert gathered["score"].to_pylist() == [3, 3, 3]
    assert gathered["srcip"].to_pylist() == [UPLOADER] * 3
    assert gathered["ibyt"].to_pylist() == [900_000_000 << i for i in range(3)]
    assert fb.collect(both, scores.slice(0, 0)).num_rows == 0


def test_feedback_is_added_to_limited_by_day_and_withdrawn(scores: pa.Table) -> None:
    upload = fb.collect(investigation(scores, 3, DROP), scores)
    scan = fb.collect(investigation(scores, 1, SCANNED), scores)
    known = fb.add(upload, scan)
    assert known.num_rows == upload.num_rows + scan.num_rows
    assert fb.add(known, known).equals(known)
    assert fb.before(known, DAY).num_rows == known.num_rows
    assert fb.before(known, EARLIER).num_rows == 0
    assert fb.withdraw(known, ip=DROP).equals(scan)
    assert fb.withdraw(known, ip=SCANNER, score=3).equals(known)
    assert fb.withdraw(known, score=1).num_rows == upload.num_rows
    assert fb.withdraw(known, day=EARLIER).num_rows == 0


def test_low_risk_is_repeated_by_the_duplication_factor(before: pa.Table, scores: pa.Table) -> None:
    low = fb.collect(investigation(scores, 3, DROP), scores)
    ranks = []
    for duplication in (0, 1, 1000):
        settings = ModelSettings(threshold=1, limit=100_000, duplication=duplication)
        after = rank(office(), settings, low).results
        changes = fb.compare(before, after, low).to_pylist()
        assert len(changes) == 3
        ranks.append([change["rank_after"] for change in changes])
        if duplication == 0:
            assert [c["rank_after"] for c in changes] == [c["rank_before"] for c in changes]
    assert min(ranks[2]) > 2000
    assert sum(ranks[1]) < sum(ranks[2])


def test_high_risk_is_excluded_from_training(before: pa.Table, scores: pa.Table) -> None:
    high = fb.collect(investigation(scores, 1, DROP), scores)
    after = rank(office(), ALL, high).results
    changes = fb.compare(before, after, high)
    assert sorted(changes["rank_after"].to_pylist()) == [0, 1, 2]
    assert set(changes["score_after"].to_pylist()) == {0.0}


def test_medium_risk_changes_nothing(before: pa.Table, scores: pa.Table) -> None:
    medium = fb.collect(investigation(scores, 2, DROP), scores)
    assert rank(office(), ALL, medium).results.equals(before)


def test_comparison_includes_flows_of_one_run_only(before: pa.Table) -> None:
    changes = fb.compare(before.slice(0, 2), before.slice(1, 2)).to_pylist()
    assert [(c["rank_before"], c["rank_after"]) for c in changes] == [(0, None), (1, 1), (None, 2)]


def test_feedback_needs_a_new_model(before: pa.Table, scores: pa.Table) -> None:
    low = fb.collect(investigation(scores, 3, DROP), scores)
    model = rank(office(), ModelSettings(iterations=1)).model
    with pytest.raises(ArgumentError, match="give model= or feedback=, not both"):
        rank(office(), ALL, low, model=model)


@pytest.mark.parametrize(
    ("wrong", "message"), [({"score": 4}, "score 4"), ({"tstart": "yesterday"}, "tstart")]
)
def test_bad_feedback(wrong: dict[str, Any], message: str) -> None:
    good = {"tstart": "2013-09-14 01:02:03", "srcip": "10.0.0.1", "dstip": "10.0.0.2", "score": 3}
    table = pa.Table.from_pylist([good | wrong], fb.FEEDBACK)
    with pytest.raises(InputError, match=message):
        rank(office(), ALL, table)

"""Services that close, hang, refuse or answer nonsense, and look-ups that are stopped."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msticpy")

import pandas as pd

from flowtriage.enrich.reputation import Reputation, look_up
from flowtriage.errors import ArgumentError
from flowtriage.progress import progress_to
from ti_service import CLOSES, HANGS, Service, serving, ti_lookup, ti_providers

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

SIX = [f"45.0.{number}.7" for number in range(1, 7)]
BAD = SIX[2]
MANY = [f"45.{number // 250}.{number % 250}.7" for number in range(500)]


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Let go of the connections that msticpy leaves open, and of their warnings."""
    yield
    gc.collect()


def ledger(found: Reputation) -> dict[tuple[str, str], tuple[str, int, str | None]]:
    rows = found.ledger.to_pylist()
    return {
        (row["provider"], row["address"]): (row["status"], row["attempts"], row["reason"])
        for row in rows
    }


def counts(found: Reputation) -> list[tuple[Any, ...]]:
    return [tuple(row.values())[:-1] for row in found.providers.to_pylist()]


def with_trouble(trouble: object, **options: Any) -> tuple[Reputation, Service]:
    """Look up six addresses, of which the third has the trouble."""
    with serving({address: ["Botnet"] for address in SIX}, {BAD: trouble}) as service:
        return look_up(SIX, [ti_lookup(service.url, "OTX")], **options), service


def test_an_address_whose_connection_is_closed_costs_no_other() -> None:
    pulses = {address: ["Botnet"] for address in SIX[:4]}
    with serving(pulses, {BAD: CLOSES}) as service:
        found = look_up(SIX, [ti_lookup(service.url, "OTX", "GreyNoise")])
    assert counts(found) == [("OTX", 6, 5, 3, 0, 1), ("GreyNoise", 6, 5, 3, 0, 1)]
    closed = "RemoteProtocolError: Server disconnected without sending a response."
    for provider in ("OTX", "GreyNoise"):
        for address in SIX:
            right = ("failed", 2, closed) if address == BAD else ("result", 1, None)
            assert ledger(found)[provider, address] == right
            assert service.counts[provider, address] == (2 if address == BAD else 1)
    hits = found.hits[["Ioc", "Provider", "Severity"]].to_numpy().tolist()
    assert sorted(hits) == sorted(
        [address, provider, severity]
        for address in (SIX[0], SIX[1], SIX[3])
        for provider, severity in (("OTX", "warning"), ("GreyNoise", "high"))
    )
    assert found.messages() == [
        "5 of 6 public addresses have a result; 3 addresses are known as a threat.",
        "1 public address has no result.",
    ]
    assert found.failures["address"].to_pylist() == [BAD, BAD]


@pytest.mark.parametrize("trouble", [CLOSES, 429, 500, 503, b"<html>", b"", b"[1, 2]", b'"x"'])
def test_what_failed_once_is_repeated_once_past_the_cache(trouble: object) -> None:
    found, service = with_trouble([trouble])
    assert counts(found) == [("OTX", 6, 6, 6, 0, 0)]
    assert ledger(found)["OTX", BAD] == ("result", 2, None)
    assert {address: service.counts["OTX", address] for address in SIX} == {
        address: 2 if address == BAD else 1 for address in SIX
    }
    assert sorted(found.results["Ioc"]) == SIX


@pytest.mark.parametrize(
    ("trouble", "attempts", "reason"),
    [
        (CLOSES, 2, "RemoteProtocolError: Server disconnected without sending a response."),
        (429, 2, "Too Many Requests"),
        (500, 2, "Internal Server Error"),
        (401, 1, "Authorization failed. Check account and key details."),
        (403, 1, "Request forbidden. Allowed query rate may have been exceeded."),
        (b"<script>", 2, "There was a problem parsing results from this lookup"),
        (b"[1, 2]", 2, "the answer is not a JSON object"),
    ],
)
def test_a_lasting_failure_has_its_reason(trouble: object, attempts: int, reason: str) -> None:
    found, service = with_trouble(trouble)
    assert ledger(found)["OTX", BAD] == ("failed", attempts, reason)
    failed = found.results[found.results["Ioc"] == BAD]
    assert set(failed["Severity"]) <= {"unknown"}
    assert set(failed["Result"]) <= {False}
    if isinstance(trouble, int):
        assert failed["Status"].tolist() == [trouble]
    clean = found.results[found.results["Ioc"] != BAD]
    assert not set(clean["Severity"]) & {"unknown"}
    assert counts(found) == [("OTX", 6, 5, 5, 0, 1)]
    assert service.counts["OTX", BAD] == attempts


def test_a_later_look_up_does_not_keep_a_cached_failure() -> None:
    with serving({BAD: ["Botnet"]}, {BAD: [500, 500]}) as service:
        source = ti_lookup(service.url, "OTX")
        assert look_up([BAD], [source]).without_result == 1
        again = look_up([BAD], [source])
    assert (again.without_result, len(again.hits)) == (0, 1)


def test_the_time_limit_keeps_what_was_answered() -> None:
    found, service = with_trouble(HANGS, time_limit=3)
    assert found.stopped == "time limit"
    assert [ledger(found)["OTX", address] for address in SIX] == [
        *[("result", 1, None)] * 2,
        ("failed", 1, "time limit"),
        *[("not queried", 0, "time limit")] * 3,
    ]
    assert sorted(found.results["Ioc"]) == SIX[:2]
    assert found.messages()[0] == "Stopped at the time limit: 4 of 6 queries have no answer."
    assert sum(service.counts.values()) == 3


def test_a_provider_that_hangs_costs_no_other_provider() -> None:
    with serving({BAD: ["Botnet"]}) as good, serving({}, {BAD: HANGS}) as bad:
        source = ti_lookup(good.url, "OTX")
        source.add_provider(ti_providers(bad.url, "GreyNoise")[0], "GreyNoise")
        found = look_up(SIX, [source], time_limit=3)
    assert counts(found) == [("OTX", 6, 6, 1, 0, 0), ("GreyNoise", 6, 2, 0, 0, 4)]
    assert found.without_result == 0


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "5", pd.NA, [5]])
def test_an_invalid_time_limit_is_rejected(limit: Any) -> None:
    with pytest.raises(ArgumentError, match="time_limit must be more than 0 seconds"):
        look_up(SIX, [], time_limit=limit)


INTERRUPTED = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
from flowtriage.enrich.reputation import look_up
from ti_service import HANGS, serving, ti_lookup

signal.signal(signal.SIGINT, signal.default_int_handler)
six = sys.argv[2].split()
with serving({address: ["Botnet"] for address in six}, {six[2]: HANGS}) as service:
    source = ti_lookup(service.url, "OTX")

    def interrupt():
        while len(service.asked) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    found = look_up(six, [source])
    service.ended.set()
    time.sleep(0.5)
    print(found.stopped, sorted(found.results["Ioc"]), len(service.asked))
    print(found.ledger["status"].to_pylist(), set(found.ledger["reason"].to_pylist()[2:]))
    print(found.messages()[0])
"""


def test_ctrl_c_keeps_what_was_answered_and_asks_no_more() -> None:
    support = Path(__file__).parents[1] / "support"
    command = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, str(support), " ".join(SIX)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"interrupted {SIX[:2]} 3",
        "['result', 'result', 'failed', 'not queried', 'not queried', 'not queried'] "
        "{'interrupted'}",
        "Interrupted: 4 of 6 queries have no answer.",
    ]


def test_500_addresses_half_of_which_fail() -> None:
    trouble = dict.fromkeys(MANY[::2], 500)
    steps: list[tuple[str, int, int | None]] = []
    with serving({MANY[1]: ["Botnet"]}, trouble) as service:
        source = ti_lookup(service.url, "OTX", "GreyNoise")
        with progress_to(lambda *step: steps.append(step)):
            found = look_up(MANY, [source])
    assert counts(found) == [("OTX", 500, 250, 1, 0, 250), ("GreyNoise", 500, 250, 1, 0, 250)]
    wrong = {key for key, row in ledger(found).items() if row[0] == "failed"}
    assert wrong == {(name, a) for name in ("OTX", "GreyNoise") for a in MANY[::2]}
    assert set(service.counts.values()) == {1, 2}
    assert {a for (_, a), count in service.counts.items() if count == 2} == set(MANY[::2])
    assert (steps[0], steps[-1]) == (
        ("threat intelligence", 0, 1000),
        ("threat intelligence", 1000, 1000),
    )
    assert steps == sorted(steps)


def test_a_service_that_is_down_is_given_up() -> None:
    found = look_up(MANY, [ti_lookup("http://127.0.0.1:1", "OTX")])
    rows = ledger(found)
    assert [rows["OTX", a][:2] for a in MANY[:7]] == [
        *[("failed", 2)] * 5,
        ("failed", 1),
        ("not queried", 0),
    ]
    reasons = {rows["OTX", address][2] for address in MANY[6:]}
    assert reasons == {"not queried after 6 failures: ConnectError: [Errno 111] Connection refused"}
    assert counts(found) == [("OTX", 500, 0, 0, 0, 500)]


def test_five_bad_addresses_at_the_beginning_do_not_give_up_a_service() -> None:
    with serving({MANY[9]: ["Botnet"]}, dict.fromkeys(MANY[:5], CLOSES)) as service:
        found = look_up(MANY[:30], [ti_lookup(service.url, "OTX")])
    assert counts(found) == [("OTX", 30, 25, 1, 0, 5)]


class Answering:
    """A source that answers by a function."""

    def __init__(self, name: str, answer: Any) -> None:
        self.name, self.answer, self.sizes = name, answer, list[int]()

    def lookup_iocs(self, data: dict[str, str]) -> Any:
        self.sizes.append(len(data))
        return self.answer(list(data))


def frame(addresses: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"Ioc": addresses, "Result": True, "Severity": "high"})


def raising(error: BaseException) -> Any:
    def answer(_: list[str]) -> Any:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: None, "returned None"),
        (lambda _: [1], "returned list instead of a DataFrame"),
        (lambda a: pd.DataFrame({"x": a}), "returned results without the column Ioc"),
        (lambda _: pd.DataFrame(), "no result"),
        (raising(RuntimeError("gone\x1b[31m")), r"RuntimeError: gone\x1b[31m"),
        (raising(SystemExit(3)), "SystemExit: 3"),
    ],
)
def test_what_a_source_does_is_its_own_failure(answer: Any, reason: str) -> None:
    good = Answering("good", frame)
    found = look_up(SIX, [Answering("bad", answer), good])
    assert counts(found) == [("bad", 6, 0, 0, 0, 6), ("good", 6, 6, 6, 0, 0)]
    assert {row[2] for key, row in ledger(found).items() if key[0] == "bad"} == {reason}
    assert good.sizes == [6]
    assert found.problems == {"bad": reason}


def test_sources_are_queried_in_chunks_and_failed_chunks_one_by_one() -> None:
    def answer(addresses: list[str]) -> Any:
        if MANY[25] in addresses:
            raise RuntimeError("one is bad")
        return frame(addresses)

    source = Answering("plain", answer)
    found = look_up(MANY[:45], [source])
    assert source.sizes == [20, 20, 5, *[1] * 20]
    assert counts(found) == [("plain", 45, 44, 44, 0, 1)]
    assert sorted(found.results["Ioc"]) == sorted(set(MANY[:45]) - {MANY[25]})


def test_addresses_are_named_as_they_were_asked_for() -> None:
    def answer(_: list[str]) -> pd.DataFrame:
        return frame(["2606:4700:0:0:0:0:0:1111", "::ffff:8.8.8.8", "1.2.3.4", "no address"])

    found = look_up(["2606:4700::1111", "8.8.8.8"], [Answering("plain", answer)])
    assert sorted(found.results["Ioc"]) == ["2606:4700::1111", "8.8.8.8"]
    assert found.results["SafeIoc"].tolist() == found.results["Ioc"].tolist()


def test_further_columns_of_a_source_are_kept_and_whole_floats_are_severities() -> None:
    levels = [1.0, float("nan"), 2.0, 0.0, -1.0, 1.5]

    def answer(addresses: list[str]) -> pd.DataFrame:
        severity = pd.Series(levels[: len(addresses)], dtype="float64")
        further = {"Confidence": range(60, 60 + len(addresses)), "Network": "45.0.0.0/8"}
        return frame(addresses).assign(Severity=severity, **further)

    found = look_up(SIX, [Answering("sure", answer), Answering("plain", frame)])
    assert found.results.columns[-3:].tolist() == ["SafeIoc", "Confidence", "Network"]
    sure = found.results[found.results["Provider"] == "sure"].set_index("Ioc").loc[SIX]
    labels = ["warning", "unknown", "high", "information", "unknown", "unknown"]
    assert sure["Severity"].tolist() == labels
    assert sure["Confidence"].tolist() == [60, 61, 62, 63, 64, 65]
    assert found.results["Confidence"].dtype == "float64"
    assert found.results.loc[found.results["Provider"] == "plain", "Confidence"].isna().all()
    assert sorted(found.hits.loc[found.hits["Provider"] == "sure", "Ioc"]) == [SIX[0], SIX[2]]
    for level in (2, "2", 2.0, "2.0", "High"):
        high = look_up(SIX[:1], [Answering("one", lambda a, s=level: frame(a).assign(Severity=s))])
        assert high.results["Severity"].tolist() == ["high"]


def test_in_a_running_event_loop_it_works_as_outside() -> None:
    async def cell(url: str) -> Reputation:
        return look_up(SIX, [ti_lookup(url, "OTX")])

    pulses = {address: ["Botnet"] for address in SIX}
    with serving(pulses, {BAD: CLOSES}) as service:
        # Playwright keeps the event loop of this thread running.
        with ThreadPoolExecutor(1) as pool:
            inside = pool.submit(asyncio.run, cell(service.url)).result()
        outside = look_up(SIX, [ti_lookup(service.url, "OTX")])
    assert inside.ledger == outside.ledger
    assert inside.results["Ioc"].tolist() == outside.results["Ioc"].tolist()


def test_details_are_each_providers_own() -> None:
    with serving({BAD: ["Botnet"]}) as service:
        found = look_up([BAD], [ti_lookup(service.url, "OTX", "GreyNoise")])
    details = dict(zip(found.hits["Provider"], found.hits["Details"], strict=True))
    assert details["OTX"]["names"] == ["Botnet"]
    assert details["GreyNoise"]["Classification"] == "malicious"
    assert details["OTX"].keys().isdisjoint(details["GreyNoise"])

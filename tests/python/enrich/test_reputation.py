"""Lookup of addresses: results, coverage and messages."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msticpy")

from flowtriage.enrich.reputation import BlockLists, Reputation, look_up
from flowtriage.errors import InputError
from ti_service import serving, ti_lookup

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

GOOGLE, QUAD9, CLOUDFLARE, V6 = "8.8.8.8", "9.9.9.9", "1.0.0.1", "2606:4700::1111"


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Let go of the event loops and connections that msticpy leaves open, and of its warnings."""
    yield
    asyncio.set_event_loop(None)
    gc.collect()


def coverage(found: Reputation) -> dict[str, tuple[Any, ...]]:
    rows = found.coverage.drop(columns="reason").to_numpy().tolist()
    return {name: tuple(counts) for name, *counts in rows}


def test_each_public_address_is_looked_up_once_by_its_type() -> None:
    with serving({GOOGLE: ["Botnet"], V6: ["A", "B"]}) as service:
        asked = [GOOGLE, "10.0.0.1", f"::ffff:{GOOGLE}", V6, "fd00::1", "224.0.0.1", None, ""]
        found = look_up(asked, [ti_lookup(service.url, "OTX")])
    assert sorted(service.asked) == [
        f"/api/v1/indicators/IPv4/{GOOGLE}/general",
        f"/api/v1/indicators/IPv6/{V6}/general",
    ]
    assert (found.public, found.non_public, found.without_result) == (2, 3, 0)
    assert found.results[["Ioc", "IocType", "Severity"]].to_numpy().tolist() == [
        [V6, "ipv6", "high"],
        [GOOGLE, "ipv4", "warning"],
    ]
    assert found.messages() == [
        "3 non-public addresses were not looked up.",
        "2 of 2 public addresses have a result; 2 addresses are known as a threat.",
    ]


def test_coverage_counts_answered_unsupported_and_failed_addresses() -> None:
    trouble = {QUAD9: 500, CLOUDFLARE: 429}
    with serving({GOOGLE: ["Botnet"]}, trouble) as service:
        asked = [GOOGLE, "8.8.4.4", QUAD9, CLOUDFLARE, V6]
        found = look_up(asked, [ti_lookup(service.url, "OTX", "GreyNoise")])
    assert coverage(found) == {"OTX": (5, 3, 1, 0, 2), "GreyNoise": (5, 2, 1, 1, 2)}
    counts = found.coverage
    assert (counts["queried"] == counts[["with_result", "unsupported", "failed"]].sum(axis=1)).all()
    assert counts["reason"].tolist() == ["Internal Server Error"] * 2
    assert found.without_result == 2
    assert found.messages()[-1] == "2 public addresses have no result."


def test_an_unreachable_provider_does_not_lose_the_results_of_others() -> None:
    with serving({GOOGLE: ["Botnet"]}) as service:
        source = ti_lookup(service.url, "OTX")
        nowhere = ti_lookup("http://127.0.0.1:1", "GreyNoise")
        source.add_provider(nowhere.loaded_providers["GreyNoise"], "GreyNoise")
        found = look_up([GOOGLE], [source])
    assert coverage(found) == {"OTX": (1, 1, 1, 0, 0), "GreyNoise": (1, 0, 0, 0, 1)}
    assert "ConnectError" in found.coverage["reason"][1]


def test_disabled_providers_are_not_queried() -> None:
    with serving({GOOGLE: ["Botnet"]}) as service:
        source = ti_lookup(service.url, "OTX", "GreyNoise")
        source.disable_provider("GreyNoise")
        found = look_up([GOOGLE], [source])
    assert coverage(found) == {"OTX": (1, 1, 1, 0, 0)}
    assert not [path for path in service.asked if "community" in path]


@pytest.mark.parametrize(
    ("addresses", "says"),
    [
        (
            ["10.0.0.1"],
            [
                "1 non-public address was not looked up.",
                "There is no public address to look up.",
            ],
        ),
        ([], ["There is no public address to look up."]),
        ([GOOGLE], ["No provider returned a result: 1 address is unknown."]),
    ],
)
def test_without_a_result_no_address_is_clean(addresses: list[str], says: list[str]) -> None:
    found = look_up(addresses, [ti_lookup("http://127.0.0.1:1", "OTX")])
    assert found.messages() == says
    assert found.results.empty
    assert "known as a threat" not in " ".join(found.messages())


def test_without_a_provider_nothing_is_looked_up() -> None:
    from msticpy.context.tilookup import TILookup

    empty = TILookup(providers=[])
    for sources in ([], [empty]):
        found = look_up([GOOGLE, QUAD9], sources)
        assert found.messages() == ["No provider is loaded: 2 addresses are not looked up."]
        assert found.coverage.empty


def test_block_lists_work_with_services_or_alone(tmp_path: Path) -> None:
    path = tmp_path / "drop.txt"
    path.write_text("8.8.8.0/24 SBL1\n")
    alone = look_up([GOOGLE, QUAD9, "10.0.0.1"], [BlockLists(path)])
    assert coverage(alone) == {"drop": (2, 2, 1, 0, 0)}
    assert alone.hits["Details"].tolist() == ["8.8.8.0/24: SBL1"]
    assert alone.messages()[-1].endswith("; 1 address is known as a threat.")
    clean = look_up([QUAD9], [BlockLists(path)])
    assert clean.messages() == ["1 of 1 public address has a result; none is known as a threat."]
    with serving({GOOGLE: ["Botnet"]}) as service:
        both = look_up([GOOGLE], [BlockLists(path), ti_lookup(service.url, "OTX")])
    assert both.results["Provider"].tolist() == ["drop", "OTX"]


def test_invalid_addresses_are_rejected() -> None:
    with pytest.raises(InputError, match="office"):
        look_up(["office"], [])

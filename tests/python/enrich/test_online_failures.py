"""Failures, retries and limits of online lookups, at a service on this machine that misbehaves."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import flowtriage as ft
from online_service import (
    Behaviour,
    breaks_off,
    circles,
    drips,
    first,
    hangs_up,
    leads_to,
    ledger,
    origin,
    says,
    serving,
    sleeps,
    unknown,
)

TROUBLE: dict[str, tuple[Behaviour, str, int]] = {
    "slow": (sleeps(3), "no response within 1 s", 3),
    "drips": (drips, "no response within 1 s", 1),
    "no JSON": (says(200, b"<html>please log in</html>"), "is not valid: expected value", 1),
    "wrong types": (says(200, {"data": {"resource": 5, "asns": "all"}}), "invalid type", 1),
    "deep": (says(200, b"[" * 100_000), "is not valid", 1),
    "no facts": (says(200, {"status": "error", "data": {}}), "missing field", 1),
    "another network": (says(200, origin("192.0.2.1")), "the response is about", 1),
    "huge": (says(200, b" " * 3_000_000), "more than 1048576 bytes", 1),
    "forbidden": (says(403), "HTTP 403", 1),
    "broken": (says(500), "HTTP 500", 3),
    "busy": (says(429, Retry_After="3600"), "HTTP 429, retry after 3600 s", 1),
    "circles": (circles, "more than 5 redirects", 6),
    "private": (leads_to("http://10.0.0.1/"), "10.0.0.1 is blocked: 10.0.0.1 is not public", 1),
    "private, secure": (leads_to("https://192.168.0.1/"), "is not public but Private", 1),
    "metadata": (leads_to("http://169.254.169.254/latest"), "not public but Link Local", 1),
    "insecure": (leads_to("http://example.org/"), "is not https", 1),
    "another scheme": (leads_to("file:///etc/passwd"), "", 1),
    "cut": (breaks_off, "the response was cut off", 3),
    "hung up": (hangs_up, "", 3),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_the_ledger_lists_failures(case: str, tmp_path: Path) -> None:
    behaviour, reason, requests = TROUBLE[case]
    (address,) = unknown()
    with serving({address: behaviour}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        with pytest.warns(UserWarning, match="Online lookup of origin for 1 address: 1 failed"):
            (row,) = database.lookup([address]).to_pylist()
        assert service.origins(address) == requests
    entry = ledger(database)[address]
    assert entry["status"] == "failed"
    assert reason in entry["reason"]
    assert row["as_name"] == "No ASN record"
    assert ledger(database, "registration")[address]["status"] == "result"


def test_a_database_queries_an_address_once(tmp_path: Path) -> None:
    (address,) = unknown()
    with serving({address: says(403)}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        with pytest.warns(UserWarning, match="HTTP 403"):
            database.lookup([address])
        database.lookup([address])
        assert service.origins(address) == 1
        again = ft.AsnDatabase(online=service.online(tmp_path))
        with pytest.warns(UserWarning, match="HTTP 403"):
            again.lookup([address])
        assert service.origins(address) == 2


@pytest.mark.parametrize(
    "trouble", [says(429, Retry_After="1"), says(503, Retry_After="1"), says(500), hangs_up]
)
def test_temporary_failures_are_retried(trouble: Behaviour, tmp_path: Path) -> None:
    (address,) = unknown()
    with serving({address: first(trouble)}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        begin = time.monotonic()
        assert database.lookup([address])["asn"].to_pylist() == [64500]
        waited = time.monotonic() - begin
        assert service.origins(address) == 2
    assert waited > 0.45


def test_retry_after_is_respected(tmp_path: Path) -> None:
    (address,) = unknown()
    with serving({address: first(says(429, Retry_After="2"))}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        begin = time.monotonic()
        assert database.lookup([address])["asn"].to_pylist() == [64500]
    assert time.monotonic() - begin >= 2


def test_requests_at_the_same_time_are_bounded(tmp_path: Path) -> None:
    addresses = unknown(12)
    with serving(dict.fromkeys(addresses, sleeps(0.2))) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, workers=3))
        database.lookup(addresses)
        assert 2 <= service.most <= 3
    assert {row["status"] for row in database.ledger.to_pylist()} == {"result"}


def test_queries_beyond_the_limit_are_not_made(tmp_path: Path) -> None:
    addresses = unknown(6)
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, limit=4))
        with pytest.warns(UserWarning, match=r"not queried \(the limit of 4 queries is reached\)"):
            database.lookup(addresses)
        asked = [path for path in service.asked if "bootstrap" not in path]
        assert len(asked) == 4
    statuses = database.ledger["status"].to_pylist()
    assert (statuses.count("result"), statuses.count("not queried")) == (4, 8)


def test_a_server_that_always_fails_is_not_queried_again(tmp_path: Path) -> None:
    addresses = unknown(30)
    with serving(dict.fromkeys(addresses, says(403))) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, workers=2))
        with pytest.warns(UserWarning, match="failed 5 times in a row; last error: HTTP 403"):
            database.lookup(addresses)
        asked = sum(service.origins(address) for address in addresses)
    assert 5 <= asked <= 6
    statuses = [row["status"] for row in ledger(database).values()]
    assert statuses.count("failed") == asked
    assert statuses.count("not queried") == 30 - asked


def test_a_name_that_resolves_to_a_non_public_address_is_rejected(tmp_path: Path) -> None:
    name = socket.gethostname()
    try:
        found = [end[0] for *_, end in socket.getaddrinfo(name, 443)]
    except OSError:
        pytest.skip("this machine does not know its own name")
    if all(ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in found):
        pytest.skip("this machine has a public address")
    with serving() as service:
        online = service.online(tmp_path, origin=f"https://{name}/{{address}}")
        database = ft.AsnDatabase(online=online)
        with pytest.warns(UserWarning, match="is blocked"):
            database.lookup(unknown())


def test_a_service_without_the_encryption_it_promises_fails(tmp_path: Path) -> None:
    with serving() as service:
        secure = service.url.replace("http:", "https:")
        online = service.online(tmp_path, origin=f"{secure}/{{address}}")
        database = ft.AsnDatabase(online=online)
        with pytest.warns(UserWarning, match="no connection"):
            database.lookup(unknown())
        assert set(service.asked) == {"/bootstrap/ipv4.json", f"/rdap/ip/{unknown()[0]}"}


def test_a_failed_bootstrap_is_listed_for_every_address(tmp_path: Path) -> None:
    addresses = unknown(2)
    with serving({"/elsewhere/ipv4.json": says(200, b"[]")}) as service:
        online = service.online(tmp_path, bootstrap=f"{service.url}/elsewhere")
        database = ft.AsnDatabase(online=online)
        with pytest.warns(UserWarning, match="registration for 2 addresses: 2 failed"):
            assert database.lookup(addresses)["asn"].to_pylist() == [64500, 64500]
    for entry in ledger(database, "registration").values():
        assert "ipv4.json: the response is not valid" in entry["reason"]


def test_ctrl_c_stops_the_look_up(tmp_path: Path) -> None:
    addresses = unknown(40)
    code = """
import json, os, signal, sys, threading, time
import flowtriage as ft
from flowtriage.enrich.online import Online

signal.signal(signal.SIGINT, signal.default_int_handler)
settings, addresses = json.loads(sys.argv[1])
database = ft.AsnDatabase(online=Online(**settings))

def interrupt():
    global sent
    time.sleep(0.5)
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    database.lookup(addresses)
except KeyboardInterrupt:
    print(time.monotonic() - sent)
time.sleep(3)
"""
    with serving(dict.fromkeys(addresses, sleeps(1))) as service:
        settings = {
            "origin": f"{service.url}/origin?resource={{address}}",
            "bootstrap": f"{service.url}/bootstrap",
            "cache": str(tmp_path),
            "timeout": 5,
        }
        done = subprocess.run(
            [sys.executable, "-c", code, json.dumps([settings, addresses])],
            capture_output=True,
            text=True,
            check=True,
            env=dict(os.environ),
        )
        asked = sum(service.origins(address) for address in addresses)
    assert float(done.stdout) < 2
    # The four under way came to their end, and no other was begun.
    assert asked <= 4

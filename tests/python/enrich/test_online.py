"""Looking addresses up online, at a service on this machine that does what it likes."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.enrich.asn import as_database
from flowtriage.enrich.online import Online, messages
from flowtriage.errors import ArgumentError
from online_service import (
    Behaviour,
    breaks_off,
    circles,
    drips,
    first,
    hangs_up,
    leads_to,
    origin,
    says,
    serving,
    sleeps,
)

KNOWN = "8.8.8.8"


def unknown(count: int = 1) -> list[str]:
    """Public addresses that the bundled database does not know."""
    candidates = [f"{a}.{b}.0.1" for a in range(1, 224) for b in (0, 100, 200)]
    rows = ft.AsnDatabase().lookup(candidates).to_pylist()
    known = [row["address"] for row in rows if row["as_name"] == "No ASN record"]
    assert len(known) >= count
    return known[:count]


def ledger(database: ft.AsnDatabase, service: str = "origin") -> dict[str, dict[str, Any]]:
    rows = database.ledger.to_pylist()
    return {row["address"]: row for row in rows if row["service"] == service}


def test_online_look_up_is_off_by_default() -> None:
    database = ft.AsnDatabase()
    database.lookup([KNOWN, *unknown()])
    assert database.online is None
    assert database.ledger.num_rows == 0
    assert messages(database.ledger) == []


def test_addresses_without_an_asn_are_looked_up_online(tmp_path: Path) -> None:
    (address,) = unknown()
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        rows = database.lookup([address, KNOWN, "10.0.0.1", "fe80::1", None]).to_pylist()
        assert sorted(path.rpartition("/")[2] for path in service.asked) == sorted(
            [f"origin?resource={address}", "ipv4.json", address]
        )
    assert (rows[0]["asn"], rows[0]["as_name"]) == (64500, "HOLDER 64500")
    assert rows[0]["prefix"] == address.removesuffix(".1") + ".0/24"
    assert rows[1]["asn"] == 15169
    assert [row["as_name"] for row in rows[2:]] == [
        *("Private address", "Link Local address", "No address")
    ]
    registered = ledger(database, "registration")[address]
    assert (registered["status"], registered["name"]) == ("answered", "Example Registrant")
    assert (registered["country"], registered["cached"]) == ("NZ", False)
    assert messages(database.ledger) == [
        "Online lookup of origin for 1 address: 1 answered.",
        "Online lookup of registration for 1 address: 1 answered.",
    ]


def test_everything_looks_up_all_public_addresses(tmp_path: Path) -> None:
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, everything=True))
        rows = database.lookup([KNOWN, "2606:4700::1111", "192.168.0.1", "::1"]).to_pylist()
    assert [row["asn"] for row in rows] == [64500, 64500, None, None]
    assert rows[1]["prefix"] == "2606:4700::/48"
    assert set(ledger(database)) == {KNOWN, "2606:4700::1111"}


def test_countries_come_from_the_registration_where_no_file_knows_them(
    tmp_path: Path, shared: Path
) -> None:
    path = shared / "mmdb" / "maxmind-test" / "GeoLite2-ASN-Test.mmdb"
    with serving() as service:
        database = ft.AsnDatabase(path, online=service.online(tmp_path))
        assert database.lookup([KNOWN])["country"].to_pylist() == ["NZ"]


def test_the_summary_asks_about_both_ends(tmp_path: Path) -> None:
    (address,) = unknown()
    flows = pa.table({"src_ip": ["10.0.0.1", address], "dst_ip": [address, KNOWN], "flows": [1, 2]})
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        summary = ft.flow_summary(flows, asn=database)
    assert sorted(summary["DestASN"].to_pylist()) == ["AS15169 Google LLC", "AS64500 HOLDER 64500"]
    assert sum(summary["TotalAllowedFlows"].to_pylist()) == 3
    assert ft.flow_summary(flows) == ft.flow_summary(ft.flow_index(flows))


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
    assert ledger(database, "registration")[address]["status"] == "answered"


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


def test_no_record_and_several_origins(tmp_path: Path) -> None:
    nothing, several, absent = unknown(3)
    none = {"status": "ok", "data": {"resource": f"{nothing}/32", "asns": []}}
    behaviour = {
        nothing: says(200, none),
        several: says(200, origin(several, 64501, 64502)),
        absent: says(404),
    }
    with serving(behaviour) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        rows = database.lookup([nothing, several, absent]).to_pylist()
    assert [row["asn"] for row in rows] == [None, 64501, None]
    entries = ledger(database)
    assert entries[nothing]["status"] == entries[absent]["status"] == "no record"
    assert entries[several]["reason"] == "also announced by AS64502"


def test_results_are_cached(tmp_path: Path) -> None:
    addresses = unknown(3)
    with serving() as service:
        expected = ft.AsnDatabase(online=service.online(tmp_path)).lookup(addresses)
        asked = service.asked.total()
        database = ft.AsnDatabase(online=service.online(tmp_path))
        assert database.lookup(addresses) == expected
        assert service.asked.total() == asked
        assert database.ledger["cached"].to_pylist() == [True] * 6
        assert messages(database.ledger)[0] == (
            "Online lookup of origin for 3 addresses: 3 answered; 3 cached."
        )
        expired = ft.AsnDatabase(online=service.online(tmp_path, expiry=0))
        assert expired.lookup(addresses) == expected
        assert service.origins(addresses[0]) == 2
        elsewhere = f"{service.url}/origin?elsewhere&resource={{address}}"
        other = ft.AsnDatabase(online=service.online(tmp_path, origin=elsewhere))
        other.lookup(addresses)
        assert service.asked[f"/origin?elsewhere&resource={addresses[0]}"] == 1


def test_damaged_and_expired_cache_entries_are_queried_again(tmp_path: Path) -> None:
    (address,) = unknown()
    with serving() as service:
        ft.AsnDatabase(online=service.online(tmp_path)).lookup([address])
        (file,) = tmp_path.glob("origin-*.json")
        whole = json.loads(file.read_text())
        old = whole | {"at": whole["at"] - 8 * 86_400}
        ahead = whole | {"at": whole["at"] + 86_400}
        wrong = whole | {"answer": {"asn": "many"}}
        texts = [b"", b"{", b"\xff\xfe", *(json.dumps(one).encode() for one in (old, ahead, wrong))]
        for asked, text in enumerate(texts, 2):
            file.write_bytes(text)
            database = ft.AsnDatabase(online=service.online(tmp_path))
            assert database.lookup([address])["asn"].to_pylist() == [64500]
            assert service.origins(address) == asked
            assert json.loads(file.read_text())["answer"] == whole["answer"]


def test_cache_files_are_complete_private_and_safely_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(folder, everything=True))
        database.lookup([KNOWN, "2606:4700::1111"])
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "bootstrap-ipv4.json",
        "bootstrap-ipv6.json",
        "origin-00000000000000000000ffff08080808.json",
        "origin-26064700000000000000000000001111.json",
        "registration-00000000000000000000ffff08080808.json",
        "registration-26064700000000000000000000001111.json",
    ]
    assert folder.stat().st_mode & 0o077 == 0


def test_the_cache_is_in_the_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Online().folder == tmp_path / "flowtriage" / "online"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Online().folder == tmp_path / "home" / ".cache" / "flowtriage" / "online"
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cache directory"):
        ft.AsnDatabase(online=Online(cache=tmp_path / "file" / "cache"))


def test_requests_at_the_same_time_are_bounded(tmp_path: Path) -> None:
    addresses = unknown(12)
    with serving(dict.fromkeys(addresses, sleeps(0.2))) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, workers=3))
        database.lookup(addresses)
        assert 2 <= service.most <= 3
    assert {row["status"] for row in database.ledger.to_pylist()} == {"answered"}


def test_queries_beyond_the_limit_are_not_made(tmp_path: Path) -> None:
    addresses = unknown(6)
    with serving() as service:
        database = ft.AsnDatabase(online=service.online(tmp_path, limit=4))
        with pytest.warns(UserWarning, match=r"not asked \(the limit of 4 queries is reached\)"):
            database.lookup(addresses)
        asked = [path for path in service.asked if "bootstrap" not in path]
        assert len(asked) == 4
    statuses = database.ledger["status"].to_pylist()
    assert (statuses.count("answered"), statuses.count("not asked")) == (4, 8)


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
    assert statuses.count("not asked") == 30 - asked


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"origin": "http://stat.ripe.net/{address}"}, "is not https"),
        ({"origin": "https://10.0.0.1/{address}"}, "not public but Private"),
        ({"origin": "ftp://stat.ripe.net/{address}"}, "is not https"),
        ({"origin": "{address}"}, "cannot be queried"),
        ({"origin": "https://stat.ripe.net/"}, "must contain {address}"),
        ({"bootstrap": "http://[fd00::1]/"}, "not public but Private"),
        ({"workers": 0}, "must be 1 to 8, got 0"),
        ({"workers": 9}, "must be 1 to 8, got 9"),
        ({"timeout": 0}, "more than 0"),
        ({"expiry": -1}, "0 or more"),
        ({"expiry": float("inf")}, "expiry must be a number of seconds, got inf"),
        ({"limit": 0}, "must be 1 or more"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    setting: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError, match=reason):
        ft.AsnDatabase(online=Online(cache=tmp_path, **setting))


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


def test_long_and_untrusted_names_are_cut_and_shown_as_text(tmp_path: Path) -> None:
    (address,) = unknown()
    answer = origin(address)
    answer["data"]["asns"][0]["holder"] = "<script>alert(1)</script>" + "x" * 10_000
    with serving({address: says(200, answer)}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        (name,) = database.lookup([address])["as_name"].to_pylist()
    assert name.startswith("<script>")
    assert len(name) == 200


@pytest.mark.extra
def test_a_run_reports_the_online_look_up(tmp_path: Path) -> None:
    good, bad = unknown(2)
    ends = {"src_ip": ["10.0.0.1"] * 2, "dst_ip": [good, bad]}
    flows = pa.table({"start_time": [1e9, 1e9], **ends, "flows": [1, 1], "service": ["dns"] * 2})
    with serving({bad: says(403)}) as service:
        database = ft.AsnDatabase(online=service.online(tmp_path))
        nb = ft.NetworkFlowSummary(silent=True)
        with pytest.warns(UserWarning, match="1 answered, 1 failed"):
            result = nb.run("10.0.0.1", data=flows, asn=database, options=["flow_summary"])
    assert sorted(result.flow_summary["DestASN"]) == ["AS64500 HOLDER 64500", "No ASN record"]
    assert result.asn_ledger is not None
    assert result.asn_ledger["status"].value_counts().to_dict() == {"answered": 3, "failed": 1}
    (section,) = (one for one in result.sections if one.title.startswith("Flow Summary"))
    assert "1 failed (HTTP 403)" in str(section.contents)


def test_the_word_online_stands_for_the_default_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    database = as_database("online")
    assert database.online == Online()
    assert "online" in repr(database)
    # Nobody is asked about these.
    flows = pa.table({"src_ip": ["10.0.0.1"], "dst_ip": ["10.0.0.2"], "flows": [1]})
    assert ft.flow_summary(flows, asn="online") == ft.flow_summary(flows)
    with pytest.raises(FileNotFoundError):
        ft.flow_summary(flows, asn="./online")

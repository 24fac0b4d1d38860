"""Looking addresses up online, at a service on this machine that does what it likes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.enrich.asn import as_database
from flowtriage.enrich.online import Online, messages
from flowtriage.errors import ArgumentError
from online_service import ledger, origin, says, serving, unknown

KNOWN = "8.8.8.8"


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
    assert (registered["status"], registered["name"]) == ("result", "Example Registrant")
    assert (registered["country"], registered["cached"]) == ("NZ", False)
    assert messages(database.ledger) == [
        "Online lookup of origin for 1 address: 1 with result.",
        "Online lookup of registration for 1 address: 1 with result.",
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
            "Online lookup of origin for 3 addresses: 3 with result; 3 cached."
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
        with pytest.warns(UserWarning, match="1 with result, 1 failed"):
            result = nb.run("10.0.0.1", data=flows, asn=database, options=["flow_summary"])
    assert sorted(result.flow_summary["DestASN"]) == ["AS64500 HOLDER 64500", "No ASN record"]
    assert result.asn_ledger is not None
    assert result.asn_ledger["status"].value_counts().to_dict() == {"result": 3, "failed": 1}
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

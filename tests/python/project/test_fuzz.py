"""The fuzz driver: its seeds are valid, its cases are the same for the same seed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import flowtriage as ft
import fuzz
import fuzz_seeds
import fuzz_targets
from flowtriage.formats import FORMATS

LOGS = fuzz_seeds.logs()


@pytest.mark.parametrize("name", LOGS)
def test_every_log_is_valid(tmp_path: Path, name: str) -> None:
    path = tmp_path / "seed.log"
    path.write_bytes(LOGS[name])
    report = ft.read_flows(path).report
    assert report.format == name.removesuffix("-json")
    assert report.rows_bad == 0
    assert report.rows_read >= fuzz_seeds.ROWS


def test_every_format_has_a_log() -> None:
    named = {name.removesuffix("-json") for name in LOGS}
    assert {one.name for one in FORMATS} - named <= {"nfdump-fast", "spot-results"}


def test_every_other_seed_is_valid(tmp_path: Path) -> None:
    for kind in ("table/", "blocklist/", "settings/", "database", "texts"):
        for name, make in fuzz_targets.targets().items():
            if name.startswith(kind):
                target = make()
                path = tmp_path / f"seed{target.suffix}"
                content = getattr(target, "_content", b"10.0.0.1")
                path.write_bytes(content)
                target.execute(path)


@pytest.mark.parametrize("name", ["log/zeek", "lines/argus", "functions", "texts", "database"])
def test_cases_follow_from_the_seed(name: str) -> None:
    def cases() -> list[bytes]:
        target = fuzz_targets.targets()[name]()
        return [target.case(random.Random(f"7 {name} {n}")) for n in range(20)]

    assert cases() == cases()
    assert len(set(cases())) > 10


def test_a_lost_row_and_a_foreign_error_are_findings(tmp_path: Path) -> None:
    def lose(path: Path) -> None:
        raise fuzz_targets.Finding("3 of 6 rows")

    def fail(path: Path) -> None:
        raise OSError(22, "Invalid argument")

    def refuse(path: Path) -> None:
        raise ft.FormatError("damaged")

    found = [
        fuzz._outcome(fuzz_targets.Files(b"", read), tmp_path / "case")[0]
        for read in (lose, fail, refuse, str)
    ]
    assert found[0] == "Finding: 3 of 6 rows"
    assert found[1].startswith("OSError: ")
    assert found[2] == "FormatError without the name of the file: damaged"
    assert found[3] == ""


@pytest.mark.parametrize(
    ("status", "expected"),
    [(-signal.SIGSEGV, "SIGSEGV: last"), (-signal.SIGALRM, "takes more than"), (3, "exit 3: last")],
)
def test_the_end_of_a_process_is_a_finding_with_its_input(
    tmp_path: Path, status: int, expected: str
) -> None:
    (tmp_path / "case.log").write_bytes(b"input")
    done = subprocess.CompletedProcess([], status, "", "first\nlast\n")
    one = fuzz._crash("log/zeek", done, tmp_path)
    assert one.what.startswith(expected)
    assert one.content == b"input"


@pytest.mark.slow
def test_a_run_prints_its_figures_and_keeps_findings(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "texts").mkdir(parents=True)
    (corpus / "texts" / "fixed").write_bytes(b"10.0.0.1")
    command = [sys.executable, Path(fuzz.__file__), "--seconds", "2", "--target", "texts"]
    done = subprocess.run(
        [*command, "--corpus", corpus], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    figures = dict(line.split()[:2] for line in done.stdout.splitlines() if len(line.split()) > 1)
    assert int(figures["executions"].replace(",", "")) > 50
    assert not (corpus / "texts" / "fixed").exists()
    assert len(list((corpus / "texts").iterdir())) == int(figures["findings"])

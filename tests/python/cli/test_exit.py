"""Exit statuses: errors, interrupts, missing extras."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from command_line import ENVIRONMENT, PROGRAM, run, run_code

pytestmark = pytest.mark.extra

WITHOUT_NOTEBOOK = """
    import sys

    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in {"pandas", "msticpy", "bokeh", "folium", "IPython", "yaml"}:
                raise ModuleNotFoundError(name)

    sys.meta_path.insert(0, Absent())
    from flowtriage.cli import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("summary", "--host is missing; give the address or name of the host"),
        ("summary --host 10.0.0.1", "give a FILE, or --sample"),
        ("summary absent --sample", "give files or --sample, not both"),
        ("summary absent --host 10.0.0.1", "absent: No such file or directory"),
        ("summary / --host 10.0.0.1", "/ is the root of a file system; give a directory of .*"),
        ("summary --sample --top 0", "Invalid value for .*--top"),
        ("summary --sample --start soon", "start 'soon' is not a time; .*"),
        ("summary --sample --start 2026-03-03 --end 2026-03-02", "the end of the timespan .*"),
        ("summary --sample --html absent/report.html", "absent: no such directory"),
        ("summary --sample --html /", "/: is a directory; give a file"),
        (f"summary {__file__} --host 10.0.0.1", ".*: the format is not recognised.*"),
        (f"summary {__file__} --host 10.0.0.1 --format csv", "unknown format 'csv'; .*"),
        ("top --sample --key dest --by size", "unknown measure 'size'; did you mean .*"),
        ("top --sample --key nothing --by flows", 'column "nothing" is missing; did you mean .*'),
        ("top --sample --key flows --by flows", "--key flows is a measure; .*"),
        ("top --sample --by flows", "Missing option '--key'.*"),
        ("asn", r"Missing argument 'IP'\. \(see flowtriage asn --help\)"),
        ("asn 8.8.8.8 1.2.3", "address 2: '1.2.3' is not an IP address"),
        ("asn 8.8.8.8 --asn absent.mmdb", "absent.mmdb: No such file or directory.*"),
        (f"db info {__file__}", ".*: is not a usable database in MaxMind's format.*"),
        ("db", r"Missing command\. \(see flowtriage db --help\)"),
        ("sumary", "No such command 'sumary'.*"),
        ("summary --colour", "No such option: --colour.*"),
    ],
)
def test_an_error_is_one_line(command: str, message: str) -> None:
    done = run(*command.split(), status=2)
    assert done.stdout == ""
    assert re.fullmatch(f"error: {message}.*\n", done.stderr)


@pytest.mark.parametrize("library", ["typer", "rich"])
def test_without_the_extra_the_program_names_it(library: str) -> None:
    done = run_code("""
        import sys
        sys.modules[sys.argv[1]] = None
        from flowtriage.cli import main
        sys.exit(main(["--help"]))
    """, library)  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        'flowtriage: the command line needs typer and rich: pip install "flowtriage[cli]"\n'
    )


def test_the_bare_install_suffices() -> None:
    for command in (["summary", "--sample"], ["top", "--sample", "--key", "dest", "--by", "bytes"]):
        done = run_code(WITHOUT_NOTEBOOK, *command)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_report_without_the_extra_names_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    done = run_code(WITHOUT_NOTEBOOK, "summary", "--sample", "--html", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r'error: .*pip install "flowtriage\[notebook\]".*\n', done.stderr)
    assert not path.exists()


def test_a_full_disk_is_an_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full on this system")
    with full.open("w") as out:
        done = subprocess.run(
            [*PROGRAM, "asn", "8.8.8.8"],
            stdout=out,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, b"error: No space left on device\n")


def test_an_interrupt_is_quiet() -> None:
    code = """
        import signal, sys
        from flowtriage.cli import app, main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("ready", file=sys.stderr, flush=True)
        sys.exit(main(["asn", "-"]))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == b"ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=120) == (b"", b"")
        assert process.returncode == 130


def test_a_closed_pipe_is_quiet() -> None:
    command = ["summary", "--sample", "-n", "100000"]
    with subprocess.Popen(
        [*PROGRAM, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=120) == 141

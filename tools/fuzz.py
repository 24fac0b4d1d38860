"""Fuzz what flowtriage reads and computes, in subprocesses with limits.

    python tools/fuzz.py --seconds 60 --seed 1

Every target damages small valid inputs and reads them (see `fuzz_targets`). A finding is an
exception that is not flowtriage's own, an error that does not name its file, a row that is neither
read nor counted, a result that depends on the Arrow types of the same values, a crash, or a case
that takes too long or too much memory. Case n of a target is the same for the same seed. Inputs of
findings are kept in the corpus, outside of git; later runs execute them first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / ".fuzz"
_SLICE = 10.0
"""Seconds that one process executes cases."""
_HANG = 20
"""Seconds after which a case counts as hanging."""
_LIMITS = {
    resource.RLIMIT_AS: 6 << 30,
    resource.RLIMIT_FSIZE: 1 << 28,
    resource.RLIMIT_CORE: 0,
}
_ONE_THREAD = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Found:
    """A finding: its target, what happened, where, and the input."""

    target: str
    what: str
    where: str
    content: bytes = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it another finding."""
        return self.target.partition("/")[0], re.sub(r"[\d']\S*", "#", self.what)[:60], self.where


def main() -> int:
    """Run, and return the exit status: 1 with findings."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="time to run")
    parser.add_argument("--seed", type=int, default=1, help="seed of all cases")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument(
        "--target", action="append", default=[], help="only targets with this start"
    )
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of findings")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--replay", type=Path, nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path[:0] = [str(ROOT / "tests" / "python" / "support")]
    if arguments.worker:
        return _work(arguments)
    return Campaign(arguments).run()


class Campaign:
    """One run over all targets."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        import fuzz_targets

        self._arguments = arguments
        chosen = tuple(arguments.target)
        self._names = [n for n in fuzz_targets.targets() if not chosen or n.startswith(chosen)]
        self._next = dict.fromkeys(self._names, 0)
        self._executed = dict.fromkeys(self._names, 0)
        self._found: dict[tuple[str, str, str], Found] = {}

    def run(self) -> int:
        """Execute the corpus, then new cases until the time is over; print the figures."""
        arguments = self._arguments
        started = time.monotonic()
        with ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(self._replay, self._names))
            known = len(self._found)
            while (left := arguments.seconds - (time.monotonic() - started)) > 0:
                seconds = min(_SLICE, max(1.0, left * arguments.jobs / len(self._names)))
                list(pool.map(partial(self._slice, seconds, started), self._names))
        seconds = time.monotonic() - started
        width = max(map(len, self._names))
        for name in self._names:
            print(f"{name:<{width}} {self._executed[name]:>12,}")
        total = sum(self._executed.values())
        print(f"{'executions':<{width}} {total:>12,} in {seconds:,.0f} s, seed {arguments.seed}")
        print(f"{'findings':<{width}} {len(self._found):>12,} ({known:,} of them in the corpus)")
        for one in self._found.values():
            print(f"  {one.target}: {one.what} [{one.where}] {self._save(one)}")
        return 1 if self._found else 0

    def _slice(self, seconds: float, started: float, name: str) -> None:
        if time.monotonic() - started < self._arguments.seconds:
            first = self._next[name]
            executed = self._process(name, "--first", str(first), "--seconds", str(seconds))
            self._next[name] = first + executed

    def _replay(self, name: str) -> None:
        """Execute the findings of earlier runs; delete those that are none any more."""
        files = sorted((self._arguments.corpus / name).glob("*"))
        for file in files:
            before = len(self._found)
            self._process(name, "--replay", str(file))
            if len(self._found) == before and not self._is_known(name, file):
                file.unlink()

    def _is_known(self, name: str, file: Path) -> bool:
        content = file.read_bytes()
        return any(one.target == name and one.content == content for one in self._found.values())

    def _process(self, name: str, *options: str) -> int:
        """Run a worker; return the number of executions."""
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory()) as folder:
            command = [sys.executable, __file__, "--worker", name, "--folder", folder, *options]
            command += ["--seed", str(self._arguments.seed)]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                env=os.environ | _ONE_THREAD,
            )
            state = Path(folder) / "executed"
            executed = int(state.read_bytes() or b"0") if state.exists() else 0
            for line in done.stdout.splitlines():
                one = json.loads(line)
                self._add(Found(name, one["what"], one["where"], bytes.fromhex(one["content"])))
            if done.returncode:
                self._add(_crash(name, done, Path(folder)))
                executed += 1
        self._executed[name] += executed
        return executed

    def _add(self, one: Found) -> None:
        known = self._found.get(one.key)
        if known is None or len(one.content) < len(known.content):
            self._found[one.key] = one

    def _save(self, one: Found) -> Path:
        folder = self._arguments.corpus / one.target
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / hashlib.sha256(one.content).hexdigest()[:16]
        file.write_bytes(one.content)
        return file


def _crash(name: str, done: subprocess.CompletedProcess[str], folder: Path) -> Found:
    cases = list(folder.glob("case*"))
    content = cases[0].read_bytes() if cases else b""
    code = -done.returncode
    if code == signal.SIGALRM:
        return Found(name, f"takes more than {_HANG} s", "", content)
    ended = signal.Signals(code).name if code > 0 else f"exit {done.returncode}"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return Found(name, f"{ended}: {lines[-1][:200] if lines else ''}", "process", content)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _work(arguments: argparse.Namespace) -> int:
    """Execute cases of one target; print a JSON line per finding."""
    import warnings

    import fuzz_targets

    warnings.simplefilter("ignore")
    target = fuzz_targets.targets()[arguments.worker]()
    for kind, value in _LIMITS.items():
        resource.setrlimit(kind, (value, value))
    path = arguments.folder / f"case{target.suffix}"
    state = os.open(arguments.folder / "executed", os.O_CREAT | os.O_WRONLY)
    if arguments.replay:
        for file in arguments.replay:
            _execute(target, path, file.read_bytes())
        return 0
    until = time.monotonic() + arguments.seconds
    executed = 0
    reported: set[str] = set()
    while time.monotonic() < until:
        dice = random.Random(f"{arguments.seed} {arguments.worker} {arguments.first + executed}")
        _execute(target, path, target.case(dice), reported)
        executed += 1
        os.pwrite(state, str(executed).encode(), 0)
    return 0


def _execute(target: Any, path: Path, content: bytes, reported: set[str] | None = None) -> None:
    path.write_bytes(content)
    signal.alarm(_HANG)
    what, where = _outcome(target, path)
    signal.alarm(0)
    if what and (reported is None or where + what[:40] not in reported):
        if reported is not None:
            reported.add(where + what[:40])
        line = {"what": what, "where": where, "content": content.hex()}
        print(json.dumps(line), flush=True)


def _outcome(target: Any, path: Path) -> tuple[str, str]:
    """Execute a case; return what is wrong, and where, or empty texts."""
    from flowtriage.errors import FlowtriageError

    try:
        target.execute(path)
    except FlowtriageError as error:
        if target.names_file and path.name not in str(error):
            return f"{type(error).__name__} without the name of the file: {error}"[:300], ""
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "/flowtriage/" in frame.filename] or frames
        where = f"{Path(own[-1].filename).name}:{own[-1].name}"
        return f"{type(error).__name__}: {error}"[:300], where
    return "", ""


if __name__ == "__main__":
    sys.exit(main())

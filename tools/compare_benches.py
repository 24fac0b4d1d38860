"""Compare the criterion benches of two commits, and fail if one became slower.

Both commits are checked out into temporary git worktrees and built there. `cargo bench` alternates
between them, so that temporary load affects both. The minimum of the medians of a bench counts.

    python tools/compare_benches.py main
    python tools/compare_benches.py v0.1.0 HEAD --percent 5 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Medians = dict[str, float]
"""Nanoseconds by name of bench."""


@dataclass(frozen=True)
class Change:
    """A bench at two commits, in nanoseconds; None where it does not exist."""

    bench: str
    base: float | None
    head: float | None

    @property
    def percent(self) -> float | None:
        """Increase of the time in percent, or None."""
        if self.base is None or self.head is None:
            return None
        return (self.head / self.base - 1) * 100


def read_medians(criterion: Path) -> Medians:
    """Read the latest medians under `target/criterion`."""
    return {
        path.parents[1].relative_to(criterion).as_posix(): json.loads(
            path.read_text(encoding="utf-8")
        )["median"]["point_estimate"]
        for path in sorted(criterion.glob("**/new/estimates.json"))
    }


def minimum(rounds: list[Medians]) -> Medians:
    """Return the minimum median of every bench."""
    names = dict.fromkeys(name for medians in rounds for name in medians)
    return {name: min(m[name] for m in rounds if name in m) for name in names}


def compare(base: Medians, head: Medians) -> list[Change]:
    """Pair the benches of two commits."""
    names = sorted(base.keys() | head.keys())
    return [Change(name, base.get(name), head.get(name)) for name in names]


def regressions(changes: list[Change], percent: float) -> list[Change]:
    """Return the benches that became slower by more than `percent`."""
    return [change for change in changes if change.percent is not None and change.percent > percent]


def render(changes: list[Change]) -> str:
    """Render the table of changes, with times in milliseconds."""
    width = max(len("bench"), *(len(change.bench) for change in changes))
    lines = [f"{'bench':<{width}}  {'base':>10}  {'head':>10}  change"]
    for change in changes:
        times = (
            "absent" if time is None else f"{time / 1e6:.3f} ms"
            for time in (change.base, change.head)
        )
        base, head = times
        percent = "" if change.percent is None else f"{change.percent:+.1f} %"
        lines.append(f"{change.bench:<{width}}  {base:>10}  {head:>10}  {percent}")
    return "\n".join(lines)


@contextmanager
def checkout(commit: str, folder: Path) -> Iterator[Path]:
    """Check out a commit into a temporary worktree."""
    subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", folder, commit], cwd=ROOT, check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def bench(tree: Path) -> Medians:
    """Run the benches of a worktree."""
    # A shared target directory would mix the builds of both trees. Criterion reads the variable
    # and ignores --target-dir.
    target = tree / "target"
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    command = ["cargo", "bench", "--locked", "--bench", "*"]
    subprocess.run(command, cwd=tree, env=environment, check=True, stdout=sys.stderr)
    medians = read_medians(target / "criterion")
    if not medians:
        sys.exit(f"cargo bench of {tree.name} wrote no criterion results")
    return medians


def main() -> None:
    """Compare the two commits of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("base", help="commit to compare with")
    parser.add_argument("head", nargs="?", default="HEAD", help="commit to check (HEAD)")
    parser.add_argument("--percent", type=float, default=10, help="maximum slowdown (10)")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each commit (2)")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="flowtriage-benches-") as name,
        checkout(arguments.base, Path(name) / "base") as base_tree,
        checkout(arguments.head, Path(name) / "head") as head_tree,
    ):
        pairs = [(bench(base_tree), bench(head_tree)) for _ in range(arguments.rounds)]
    changes = compare(minimum([base for base, _ in pairs]), minimum([head for _, head in pairs]))
    print(render(changes))
    if slower := regressions(changes, arguments.percent):
        names = ", ".join(change.bench for change in slower)
        sys.exit(f"slower by more than {arguments.percent:g} %: {names}")


if __name__ == "__main__":
    main()

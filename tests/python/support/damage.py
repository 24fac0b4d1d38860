"""Random damage to files."""

from __future__ import annotations

from pathlib import Path

from limited import outcome

_MUTATE = """
import random
def mutate(path, seed, count, work):
    content, pick, found = open(path, "rb").read(), random.Random(seed), set()
    for _ in range(count):
        damaged = bytearray(content)
        for _ in range(pick.randrange(1, 4)):
            damaged[pick.randrange(len(damaged))] = pick.randrange(256)
        if pick.random() < 0.3:
            damaged = damaged[: pick.randrange(len(damaged))]
        open(path, "wb").write(damaged)
        try:
            work(path)
        except ft.FlowtriageError as error:
            if path.rpartition("/")[2] not in str(error):
                found.add(f"no file name: {error}")
        except BaseException as error:
            found.add(f"{type(error).__name__}: {error}"[:200])
    return sorted(found)[:5]
"""


def mutated(path: Path, work: str, count: int = 300) -> list[str]:
    """Return foreign errors, and those without the file's name, of `work` on damaged copies."""
    done = outcome(
        f"(exec({_MUTATE!r}, globals()), mutate(sys.argv[1], 7, {count}, {work}))[1]", path
    )
    found: list[str] = done["value"]
    return found

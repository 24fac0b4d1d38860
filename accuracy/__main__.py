"""Score the detectors: `python -m accuracy --truth FILE --data FOLDER --output FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from accuracy import document, figures, speed, worklist
from accuracy.captures import is_inbound, score
from accuracy.figures import Figure
from accuracy.rules import FLOWTRIAGE, INBOUND, PEERS
from accuracy.synthetic.scores import GridScore, score_grid
from accuracy.truth import TruthError, read_truth

_ROOT = Path(__file__).resolve().parents[1]
_TRUTH = _ROOT.parent / "shared" / "data" / "labelled" / "truth.json"
_OUTPUT = _ROOT / "docs" / "accuracy.md"


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, score, and write the document."""
    options = _parser().parse_args(arguments)
    try:
        results = _results(options)
    except TruthError as error:
        sys.exit(str(error))
    options.output.write_text(document.render(results), encoding="utf-8")
    if options.output.resolve() == _OUTPUT:
        figures.write(results.figures)
    if options.worklist:
        options.worklist.write_text(worklist.render(results), encoding="utf-8")
    _log(f"wrote {options.output}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m accuracy", description=__doc__)
    parser.add_argument("--truth", type=Path, default=_TRUTH, help="truth file")
    parser.add_argument("--data", type=Path, help="folder of the captures; default: of the truth")
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="default: %(default)s")
    parser.add_argument("--no-grid", action="store_true", help="score the captures only")
    parser.add_argument(
        "--worklist", type=Path, help="also write misses and false alarms with their addresses"
    )
    return parser


def _results(options: argparse.Namespace) -> document.Results:
    captures = read_truth(options.truth, options.data)
    rules = (FLOWTRIAGE, *PEERS)
    _log(f"{len(captures)} captures, {len(rules)} rules")
    scored = list(score(captures, rules))
    called = [
        capture
        for capture in captures
        if any(is_inbound(capture, label) for label in capture.truth)
    ]
    scored += score(called, [INBOUND])
    ours = [each for each in scored if each.rule == FLOWTRIAGE.name]
    held = figures.labelled_figures(ours)
    grid: list[GridScore] = []
    hard: list[GridScore] = []
    if not options.no_grid:
        grid = score_grid(figures.cells(), rules, figures.SEED)
        hard = score_grid(figures.hard_cells(), rules, figures.SEED)
        held += _grid_figures(grid[0], hard[0])
    return document.Results(scored, grid, hard, held, speed.read(), options.truth.name)


def _grid_figures(grid: GridScore, hard: GridScore) -> list[Figure]:
    reduced = score_grid(figures.reduced_cells(), [FLOWTRIAGE], figures.REDUCED_SEED)[0]
    return [
        *figures.grid_figures(figures.FULL, grid),
        *figures.grid_figures(figures.HARD, hard),
        *figures.grid_figures(figures.REDUCED, reduced),
    ]


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

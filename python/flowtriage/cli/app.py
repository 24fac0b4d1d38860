"""The program: its commands and exit statuses."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import pyarrow as pa
import typer

from flowtriage.cli.commands import (
    asn,
    convert,
    db,
    hosts,
    hunt,
    oa,
    oa_feedback,
    oa_findings,
    report,
    store,
    summary,
    top,
)
from flowtriage.errors import FlowtriageError
from flowtriage.humanize import sanitize

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # typer does not export it
_MAX_MESSAGE = 2_000
HELP = (
    "Triage network flows: which host to look at and for what, its peers, traffic volume, and the "
    "AS behind each address.\n\n"
    "The log format is detected from the content: Zeek, NetFlow, AWS, Azure, GCP, Suricata, Argus "
    "and others, as text (plain or compressed), Parquet or Arrow. AS and country of addresses "
    "come from bundled databases; nothing is looked up online."
)
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=HELP,
    epilog="Try it without data:  flowtriage hunt --sample",
)
app.command("hunt", epilog=hunt.EXAMPLES)(hunt.hunt)
app.command("hosts", epilog=hosts.EXAMPLES)(hosts.hosts)
app.command("summary", epilog=summary.EXAMPLES)(summary.summary)
app.command("top", epilog=top.EXAMPLES)(top.top)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("asn", epilog=asn.EXAMPLES)(asn.asn)
app.command("convert", epilog=convert.EXAMPLES)(convert.convert)
oa.app.command("findings", epilog=oa_findings.EXAMPLES)(oa_findings.findings)
oa.app.add_typer(oa_feedback.app, name="feedback")
app.add_typer(oa.app, name="oa")
app.add_typer(store.app, name="store")
app.add_typer(db.app, name="db")


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"flowtriage {version('flowtriage')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status (see `flowtriage.cli.main`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    finally:
        _flush_output()


def _run(arguments: Sequence[str]) -> int:
    program = typer.main.get_command(app)
    try:
        # typer's own main() maps a closed pipe and an interrupt to other statuses.
        with program.make_context("flowtriage", list(arguments) or ["--help"]) as context:
            program.invoke(context)
        sys.stdout.flush()
        return 0
    except typer.Exit as end:
        return end.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except _USAGE_ERROR as error:
        return _fail(_usage_message(error))
    except OSError as error:
        return _fail(_os_message(error))
    except (FlowtriageError, pa.ArrowException) as error:
        return _fail(str(error))
    except Exception:
        print(sanitize(traceback.format_exc(), multiline=True), file=sys.stderr)
        return _fail("this is a bug in flowtriage; please report it with the traceback above")


def _fail(message: str) -> int:
    print(f"error: {sanitize(message, _MAX_MESSAGE)}", file=sys.stderr)
    return 2


def _usage_message(error: Exception) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _os_message(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        return error.strerror
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def _flush_output() -> None:
    """Flush the output, so that Python does not complain about a closed pipe at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)

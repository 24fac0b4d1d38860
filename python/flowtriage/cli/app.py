"""The program: its commands, and how it ends."""

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

from flowtriage.cli.commands import asn, convert, db, oa, report, store, summary, top
from flowtriage.cli.commands import oa_feedback as feedback
from flowtriage.errors import FlowtriageError
from flowtriage.humanize import sanitize

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # typer does not export it
_MAX_MESSAGE = 2_000
HELP = (
    "Triage network flows: whom did a host talk to, how much, and who owns the other end.\n\n"
    "Logs are recognised by their content: Zeek, NetFlow, AWS, Azure, GCP, Suricata, Argus and "
    "others, as text (also packed), Parquet or Arrow. Nothing leaves this machine; owners of "
    "addresses come from a database on it."
)
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=HELP,
    epilog="Try it without any data:  flowtriage summary --sample",
)
app.command("summary", epilog=summary.EXAMPLES)(summary.summary)
app.command("top", epilog=top.EXAMPLES)(top.top)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("asn", epilog=asn.EXAMPLES)(asn.asn)
app.command("convert", epilog=convert.EXAMPLES)(convert.convert)
oa.app.add_typer(feedback.app, name="feedback")
app.add_typer(oa.app, name="oa")
app.add_typer(store.app, name="store")
app.add_typer(db.app, name="db")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowtriage {version('flowtriage')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and stop."
        ),
    ] = False,
) -> None:
    """Options of the program itself."""


def run(arguments: Sequence[str]) -> int:
    """Run a command, and turn every way in which it can end into an exit status.

    Parameters
    ----------
    arguments
        What follows the name of the program; nothing asks for help.

    Returns
    -------
    int
        Exit status, as `flowtriage.cli.main` tells.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    finally:
        _let_go_of_output()


def _run(arguments: Sequence[str]) -> int:
    program = typer.main.get_command(app)
    try:
        # main() of the program would turn a closed pipe and an interrupt into statuses of its own
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
        return _refuse(_usage(error))
    except OSError as error:
        return _refuse(_system(error))
    except (FlowtriageError, pa.ArrowException) as error:
        return _refuse(str(error))
    except Exception:
        print(sanitize(traceback.format_exc(), multiline=True), file=sys.stderr)
        return _refuse("this is a fault of flowtriage; please report it with the lines above")


def _refuse(message: str) -> int:
    print(f"error: {sanitize(message, _MAX_MESSAGE)}", file=sys.stderr)
    return 2


def _usage(error: Exception) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _system(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        return error.strerror
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def _let_go_of_output() -> None:
    """Leave nothing unwritten that Python would complain about when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)

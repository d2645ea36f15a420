"""The command line: the group of commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from rigger.cli import help
from rigger.environments.home import Home
from rigger.errors import UNWRITABLE, BadUsage, Interrupted, NotReady, RiggerError
from rigger.process.spawn import ensure_standard_descriptors
from rigger.redact.known import masked
from rigger.text import did_you_mean, plain
from rigger.ui.printer import prepare_streams, unwritten

# What the system may refuse anywhere, by no fault of rigger's: a full or broken disk, somebody else's folder.
SURROUNDINGS = UNWRITABLE | {errno.ENOTDIR, errno.ELOOP}


class Verbs(click.Group):
    """The verbs, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(help.summaries())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in help.summaries():
            return None
        module = importlib.import_module(f"rigger.commands.{name.replace('-', '_')}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in help.summaries():
            raise BadUsage(
                f"There is no command {args[0]!r}{did_you_mean(args[0], help.summaries())}.",
                'Type "rigger --help".',
            )
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return help.text().rstrip("\n")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-e", "--environment", "name", metavar="NAME", help="Work with this environment.")
@click.version_option(None, "--version", package_name="rigger", message="rigger %(version)s")
@click.pass_context
def rigger(ctx: click.Context, name: str | None) -> None:
    ctx.obj = name


def main(arguments: list[str]) -> int:
    """Run the command line; print what went wrong as one sentence and its next step; return the exit code."""
    ensure_standard_descriptors()
    prepare_streams()
    try:
        result = rigger.main(args=arguments, prog_name="rigger", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        return _closed() or _written() or code
    except RiggerError as problem:
        return _fail(problem.message, problem.next_step, problem.exit_code)
    except click.ClickException as problem:
        ctx = problem.ctx if isinstance(problem, click.UsageError) else None
        path = ctx.command_path if ctx else "rigger"
        return _fail(_sentence(problem, ctx), f'Type "{path} --help".', 2)
    except (KeyboardInterrupt, click.Abort):
        return _fail("Interrupted.", "", Interrupted.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        _silence()
        return 1
    except ModuleNotFoundError as problem:
        return _fail(
            f"The Python package {problem.name} is missing.",
            "Install rigger again, with all it needs.",
            NotReady.exit_code,
        )
    except OSError as problem:
        return _unusable(problem) if problem.errno in SURROUNDINGS and problem.filename else _bug()
    except Exception:
        return _bug()


def _sentence(problem: click.ClickException, ctx: click.Context | None) -> str:
    """Return what click says, with a hint at the option or verb that may have been meant, in any case of letters."""
    if isinstance(problem, click.NoSuchOption) and ctx:
        shown = [p for p in ctx.command.get_params(ctx) if not getattr(p, "hidden", False)]
        known = [name for param in shown for name in param.opts if name.startswith("--")]
        return f"No such option: {problem.option_name}{did_you_mean(problem.option_name, known)}."
    return problem.format_message()


def _written() -> int:
    """Say so where the output did not get where it was sent: a report on a full disk is no report."""
    if not unwritten:
        return 0
    return _fail(f"The output could not be written: {unwritten[0]}.", "Make room there.", NotReady.exit_code)


def _fail(message: str, next_step: str, code: int) -> int:
    message, next_step = masked(message), masked(next_step)
    lines = "\n".join(plain(line) for line in f"rigger: {message}".split("\n"))
    try:
        sys.stderr.write(lines + "\n" + (f"  {plain(next_step)}\n" if next_step else ""))
        sys.stderr.flush()
    except OSError:
        _silence()
    return code


def _unusable(problem: OSError) -> int:
    """Say which file or folder the system did not let rigger use."""
    message = f"{os.fsdecode(problem.filename)} cannot be used: {problem.strerror}."
    return _fail(
        message, "Make room or correct the permissions, then run the same command again.", NotReady.exit_code
    )


def _bug() -> int:
    """Keep the traceback of what nobody foresaw, and say where it is."""
    import traceback

    text = masked(traceback.format_exc())
    last = text.strip().splitlines()[-1]
    try:
        folder = Home().path
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "crash.log")
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", errors="backslashreplace"
        ) as file:
            file.write(f"rigger {' '.join(sys.argv[1:2])}\n{text}\n")
    except (OSError, RiggerError):
        return _fail(f"This is a bug in rigger: {last}", "", 1)
    return _fail(f"This is a bug in rigger: {last}", f"The traceback is in {path}; please report it.", 1)


def _closed() -> int:
    try:
        sys.stdout.flush()
    except OSError:
        _silence()
        return 1
    return 0


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())

"""The command line: the group of commands, and the one place where errors become words and exit codes."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from rigger.cli import help, parser
from rigger.cli.declared import Group
from rigger.environments.home import Home
from rigger.errors import UNWRITABLE, BadUsage, Interrupted, NotReady, RiggerError
from rigger.later import later
from rigger.operations.report import report_of
from rigger.process.spawn import ensure_standard_descriptors
from rigger.redact.known import masked, masked_data
from rigger.text import did_you_mean, folded, plain, ways
from rigger.ui.printer import prepare_streams, unwritten, with_environment
from rigger.ui.terminal import columns_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.cli import clicked, other_words
    from rigger.cli.declared import Verb
else:
    clicked = later("rigger.cli.clicked")
    other_words = later("rigger.cli.other_words")

# What the system may refuse anywhere, by no fault of rigger's: a full or broken disk, somebody else's folder.
SURROUNDINGS = UNWRITABLE | {errno.ENOTDIR, errno.ELOOP}

JSON = {("-o", "json"), ("--output", "json")}
OTHERS_WORDS = ("ssh", "terraform")  # whose words are those of other programs


def find_verb(name: str) -> Verb | Group:
    """Return the verb of a name, imported when it is called; raises BadUsage where there is none."""
    if name not in help.summaries():
        hint, commands = other_words.command_hint(name, help.summaries())
        raise BadUsage(
            f"There is no command {name!r}{hint}.", commands or ways(("All commands", "rigger --help --all"))
        )
    file = name.replace("-", "_")
    module = f"rigger.commands.{file}"
    __import__(module)
    verb: Verb | Group = getattr(sys.modules[module], file)
    return verb


def every_verb() -> Iterator[tuple[str, Verb]]:
    """Yield all verbs by the words that call them, those of a group in place of the group."""
    for name in help.summaries():
        found = find_verb(name)
        if isinstance(found, Group):
            yield from ((f"{name} {word}", verb) for word, verb in found.verbs.items())
        else:
            yield name, found


def run(words: list[str]) -> int:
    """Find the verb that the words name, and call it with what the rest of them say."""
    environment, words = parser.environment_in_front(words) or clicked.in_front(
        words, "rigger", None, help.text()
    )
    verb, path = find_verb(words[0]), f"rigger {words[0]}"
    if isinstance(verb, Group):
        return run_in(verb, environment, words[1:], path)
    return call(verb, environment, words[1:], path)


def run_in(group: Group, environment: str | None, words: list[str], path: str) -> int:
    """Find the verb of a group, and call it."""
    own, words = parser.environment_in_front(words) or clicked.in_front(words, path, group, "")
    verb = group.verbs.get(words[0])
    if verb is None:
        hint = did_you_mean(words[0], group.verbs)
        raise BadUsage(
            f"There is no command {path} {words[0]!r}{hint}.", ways(("Its commands", f"{path} --help"))
        )
    return call(verb, own or environment, words[1:], f"{path} {verb.name}")


def call(verb: Verb, environment: str | None, words: list[str], path: str) -> int:
    """Call a verb with the values that the words give it; click reads them where they are not plainly right."""
    values = parser.values_of(verb, words)
    return verb.run(environment, **(clicked.values_of(verb, words, path) if values is None else values))


def main(arguments: list[str]) -> int:
    """Run the command line; print what went wrong as one sentence and its next step; return the exit code."""
    ensure_standard_descriptors()
    prepare_streams()
    try:
        code = run(arguments)
        return _closed() or _written() or code
    except SystemExit as stop:
        return _closed() or int(stop.code or 0)
    except BrokenPipeError:
        _silence()
        return 1
    except (KeyboardInterrupt, Exception) as error:
        problem = as_problem(error)
        if wants_json(arguments):
            _report(problem)
        return _fail(problem)


def as_problem(error: BaseException) -> RiggerError:
    """Return what went wrong as an error that a person can act on."""
    if isinstance(error, RiggerError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("Interrupted.")
    if isinstance(error, ModuleNotFoundError):
        return NotReady(
            f"The Python package {error.name} is missing.", "Install rigger again, with all it needs."
        )
    if isinstance(error, OSError) and error.errno in SURROUNDINGS and error.filename:
        return NotReady(
            f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}.",
            "Make room or correct the permissions, then run the same command again.",
        )
    return _bug()


def wants_json(words: list[str]) -> bool:
    """Return whether a report as JSON was asked for, as far as the words can be read: they may be wrong elsewhere."""
    front = parser.environment_in_front(words)
    words = front[1] if front else words
    words = words[: words.index("--")] if "--" in words else words
    if words[:1] in ([name] for name in OTHERS_WORDS):
        return False
    pairs = zip(words, words[1:], strict=False)
    return bool({"-ojson", "--output=json"} & {*words}) or bool(JSON & {*pairs})


def _report(problem: RiggerError) -> None:
    """Print on standard output, on one line, what was done until something went wrong, and what that was."""
    import json

    report = masked_data(report_of(problem.result, problem))
    for name in ("message", "next"):
        report["error"][name] = with_environment(report["error"][name])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{json.dumps(report)}\n")
        sys.stdout.flush()


def _written() -> int:
    """Say so where the output did not get where it was sent: a report on a full disk is no report."""
    if not unwritten:
        return 0
    return _fail(NotReady(f"The output could not be written: {unwritten[0]}.", "Make room there."))


def _fail(problem: RiggerError) -> int:
    topic = problem.topic
    message, next_step = (with_environment(masked(text)) for text in (problem.message, problem.next_step))
    lines = [plain(line) for line in f"rigger: {message}".split("\n")]
    lines += [f"  {plain(line)}" for line in next_step.split("\n") if line]
    lines += [f"  More: rigger docs {topic}"] if topic else []
    if sys.stderr.isatty():
        lines = [folded(line, columns_of(sys.stderr)) for line in lines]
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        _silence()
    return problem.exit_code


def _bug() -> RiggerError:
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
        return RiggerError(f"This is a bug in rigger: {last}")
    return RiggerError(f"This is a bug in rigger: {last}", f"The traceback is in {path}; please report it.")


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

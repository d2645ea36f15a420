"""Can the scripts of a module be read: by their shells, by Python, by ShellCheck?"""

from __future__ import annotations

import json
import os
import re

from rigger.conformance.finding import ADVICE, FAIL, NOT_RUN, Finding
from rigger.conformance.subject import Subject
from rigger.errors import RiggerError, StepFailed
from rigger.modules.scripts import interpreter_name
from rigger.process import capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UNUSED = 2034  # ShellCheck's number for a variable that is set and not read
SHELLCHECK = ("shellcheck", "--format=json1", "--external-sources", "--exclude=SC2317,SC2329,SC1091,SC2148")


def syntax(subject: Subject) -> Iterator[Finding]:
    for name, shell in subject.shell_scripts:
        yield from _shell_syntax(subject, name, shell)
    for name in subject.files:
        if interpreter_name(subject.text(name)).startswith("python"):
            yield from _python_syntax(subject, name)


def _shell_syntax(subject: Subject, name: str, shell: str) -> Iterator[Finding]:
    from shutil import which

    program = which(shell, path=os.defpath)
    if program is None:
        return
    try:  # without BASH_ENV and ENV, whose files are not the module's
        checked = capture.capture(
            [program, "-n", os.path.join(subject.folder, name)], env={"PATH": os.defpath}
        )
    except StepFailed as problem:
        yield Finding(ADVICE, problem.message, name)
        return
    if not (checked.exit_code or checked.errors.strip()) and shell in ("sh", "dash"):
        yield from _open_document(subject, name)
    said = checked.errors.strip()
    if checked.exit_code or said:  # a here-document without its end is a warning to bash, which exits 0
        lines = checked.errors.decode("utf-8", "replace").strip().splitlines() or [f"{shell} -n refuses it"]
        match = re.search(r"(?:line )?(\d+): (.*)", lines[0].rpartition(name)[2])
        yield Finding(FAIL, match[2] if match else lines[0], name, int(match[1]) if match else 0)


def _open_document(subject: Subject, name: str) -> Iterator[Finding]:
    """Name a here-document without its end, of which dash says nothing and bash warns."""
    from shutil import which

    bash = which("bash", path=os.defpath)
    if bash is None:
        return
    checked = capture.capture([bash, "-n", os.path.join(subject.folder, name)], env={"PATH": os.defpath})
    warning = re.search(rb"line (\d+): warning: (here-document .*)", checked.errors)
    if warning:
        yield Finding(FAIL, warning[2].decode("utf-8", "replace"), name, int(warning[1]))


def _python_syntax(subject: Subject, name: str) -> Iterator[Finding]:
    import ast

    try:
        ast.parse(subject.text(name).encode("utf-8", "surrogateescape"))
    except SyntaxError as problem:
        yield Finding(FAIL, problem.msg, name, problem.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as problem:
        yield Finding(FAIL, str(problem) or type(problem).__name__, name)


def shellcheck(subject: Subject) -> Iterator[Finding]:
    from shutil import which

    names = [name for name, shell in subject.shell_scripts if shell != "zsh"]
    if not names:
        return
    if which(SHELLCHECK[0]) is None:
        yield Finding(
            NOT_RUN, "ShellCheck: not run, as it is not installed here (the package is called shellcheck)"
        )
        return
    try:
        paths = [os.path.join(os.curdir, name) for name in names]  # a name may begin with -
        checked = capture.capture([*SHELLCHECK, *paths], cwd=subject.folder, timeout=120)
        comments = json.loads(checked.output)["comments"]
    except (RiggerError, ValueError, KeyError):
        yield Finding(NOT_RUN, "ShellCheck: not run, as it gave no report that can be read")
        return
    for comment in comments:
        if comment["code"] == UNUSED and not subject.text(os.path.normpath(comment["file"])).startswith("#!"):
            continue  # what a file sets that is sourced is for those that source it
        text = f"SC{comment['code']} {comment['message'].splitlines()[0]}"
        yield Finding(ADVICE, text, os.path.normpath(comment["file"]), comment["line"])

"""A script: can it run, and which bytes is it?"""

from __future__ import annotations

import os

from rigger import __version__
from rigger.modules.kinds import is_riggers_own
from rigger.sha256 import digest_of_file, sha256

SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")  # those that read what is written for sh


def script_problem(path: str) -> str | None:
    """Return why a file cannot be executed as a script, None when it can."""
    if os.path.exists(path) and not os.path.isfile(path):
        return "is no file"  # a pipe, for example, would never end
    try:
        with open(path, "rb") as script:
            start = script.readline(256)
    except OSError as problem:
        return f"cannot be read ({problem.strerror})"
    if not os.access(path, os.X_OK):
        return "is not executable"
    if start[:2] == b"#!":  # its program may be missing: install could be what brings it
        ends = "has a #! line that ends as Windows ends lines: the system takes that for a part of it"
        return ends if start.endswith(b"\r\n") else None
    return None if start[:4] == b"\x7fELF" or start[:4] in _MACH_O else "has no #! line"


def interpreter(text: str) -> str | None:
    """Return the program that a #! line names, looked behind `env`; None where there is no such line."""
    if not text.startswith("#!"):
        return None
    words = text.partition("\n")[0][2:].split()
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else ""


def interpreter_name(text: str) -> str:
    """Return the name, without folders, of the program in a #! line; empty where there is no such line."""
    return os.path.basename(interpreter(text) or "")


def missing_interpreter(path: str, search: str) -> str:
    """Return the program of a script's #! line where it is not there, also in the folders of `search`; else nothing."""
    if not os.access(path, os.X_OK):
        return ""
    try:
        with open(path, "rb") as script:
            program = interpreter(os.fsdecode(script.readline(256)))
    except OSError:
        return ""
    return program if program and not _is_there(program, search) else ""


def _is_there(program: str, search: str) -> bool:
    """Return whether a program may be run, by its path or from one of the folders."""
    folders = [""] if os.path.dirname(program) else search.split(os.pathsep)
    paths = [os.path.join(folder, program) for folder in folders]
    return any(os.path.isfile(path) and os.access(path, os.X_OK) for path in paths)


_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def step_digest(path: str) -> str:
    """Return the SHA-256 of what a step runs: its script, with rigger's version where that is rigger's own."""
    digest = digest_of_file(path)
    if not is_riggers_own(path):
        return digest
    return sha256(f"rigger {__version__} {digest}".encode()).hexdigest()


def content_digest(path: str) -> str:
    """Return the SHA-256 of a file; a link counts as the file that it leads to, any other link by where it leads."""
    if not os.path.islink(path) or (os.path.isfile(path) and os.access(path, os.R_OK)):
        return digest_of_file(path)
    return sha256(b"a link to " + os.fsencode(os.readlink(path))).hexdigest()

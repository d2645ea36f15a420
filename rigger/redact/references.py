"""Secrets by reference: where a secret is to be looked up when it is needed, in place of the secret itself."""

from __future__ import annotations

import os

from rigger import text as texts
from rigger.envfile.names import check_value
from rigger.errors import NotReady, StepFailed
from rigger.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.process import capture
else:
    capture = later("rigger.process.capture")

LITERAL = "literal:"  # what follows is the secret itself, whatever it begins with
_KINDS = ("env:", "file:", "command:")
TIMEOUT = 120.0  # seconds: a vault may ask its owner


def is_reference(value: str) -> bool:
    """Return whether the value of a secret question says where the secret is, and is none itself."""
    return value.startswith(_KINDS)


def literal(value: str) -> str:
    """Return the secret that a value is where it is no reference."""
    return value.removeprefix(LITERAL)


def look_up(name: str, reference: str) -> str:
    """Return the secret that a reference of the question `name` leads to; raises NotReady with a sentence.

    The ends of the last lines are taken away from a file and from what a command prints.
    """
    kind, _, place = reference.partition(":")
    secret = {"env": _of_environ, "file": _of_file, "command": _of_command}[kind](name, reference, place)
    reason = check_value(name, secret)
    if reason or not secret:
        raise _unknown(name, reference, reason or "gives nothing")
    return secret


def _of_environ(name: str, reference: str, variable: str) -> str:
    if variable not in os.environ:
        raise _unknown(name, reference, "is not set in the environment of rigger")
    return texts.decode(os.fsencode(os.environ[variable]))


def _of_file(name: str, reference: str, path: str) -> str:
    whole = os.path.expanduser(path)
    if not os.path.isabs(whole):
        raise _unknown(name, reference, "is not a whole path: it has to begin with / or ~/")
    try:
        with open(whole, "rb") as file:
            return texts.decode(file.read().rstrip(b"\r\n"))
    except OSError as problem:
        raise _unknown(name, reference, f"cannot be read: {problem.strerror}") from None


def _of_command(name: str, reference: str, command: str) -> str:
    try:
        said = capture.capture(["/bin/sh", "-c", command], timeout=TIMEOUT)
    except StepFailed as problem:
        raise _unknown(name, reference, f"cannot be run: {problem.message}") from None
    if said.exit_code:
        reason = texts.last_line(texts.decode(said.errors), "")
        raise _unknown(name, reference, f"exited {said.exit_code}" + (f": {reason}" if reason else ""))
    return texts.decode(said.output.rstrip(b"\r\n"))


def _unknown(name: str, reference: str, reason: str) -> NotReady:
    shown = texts.shorten(texts.visible(reference), 200)
    return NotReady(
        f"{name} cannot be looked up: {shown} {reason.rstrip('.')}.",
        f'Nothing was started. Put that right, or give another: "rigger config set {name}=...".',
    )

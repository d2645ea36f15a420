"""What of an environment is secret by what it is, whatever else is known of it."""

from __future__ import annotations

import os
import re

from rigger import text
from rigger.envfile.output import parse_output
from rigger.files import OLDER_TEMPORARY, TEMPORARY
from rigger.redact.forms import MIN_LENGTH
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# By which a step gives values, nodes and figures back; a killed run leaves them for the next command to take over.
GIVEN = (".vars", ".secrets", ".nodes", ".figures")


@frozen
class GivenSecrets:
    """What steps of killed runs gave back as secrets, and nobody has taken over yet."""

    names: frozenset[str] = frozenset()
    values: tuple[str, ...] = field(repr=False, default=())  # also what stands in lines that are torn


def given_secrets(runs: str) -> GivenSecrets:
    """Return the secrets in the folders of runs: of a run that was killed, on a disk that cannot be written, or half gone."""
    names: set[str] = set()
    values: dict[str, None] = {}
    for folder, _, files in os.walk(runs):
        for name in files:
            if is_of_secrets(f"runs/{name}"):
                given, torn = _read(os.path.join(folder, name))
                names |= given.keys()
                values |= dict.fromkeys([*given.values(), *torn])
    return GivenSecrets(frozenset(names), tuple(v for v in values if len(text.encode(v)) >= MIN_LENGTH))


def _read(path: str) -> tuple[dict[str, str], list[str]]:
    """Return the values of a file of secrets, and where it is torn what each of its lines has of one."""
    if os.path.islink(path) or not os.path.isfile(path):
        return {}, []
    with open(path, "rb") as file:
        data = file.read()
    given, problems = parse_output(data, "")
    return given, [*_pieces(data)] if problems else []


def _pieces(data: bytes) -> Iterator[str]:
    for line in data.split(b"\n"):
        yield text.decode(re.sub(rb"^[^=<]*(=|<<)", b"", line).strip(b" \t\r\"'"))


def is_of_secrets(name: str) -> bool:
    """Return whether a file of the environment, named as in a bundle, has nothing but secrets in it."""
    return name.startswith("runs/") and name.endswith(".secrets")


def is_given(name: str) -> bool:
    """Return whether a step gave values back in that file: they must stay as they are, or be left out."""
    return name.startswith("runs/") and name.endswith(GIVEN)


def is_half_written(name: str) -> bool:
    """Return whether a file is what a crash left of one that was being written."""
    return re.fullmatch(rf"{TEMPORARY}|{OLDER_TEMPORARY}", name) is not None

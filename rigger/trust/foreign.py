"""What values that somebody else wrote would make this machine run, or send secrets to.

What may stand in them is told by what the chosen modules name: a list of bad names would never be whole.
"""

from __future__ import annotations

import contextlib
import os
import re

from rigger.errors import RiggerError
from rigger.interface1 import script as config_sh
from rigger.redact.references import is_reference
from rigger.sha256 import sha256
from rigger.terraform import hcl
from rigger.text import shorten, visible
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from rigger.environments.home import Home
    from rigger.modules.model import Module
    from rigger.questions.model import Question
    from rigger.questions.sources import Sources

# What rigger itself stores in vars, and takes care of: a repository's scripts are agreed to by their commit.
OWN = ("NAME", "TYPE", "VERSION", "REPOSITORY", "REF")
PLACES = ("PROVIDER", "PLATFORM", "CHECKOUT")  # a folder with scripts, where it is a path
ADDONS = "MODULES"  # the same for each add-on
BACKEND = "TERRAFORM_BACKEND_CONFIG"  # wherever that is, a state goes there, secrets and all

HIDDEN = "********"
WIDEST = 500  # columns of a value: it has to be seen whole

# Words of a name whose value is an address, whatever it looks like.
_ADDRESSES = frozenset(
    "ADDR ADDRESS API BASEURL ENDPOINT ENDPOINTS GATEWAY HOST HOSTNAME INDEX MIRROR ORIGIN PROXY REGISTRY REMOTE "
    "SERVER UPSTREAM URI URL URLS WEBHOOK".split()
)
_HOST = r"(?:[\w.-]+@)?(?:[A-Za-z0-9_-]+\.)+[A-Za-z][A-Za-z0-9-]*\.?|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9A-Fa-f:.%]+\]|localhost"


@frozen
class Known:
    """What the chosen modules name."""

    questions: Mapping[str, Question]
    given: frozenset[str]  # what their scripts give back
    computed: frozenset[str]  # what is worked out anew here, whatever stands in a file
    has_secrets: bool  # whether there is a secret that could be sent somewhere
    roots: frozenset[str]  # what is a folder of the platform's scripts


@frozen
class ForeignValue:
    """A value that a person has to agree to, and why; `digest` stands for both once that is done."""

    name: str
    value: str = field(repr=False)
    why: str
    is_secret: bool = False  # then its name alone is agreed to

    def row(self) -> tuple[str, str]:
        """Return it for a person to look at: why, and what."""
        return self.why, f"{self.name}={HIDDEN if self.is_secret else shorten(visible(self.value), WIDEST)}"

    @property
    def digest(self) -> str:
        text = f"{self.why}\0{self.name}\0{'' if self.is_secret else self.value}"
        return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def known_of(modules: Iterable[Module], questions: Iterable[Question]) -> Known:
    """Return what modules name by their questions, outputs and computed vars."""
    chosen, asked = list(modules), {question.name: question for question in questions}
    given = {name for module in chosen for name in (*module.outputs, *_undeclared(module))}
    for module in chosen:
        if module.prefix:
            given |= {f"{module.prefix}_ID", f"{module.prefix}_VERSION"}
    free = any(module.contract.has_own_questions for module in chosen)
    secret = free or any(question.secret for question in asked.values())
    computed = frozenset(name for module in chosen for name in module.vars)
    roots = frozenset(f"{module.prefix}_ROOT" for module in chosen if module.prefix)
    return Known(asked, frozenset(given), computed, secret, roots)


def _undeclared(module: Module) -> set[str]:
    """Return what a module names elsewhere than in its manifest's outputs: interface 1 and Terraform have none there."""
    names: set[str] = set()
    if module.contract.has_own_questions:
        names |= config_sh.words(module.folder) | config_sh.saved(module.folder)
    if module.has_terraform:
        settings = module.terraform
        names |= {*settings.variables.values(), *settings.outputs.values()}
        if not settings.outputs:
            names |= {name.replace("-", "_").upper() for name in hcl.output_names(module.folder)}
    return names


def given_before(home: Home) -> dict[str, set[str]]:
    """Return the values that the environments of a home have: whoever made them answered so, or agreed to it."""
    given: dict[str, set[str]] = {}
    for name in home.names():
        with contextlib.suppress(RiggerError):
            for variable, value in home.at(name).values().items():
                given.setdefault(variable, set()).add(value)
    return given


def foreign_values(
    values: Mapping[str, str],
    known: Known,
    beforehand: Sources,
    own: Mapping[str, Container[str]],
    folders: Iterable[str] = (),
    secrets: Container[str] = (),
) -> list[ForeignValue]:
    """Return which values have to be agreed to.

    `beforehand` is what the user says now, which takes their place, and `own` what the user has given before, by name.
    What lies in one of `folders` was looked at already; `secrets` are names of values that must not be shown.
    """
    inside = tuple(folders)
    found = []
    for name, value in sorted(values.items()):
        question = known.questions.get(name)
        is_own = value in own.get(name, ()) or (
            question is not None and beforehand.find(question) is not None
        )
        why = "" if is_own else _why(name, value, known, inside)
        if why:
            found.append(ForeignValue(name, value, why, name in secrets and why != "reference"))
    return found


def _why(name: str, value: str, known: Known, folders: tuple[str, ...]) -> str:
    """Return why a value has to be agreed to, nothing where it is as good as any answer."""
    if name == ADDONS:
        folders_named = [part.partition("=")[2] for part in value.split(",")]
        return "scripts" if any(os.sep in at and not _lies_in(at, folders) for at in folders_named) else ""
    if name in PLACES or name in known.roots:
        return "scripts" if os.sep in value and not _lies_in(value, folders) else ""
    if name in OWN or name in known.computed or name in known.given and name not in known.questions:
        return ""
    question = known.questions.get(name)
    if question is None:
        return "unknown name"
    if question.secret:
        return "reference" if is_reference(value) else ""
    if value in ("", question.default):
        return ""
    if question.type == "path":
        return "path"
    return "address" if name == BACKEND or _is_address(question, value, known.has_secrets) else ""


def _lies_in(value: str, folders: tuple[str, ...]) -> bool:
    path = os.path.normpath(value)
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)


def _is_address(question: Question, value: str, has_secrets: bool) -> bool:
    """Return whether a value says where something is fetched from or sent to."""
    if "://" in value:
        return True
    listed = {choice.value for choice in question.choices}
    if question.type in ("integer", "confirm", "ssh-key", "checkbox") or question.live or value in listed:
        return False
    if _ADDRESSES & {*question.name.split("_")}:
        return True
    where = rf"(?:{_HOST})(?::\d+)?(?:/(?!\d{{1,3}}$)\S*)?"  # but no range of addresses
    return has_secrets and re.fullmatch(where, value) is not None

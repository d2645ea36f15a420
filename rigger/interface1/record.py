"""What the config.sh of a provider asked and set, kept in the environment."""

from __future__ import annotations

import json
import os

from rigger.audit.secrets import secret_digest
from rigger.errors import InvalidConfig, RiggerError
from rigger.files import write_bytes
from rigger.interface1.outcome import SECRET
from rigger.modules.interface1 import CONFIG
from rigger.questions.model import Choice, Question
from rigger.redact import Redactor, maskable
from rigger.redact.nested import holding
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

UNASKED = "--set"  # the origin of a question for a value that was given and that nothing asks for
RECORD = "questions.json"  # in a provider's state: what its config.sh asked and gave, for later commands


@frozen
class Record:
    """What config.sh asked and gave the last time; what it gave only as digests."""

    questions: tuple[Question, ...] = ()
    given: Mapping[str, str] = field(repr=False, default_factory=dict)
    # What it began with, as somebody had said so.
    preset: Mapping[str, str] = field(repr=False, default_factory=dict)
    # Answers that it made something else of.
    answered: Mapping[str, str] = field(repr=False, default_factory=dict)


def unasked_question(name: str) -> Question:
    """Return the question for a value that somebody gave and that nothing asks for."""
    kind = "secret" if SECRET.search(name) else "text"
    return Question(name, f"{name}?", type=kind, optional=True, advanced=True, pinned=True, origin=UNASKED)


def digest_of(environment: Environment) -> Callable[[str], str]:
    key = environment.key()
    return lambda value: secret_digest(key, value)


def read_record(path: str, module: Module) -> Record:
    """Return what is recorded in a provider's state; nothing where there is none, or it cannot be understood."""
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read())
        origin = f"contrib/{module.name}/{CONFIG}"
        questions = tuple(
            Question(
                name=entry["name"],
                ask=entry["ask"],
                type=entry["type"],
                choices=tuple(Choice(value, text) for value, text in entry["choices"]),
                default=entry.get("default"),
                pinned=True,
                origin=UNASKED if entry.get("unasked") else origin,
                optional=bool(entry.get("unasked")),
                advanced=bool(entry.get("unasked")),
                folder=module.folder,
            )
            for entry in content["questions"]
        )
        parts = (content["given"], content["preset"], content.get("answered", {}))
        return Record(questions, *({str(n): str(v) for n, v in part.items()} for part in parts))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RiggerError):
        return Record()
    except OSError as problem:  # what config.sh gave would count as gone
        raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from problem


def recorded(environment: Environment, provider: Module) -> Record:
    """Return what is recorded of a provider's config.sh in an environment."""
    return read_record(environment.file("modules", provider.name, RECORD), provider)


def write_record(
    environment: Environment,
    folder: str,
    asked: Iterable[Question],
    *,
    given: Mapping[str, str],
    preset: Mapping[str, str],
    answered: Mapping[str, str],
) -> None:
    """Keep what config.sh asked and gave in a provider's state, for later commands, but for what a secret went into."""
    secrets = maskable(environment.secrets())
    digest = digest_of(environment)
    content = {
        "questions": [_entry(question, secrets) for question in asked],
        "given": {name: digest(value) for name, value in given.items()},
        "preset": _open(preset, secrets),
        "answered": _open(answered, secrets),
    }
    os.makedirs(environment.file("modules", folder), mode=0o700, exist_ok=True)
    data = json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"
    write_bytes(environment.file("modules", folder, RECORD), data)


def _entry(question: Question, secrets: Sequence[str]) -> dict[str, Any]:
    """Return what is kept of a question: no default that is made of a secret, and none in its words."""
    shown = Redactor(secrets, thorough=True).text
    default = _open({} if question.default is None else {"default": question.default}, secrets)
    return {
        "name": question.name,
        "ask": shown(question.ask),
        "type": question.type,
        "choices": [[choice.value, shown(choice.description)] for choice in question.choices],
        **default,
        **({"unasked": True} if question.origin == UNASKED else {}),
    }


def _open(values: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Return the values that no secret went into."""
    hidden = holding(values, secrets)
    return {name: value for name, value in values.items() if name not in hidden}

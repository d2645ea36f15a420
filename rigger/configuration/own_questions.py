"""The questions that are rigger's own: which modules, which version, which type, where Terraform's state lies."""

from __future__ import annotations

from rigger.questions.model import Choice, Question
from rigger.versions import newest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rigger.modules.model import Module

DEFAULT_TYPE = "development"
BACKENDS = ("azurerm", "consul", "gcs", "http", "kubernetes", "pg", "s3")  # that Terraform and OpenTofu share


def module_question(role: str, usual: str, values: Mapping[str, str], names: Iterable[str]) -> Question:
    """Return the question for the provider or platform; `names` are those that are known."""
    names = list(names)
    name = role.upper()
    choices = [Choice(module, "") for module in names]
    if values.get(name) and values[name] not in names:
        choices.append(Choice(values[name]))
    return Question(
        name=name,
        ask={
            "platform": "Which platform should be installed?",
            "provider": "Where should the machines come from?",
        }[role],
        help={
            "platform": "What rigger installs, tests and upgrades on the machines.",
            "provider": "A provider makes the machines; more can be added as folders of scripts.",
        }[role],
        type="select",
        choices=tuple(choices),
        pattern=r"[~./].*/.*|/.*",  # a folder of its own is welcome too
        also=f"the folder of a {role} (with a slash)",
        default=usual if usual in names else (choices[0].value if choices else None),
        changes="none",
        flag=f"--{role}",
        pinned=True,
        origin="rigger",
        decides=True,
        foreseen=True,
    )


def version_question(platform: Module) -> Question:
    newest = newest_first(platform.versions)
    return Question(
        name="VERSION",
        ask=f"Which version of {platform.name}?",
        help="The newest is first. A cluster keeps its version until you change it.",
        type="select",
        choices=tuple(Choice(version, "the newest" if version == newest[0] else "") for version in newest),
        pattern=platform.version_pattern,
        also=f"another that matches {platform.version_pattern}",
        default=newest[0],
        changes="install",
        flag="--version",
        pinned=True,
        origin="rigger",
    )


def type_question(types: Mapping[str, Mapping[str, str]]) -> Question:
    return Question(
        name="TYPE",
        ask="Which type of cluster?",
        help="A type is a set of defaults; each of them can still be changed.",
        type="select",
        choices=tuple(
            Choice(name, ", ".join(f"{k}={v}" for k, v in kind.items())) for name, kind in types.items()
        ),
        default=DEFAULT_TYPE if DEFAULT_TYPE in types else next(iter(types)),
        changes="none",
        flag="--type",
        pinned=True,
        origin="rigger",
    )


def backend_questions(provider: Module) -> list[Question]:
    """Return the questions for where a Terraform provider keeps its state: here, or where a team shares it."""
    kinds = ("local", *sorted({*BACKENDS, *provider.terraform.backends}))
    return [
        Question(
            name="TERRAFORM_BACKEND",
            ask="Where should Terraform keep its state?",
            help="In this environment's folder, or in a backend that a team shares.",
            type="select",
            choices=tuple(
                Choice(kind, "this environment's folder" if kind == "local" else "") for kind in kinds
            ),
            default="local",
            advanced=True,
            changes="none",
            origin="rigger",
        ),
        Question(
            name="TERRAFORM_BACKEND_CONFIG",
            ask="Which settings has that backend?",
            help="name=value, separated by blanks. Its credentials come from its own variables, such as AWS_PROFILE.",
            optional=True,
            when="{{ TERRAFORM_BACKEND | default('local') != 'local' }}",
            changes="none",
            origin="rigger",
        ),
    ]


def implied_question(name: str, value: str) -> Question:
    """Return the question for a value that cluster types set and no question asks for."""
    kind = "integer" if value.isdigit() else "text"
    return Question(name=name, ask=f"{name}?", type=kind, advanced=True, origin="rigger", default=value)

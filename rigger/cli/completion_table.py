"""The tables that `completion` reads: made of the declarations of the commands, and of an environment's modules."""

from __future__ import annotations

import contextlib
import os

from rigger.cli.completion import code_as_it_is, stamp
from rigger.cli.declared import Option
from rigger.cli.main import every_verb
from rigger.configuration.resolve import resolve
from rigger.environments.home import Home
from rigger.errors import RiggerError
from rigger.files import write_bytes
from rigger.text import sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rigger.cli.completion import Rows
    from rigger.cli.declared import Argument, Parameter
    from rigger.configuration.config import Config

# What a parameter takes, by its command and name, or by its name alone.
KINDS = {
    "config get name": "variables",
    "config unset names": "variables",
    "config set assignments": "assignments",
    "configure assignments": "assignments",
    "docs topic": "topics",
    "use name": "environments",
    "forget name": "environments",
    "ssh node": "nodes",
    "test suite": "suites",
    "logs run": "runs",
    "attest run": "runs",
    "diff a": "runs",
    "diff b": "runs",
    "blame name": "variables",
    "history name": "variables",
    "at": "runs",
    "logs step": "step",
    "run step": "step",
    "restore words": "backups",
    "upgrade version": "versions",
    "upgrade style": "style",
    "audit module": "module",
    "backup module": "addon",
    "scale module": "addon",
    "upgrade module": "addon",
    "provision modules": "addon",
    "module add wanted": "addons",
    "module info name": "module",
    "module remove name": "addon",
    "repository remove name": "repositories",
    "repository update name": "repositories",
    "repository": "repositories",
    "completion shell": "choices:bash,zsh,fish",
    "environment": "environments",
    "provider": "providers",
    "platform": "platforms",
}
FILES = ("FILE", "PATH", "FOLDER", "KEY", "A", "[B]")  # metavars of what is a file


def make(home: str) -> Rows:
    """Return the table of all commands, and keep it."""
    rows = [["code", code_as_it_is()]]
    for path, verb in every_verb():
        rows.append(["verb", path, sentence(verb.help.split("\n")[0])])
        for one in verb.parameters:
            if isinstance(one, Option) and not one.hidden:
                names, many = " ".join((*one.names, *one.off)), "many" if one.multiple else ""
                rows.append(["option", path, names, kind_of(path, one), many, sentence(one.help)])
            elif not isinstance(one, Option):
                rows.append(["argument", path, one.name, kind_of(path, one), "many" if one.many else ""])
        rows.append(["option", path, "-h --help", "flag", "", "Show its help."])
    _keep(os.path.join(home, "cache", "completion.tsv"), rows)
    return rows


def kind_of(path: str, one: Option | Argument) -> str:
    """Return what a parameter takes: "flag", "" for anything, or a kind that `completion` knows values of."""
    if isinstance(one, Option) and one.flag:
        return "flag"
    if isinstance(one, Option) and one.choices:
        return f"choices:{','.join(one.choices)}"
    known = KINDS.get(f"{path} {one.name}") or KINDS.get(one.name)
    return known or ("files" if _shown(one) in FILES else "")


def _shown(one: Parameter) -> str:
    return one.metavar or one.name.upper()


def make_facts(home: str, name: str) -> Rows:
    """Return what the modules and values of an environment offer, and keep it; nothing of one that cannot be used."""
    rows: Rows = []
    with contextlib.suppress(RiggerError):
        environment = Home(home).get(name)
        config = resolve(environment)
        folders = [module.folder for module in config.modules]
        files = [environment.vars_file, *(os.path.join(folder, "rigger.yml") for folder in folders)]
        rows = [*(["file", file, stamp(file)] for file in files), *_facts(config)]
    _keep(os.path.join(home, "cache", f"completion-{name}.tsv"), rows)
    return rows


def _facts(config: Config) -> Iterator[list[str]]:
    questions = {question.name: question for module in config.modules for question in module.questions}
    for name in sorted({*config.values, *questions}):
        yield ["variable", name, sentence(questions[name].ask) if name in questions else ""]
    for question in questions.values():
        for choice in question.choices:
            yield ["value", question.name, choice.value, sentence(choice.description)]
        if question.type == "confirm":
            yield from (["value", question.name, word, ""] for word in ("yes", "no"))
    yield from (["value", "TYPE", type, ""] for module in config.modules for type in module.types)
    for module in config.modules:
        kinds = ("module", "addon") if module.role == "addon" else ("module",)
        yield from ([kind, module.name, sentence(module.description)] for kind in kinds)
    platform = config.platform
    for suite in platform.suites.values():
        yield ["suite", suite.name, sentence(suite.description)]
    for part in platform.components.values():
        yield ["component", part.name, sentence(part.description)]
    yield from (["version", version, ""] for version in reversed(platform.versions))
    yield from (["style", style, sentence(way.description)] for style, way in platform.upgrades.items())
    for step in dict.fromkeys(_steps(config)):
        yield ["step", step, ""]


def _steps(config: Config) -> Iterable[str]:
    verbs = ("install", "create", "deploy", "check", "setup-clients")
    return (verb for verb in verbs for module in config.modules if module.script(verb))


def _keep(path: str, rows: Rows) -> None:
    """Write a table, where that can be; without one it is made again each time."""
    lines = ["\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) + "\n" for row in rows]
    with contextlib.suppress(OSError, RiggerError):
        for folder in (os.path.dirname(os.path.dirname(path)), os.path.dirname(path)):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        write_bytes(path, "".join(lines).encode("utf-8", "replace"), durable=False)

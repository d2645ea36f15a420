"""The copy of an environment that an upgrade is rehearsed on: made, filled with data, and taken away."""

from __future__ import annotations

import os
import signal
import time

from rigger.audit.events import Configured
from rigger.environments import checkout
from rigger.environments.answers import answers_of
from rigger.environments.checkout import is_used
from rigger.environments.environment import CHECKOUT, split_secrets
from rigger.environments.state import may_have_cluster
from rigger.errors import BadUsage, RiggerError
from rigger.files import remove, temporary_folder
from rigger.git import archive as git_archive
from rigger.git import inspect as git_inspect
from rigger.modules import search
from rigger.operations.answers import new_secret
from rigger.operations.consent import Consent
from rigger.operations.destroy import destroy
from rigger.process.lookup import processes_holding
from rigger.rehearsals import copies
from rigger.rehearsals.copies import PrivateHome
from rigger.sources import checkout as source_checkout
from rigger.text import ways
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.questions.model import Question


@frozen
class CopyOptions:
    """What somebody wants of the copy."""

    provider: str = "local"
    nodes: int | None = None  # None: as many as there are, as far as the provider can


def create(
    private: PrivateHome, environment: Environment, config: Config, options: CopyOptions
) -> Environment:
    """Make the copy's environment: the same answers, an id of its own, and secrets that are its own where that can be.

    Nothing of it exists but files. Raises BadUsage where the provider is unknown or cannot make so many nodes.
    """
    copies.make(private, environment.home)
    copy = private.copy
    provider = provider_of(environment, config, options)
    values = _values(environment, config, provider)
    if any(question.name == "NODES" for question in provider.questions):
        values["NODES"] = str(count_of(environment, provider, options))
    with temporary_folder("clone-", private.aside) as aside:
        clone = _clone(environment, config, aside)
        if values.get("CHECKOUT"):
            values["CHECKOUT"] = copy.file(CHECKOUT)
        if is_used(values):
            values[f"{config.platform.prefix}_ROOT"] = checkout.place(copy, values)
        hidden = {question.name for question in (*config.questions, *provider.questions) if question.secret}
        parts = split_secrets(values, hidden | environment.secrets().keys())
        records = [Configured(by="rigger upgrade --rehearse", changed=sorted(values))]
        with private.home.creating(copy.name, *parts, clone, records) as made:
            return made


def provider_of(environment: Environment, config: Config, options: CopyOptions) -> Module:
    """Return the provider of the copy; raises BadUsage where there is none of that name."""
    if options.provider in (config.provider.name, config.values.get("PROVIDER")):
        return config.provider
    folder = source_checkout.find(environment, config.platform, config.values)
    return search.find("provider", options.provider, environment.home, folder)


def _values(environment: Environment, config: Config, provider: Module) -> dict[str, str]:
    """Return the answers of the copy: those of the environment, as far as a question of the copy asks for them."""
    platform = config.platform
    asked = {question.name: question for question in (*platform.questions, *provider.questions)}
    core = ("PLATFORM", "VERSION", "REPOSITORY", "REF", "CHECKOUT", f"{platform.prefix}_VERSION")
    answers = answers_of(environment)
    values = {name: value for name, value in answers.items() if name in asked or name in core}
    if provider.name == config.provider.name and "TYPE" in answers:
        values["TYPE"] = answers["TYPE"]
    for question in asked.values():
        if question.secret:
            _give_secret(values, question)
        if provider is not config.provider:  # nobody was asked what that one needs
            _take_from_environment(values, question)
    return {**values, "PROVIDER": _named(config, provider), f"{platform.prefix}_ID": os.urandom(5).hex()}


def _named(config: Config, provider: Module) -> str:
    return config.values["PROVIDER"] if provider is config.provider else provider.name


def _give_secret(values: dict[str, str], question: Question) -> None:
    """Let the copy have a new secret where one can be made, none where its question says so, else that which is there."""
    if question.generate:
        values[question.name] = new_secret(question)
    elif (
        not question.copied
        and values.pop(question.name, "")
        and not (question.optional or question.check or question.pattern)
    ):
        values[question.name] = f"rehearsal-{os.urandom(8).hex()}"


def _take_from_environment(values: dict[str, str], question: Question) -> None:
    given = next((os.environ[name] for name in question.variables if os.environ.get(name)), "")
    if given and question.name not in values:
        values[question.name] = given


def count_of(environment: Environment, provider: Module, options: CopyOptions) -> int:
    """Return how many nodes the copy has; raises BadUsage for more than its provider can make."""
    there = len(environment.nodes())
    question = next((one for one in provider.questions if one.name == "NODES"), None)
    most = question.max if question and question.max is not None else there
    if options.nodes is None:
        return min(there, most)
    if not 1 <= options.nodes <= max(most, 1):
        raise BadUsage(f"--nodes {options.nodes}: {provider.name} makes 1 to {most} nodes for a copy.")
    return options.nodes


def _clone(environment: Environment, config: Config, aside: str) -> str:
    """Return a folder with the platform's repository as it is checked out; empty where it has none."""
    folder = source_checkout.find(environment, config.platform, config.values)
    if folder is None or not is_used(config.values):
        return ""
    packed, clone = os.path.join(aside, "repository"), os.path.join(aside, "clone")
    git_archive.pack(folder, packed)
    git_archive.unpack(packed, clone, git_inspect.commit(folder))
    return clone


def take_away(private: PrivateHome) -> None:
    """Remove a copy: its processes, its machines, its files; raises what `destroy` does. It works on half of one, too."""
    copy = private.copy
    if copy.exists():
        _end_what_holds(copy)
        if may_have_cluster(copy):
            try:
                destroy(copy, None, Consent(yes=True, take_over=True))
            except RiggerError as problem:
                command = f"RIGGER_HOME={private.path} rigger -e {copy.name} destroy"
                problem.message = f"The copy of {private.name} is not removed. {problem.message}"
                problem.next_step = ways(("The next command tries again; or remove it yourself", command))
                raise
    remove(copy.path)


def clear(private: PrivateHome) -> None:
    """Remove every trace of a rehearsal; its private home, by which the rest is found, goes last."""
    take_away(private)
    remove(private.path)


def _end_what_holds(copy: Environment) -> None:
    """End what a killed rehearsal left running on the copy: rigger itself, and scripts that outlived it."""
    end = time.monotonic() + 10
    while (holding := processes_holding(copy.file("lock"))) and time.monotonic() < end:
        for pid, _ in holding:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)

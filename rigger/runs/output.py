"""Take over what a step gave back: values, secrets, nodes, PATH."""

from __future__ import annotations

import json
import os

from rigger.audit.modules import CHANGES
from rigger.configuration.module_state import missing_fields
from rigger.configuration.resolve import CORE
from rigger.environments import inventory
from rigger.environments.answers import answers_of, outputs_of
from rigger.environments.outputs import Outputs
from rigger.modules.instance import prefixed
from rigger.modules.verbs import MAKES
from rigger.process.spawn import encode_environment
from rigger.questions.model import BadAnswer
from rigger.questions.validate import validate
from rigger.redact.nested import holding
from rigger.runs.environment import LIBEXEC
from rigger.runs.room import TOGETHER, too_much
from rigger.ssh.connections import forget_host_keys
from rigger.text import listed
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.plans.model import Step
    from rigger.runs.step_files import StepOutput


def validate_backup(path: str, succeeded: bool) -> list[str]:
    """Put what a failed backup wrote aside; a good one that wrote nothing is none."""
    written = bool(path) and os.path.isfile(path) and os.path.getsize(path) > 0
    if not succeeded and os.path.isfile(path):
        os.replace(path, f"{path}.incomplete")
    return [f"no backup was written to {path}"] if succeeded and path and not written else []


# What an add-on gave back

PROPOSES = ("init", "audit")  # scripts whose vars are answers that somebody may take over


def take_own(given: StepOutput, step: Step, environment: Environment, secrets: Iterable[str]) -> None:
    """Give an add-on's vars its prefix, and look at its part of the state: nodes that there are, and no secret."""
    module = step.module
    if step.verb in PROPOSES:  # it gives nothing
        given.proposed, given.values, given.secrets, given.nodes = given.values, {}, {}, []
    if module.role != "addon":
        given.output = None
        return
    paths: dict[str, str] = {
        name: given.values.pop(name) for name in ("PATH", "ORIGINAL_PATH") if name in given.values
    }
    given.values = {**prefixed(module, given.values), **paths}
    given.secrets = prefixed(module, given.secrets)
    if step.verb not in CHANGES or step.verb == "destroy":
        given.output = None
    given.problems += [f"{step.shown}: {problem}" for problem in _of_state(given, environment, secrets)]


def _of_state(given: StepOutput, environment: Environment, secrets: Iterable[str]) -> Iterator[str]:
    output = given.output or {}
    uses = output.pop("uses", [])
    if not (isinstance(uses, list) and all(isinstance(name, str) for name in uses)):
        yield "`uses` of its output is not a list of the names of nodes"
        uses = []
    known = {node.name for node in environment.nodes()}
    if strange := [name for name in uses if name not in known]:
        yield f"it says that it uses {listed(strange)}, which is no node"
    given.uses = tuple(uses)
    text = json.dumps(output)
    if any(json.dumps(secret)[1:-1] in text for secret in {*secrets, *given.secrets.values()} if secret):
        yield "its output holds a secret, and every module reads it: give secrets with rigger-save-secrets"
        given.output = None


def missing_provides(step: Step, given: StepOutput) -> list[str]:
    """Return a sentence about each field that an add-on promises and its apply did not give."""
    if step.module.role != "addon" or step.verb != "apply":
        return []
    missing = missing_fields(given.output or {}, step.module.provides)
    return [
        f"{path} is not in its output ($RIGGER_STATE_OUTPUT), which {step.module.name} promises"
        for path in missing
    ]


# What a step gave back


def apply_output(
    environment: Environment, config: Config, step: Step, given: StepOutput, succeeded: bool
) -> tuple[str, ...]:
    """Keep what a step gave back, also a failed one: a half-made machine must be findable.

    Returns the names of the vars that changed. A value that holds a secret is kept among the secrets.
    """
    _refuse_answers(given, config, step)
    _take_nodes(environment, step, given, succeeded)
    folders = _take_path(environment, given)
    before, secrets = environment.values(), environment.secrets()
    _refuse_too_much(given, before, step)
    inherits = holding(given.values, [*config.secrets.values(), *given.secrets.values()])
    given.hidden = tuple(sorted(name for name in inherits if name not in given.secrets))
    for name, value in given.values.items():
        if name in secrets or name in given.secrets or name in inherits:
            given.secrets.setdefault(name, value)
    new = {**given.values, **given.secrets}
    _save(environment, config, step, new, {*given.secrets}, folders)
    return tuple(sorted(name for name, value in new.items() if before.get(name) != value))


def _save(
    environment: Environment,
    config: Config,
    step: Step,
    new: Mapping[str, str],
    secret_names: set[str],
    folders: list[str],
) -> None:
    """Keep what a step gave beside the answers: what has the name of one hides it, and does not replace it."""
    before = answers_of(environment)
    outputs = outputs_of(environment).give(
        step.key,
        new,
        seen=config.seen_by(step.module, step.verb).values,
        held=config.held,
        before=before,
        asked=config.asked,
    )
    others = {name: value for name, value in new.items() if name not in config.asked}
    environment.save_values(outputs.over({**before, **others}), secret_names, folders, outputs)


def _refuse_answers(given: StepOutput, config: Config, step: Step) -> None:
    """Leave out what would make the environment unusable: what only a person chooses, and what a question refuses."""
    questions = {question.name: question for question in config.questions}
    chosen = {*CORE, f"{config.platform.prefix}_ID", f"{config.platform.prefix}_VERSION"}
    for values in (given.values, given.secrets):
        for name in list(values):
            try:
                if name in chosen:
                    raise BadAnswer(
                        f"{name} is what the environment is configured to be; a script cannot set it."
                    )
                if name in questions:
                    values[name] = validate(questions[name], values[name])
            except BadAnswer as problem:
                given.problems.append(f"{step.shown}: {problem.message.removesuffix('.')}")
                del values[name]


def _refuse_too_much(given: StepOutput, before: Mapping[str, str], step: Step) -> None:
    """Leave out what would make the vars too long together for a script to be started with them, `destroy` too."""
    for name in too_much(before, {**given.values, **given.secrets}):
        size = len(encode_environment(given.values.pop(name, "") or given.secrets.get(name, "")))
        given.secrets.pop(name, None)
        given.problems.append(
            f"{step.shown}: {name} ({size} bytes) cannot be kept, as all vars together may have {TOGETHER} bytes: "
            "write it to a file in $RIGGER_STATE_DIR, and give its path"
        )


def _take_nodes(environment: Environment, step: Step, given: StepOutput, succeeded: bool) -> None:
    before = environment.nodes()
    ends = step.verb == "destroy" or step.verb == "suspend" and step.module.suspend == "ends"
    if ends and step.module.role == "provider" and succeeded:
        after = given.nodes
    elif step.verb in ("create", "resume") and succeeded and given.nodes:
        after = given.nodes
    else:
        after = inventory.merge(before, given.nodes)
    if after != before:
        forget_host_keys(environment.path, inventory.moved(before, after))
        inventory.write(environment.inventory_file, after)
        environment.save(
            environment.vars(), environment.secrets()
        )  # it says for which addresses no proxy is asked


def _take_path(environment: Environment, given: StepOutput) -> list[str]:
    """Return the environment's folders on PATH with those that a script added; others are refused."""
    own = environment.shell.own_folders()
    path = given.values.pop("PATH", None)
    given.values.pop("ORIGINAL_PATH", None)
    if path is None:
        return own
    known = {*own, LIBEXEC, *environment.shell.original_path().split(os.pathsep)}
    for folder in path.split(os.pathsep):
        if folder in known:
            continue
        if environment.shell.owns(folder):
            own.append(folder)
        else:
            given.problems.append(f"PATH may only gain folders of the environment, not {folder!r}")
    return list(dict.fromkeys(own))


def missing_outputs(step: Step, given: StepOutput, config: Config) -> list[str]:
    if step.verb != MAKES[step.module.role]:
        return []
    have = {**config.values, **given.values, **given.secrets}
    return [
        f"{name} was not set, which {step.module.name} promises"
        for name in step.module.outputs
        if name not in have
    ]


def drop_outputs(environment: Environment, config: Config) -> None:
    """Take back what scripts gave for a cluster that is no more, and keep what was answered."""
    gone = {*outputs_of(environment).steps, *(name for module in config.modules for name in module.outputs)}
    gone -= config.asked  # not below: that would take them apart for each of thousands of names
    kept = {name: value for name, value in answers_of(environment).items() if name not in gone}
    environment.save_values(kept, outputs=Outputs())


def drop_outdated(environment: Environment, config: Config) -> None:
    """Take back what was made of other answers than those that the cluster has now."""
    outputs = outputs_of(environment)
    fresh = outputs.fresh(config.held)
    if fresh != outputs:
        answers = outputs.answers(environment.values())
        environment.save_values(fresh.over(answers), outputs=fresh)


def with_given(environment: Environment, config: Config, given: StepOutput) -> Config:
    """Return the configuration that later steps get."""

    if not (given.values or given.secrets):
        return config
    values = {**config.values, **given.values, **given.secrets}
    secrets = {**config.secrets, **given.secrets}
    return replace(config, values=values, secrets=secrets, outputs=outputs_of(environment))

"""Add an add-on to an environment: its requirements are met, its questions answered, and nothing of it is applied."""

from __future__ import annotations

import re

from rigger.configuration.addons import LIST, ordered, parse, require_no_circle, written
from rigger.configuration.inputs import values_of_environ
from rigger.configuration.merge import Merged, merge
from rigger.configuration.module_state import applied_labels
from rigger.configuration.module_state import write as write_state
from rigger.configuration.origin import digest_of
from rigger.configuration.questionnaire import questionnaire_of
from rigger.configuration.resolve import resolve
from rigger.environments.answers import answers_of, save_answers
from rigger.environments.recorded import configured, hidden
from rigger.errors import BadUsage, DoesNotConform, NotReady, Refused
from rigger.modules import search
from rigger.modules.contract import NAME
from rigger.modules.instance import instance, prefixed
from rigger.operations.answers import interview_of_module
from rigger.operations.consent import Consent
from rigger.operations.module_find import event_of, restore
from rigger.operations.module_find import found as find
from rigger.operations.related import available, not_met, related
from rigger.operations.session import Session, session
from rigger.plans import provision as plans
from rigger.plans.model import Plan, Step
from rigger.plans.scripts import require_scripts
from rigger.questions.missing import missing_values
from rigger.runs.reporter import Reporter, Silent
from rigger.text import did_you_mean, ways
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.answers import Ask


@frozen
class Added:
    """An add-on that was added, or whose answers were looked at again; nothing of it was applied."""

    name: str
    module: Module
    again: bool  # whether it was there before
    merged: Merged
    plan: Plan
    values: Mapping[str, str] = field(repr=False, default_factory=dict)  # of its questions, secrets apart
    digest: str = ""  # where it was only planned: of all that this was made of

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "module": self.module.module_name,
            "module_version": self.module.version,
            "again": self.again,
            "values": dict(self.values),
            "proposed": list(self.merged.taken),
            "kept": list(self.merged.kept),
            "conflicts": [
                {"name": c.name, "last": c.last, "now": c.now, "new": c.new} for c in self.merged.conflicts
            ],
            "plan": self.plan.as_dict(),
            "digest": self.digest,
        }


def add(
    environment: Environment,
    wanted: str,
    name: str = "",
    flags: Mapping[str, str] | None = None,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    ask: Ask | None = None,
    repository: str = "",
) -> Added:
    """Add the module `wanted`, NAME or NAME@VERSION or a folder, under a name of its own or that of the module.

    `repository` is the one that it is taken from; without it, the search path comes first. `flags` answer its questions,
    by their names in its manifest or in the vars file. Raises NotReady where what it requires is not applied, with the candidates; BadUsage, Refused or InvalidConfig where it cannot be added.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    own = name or wanted.partition("@")[0]
    command, asked = f"rigger module add {wanted}", f"module add {wanted} as {name} from {repository}"
    with (
        session(
            environment, command, reporter, consent, lambda: restore(environment, own), asked=asked
        ) as work,
        find(work, wanted, name, repository) as chosen,
    ):
        found = chosen.module
        module = instance(found, name or found.name)
        again = _require_free(work.config, module)
        _require_usable(module)
        _require_met(work, module)
        proposed = _proposed(work, module)
        before = work.state.modules.get(module.name).proposed
        merged = merge(before, _own(module, answers_of(environment)), proposed)
        _tell(reporter, module, merged)
        values, secrets = _answered(work, module, found, merged, flags or {}, ask)
        added = _added(work, module, again, merged, values)
        more = [digest_of(found), hidden(environment, secrets, _own(module, values))]
        work.settle(added.plan, more, lambda digest: replace(added, digest=digest))
        work.ask_hooks(replace(added.plan, command=f"module add {module.name}"))
        work.record(event_of(found, module.name, proposed, chosen.repository))
        _save(work, values, secrets)
        return added


def _save(work: Session, values: Mapping[str, str], secrets: set[str]) -> None:
    """Save the values, where they are other ones, and the state with the module in it."""
    environment, old = work.environment, answers_of(work.environment)
    if record := configured(environment, "rigger module add", old, values):
        work.record(record)
        save_answers(environment, values, secrets)
    if problem := write_state(environment, resolve(environment)):
        work.reporter.warn(problem)


def _require_free(config: Config, module: Module) -> bool:
    """Return whether the module is there already; raises BadUsage where something else has its name or its vars."""
    if not re.fullmatch(NAME, module.name):
        raise BadUsage(f"{module.name!r} is not a name: lower-case letters, digits, - and _, at most 63.")
    there = config.addon(module.name)
    if there and there.folder != module.folder:
        raise BadUsage(
            f"{module.name} is there already, from {there.folder}.",
            ways(("Give this one another name", f"rigger module add {module.folder} --as NAME")),
        )
    if module.name in {config.provider.name, config.platform.name}:
        raise BadUsage(
            f"{module.name} is the name of the provider or the platform.",
            ways(("Give it another name", f"rigger module add {module.name} --as NAME")),
        )
    others = {
        name: one.name
        for one in config.modules
        if one.name != module.name
        for name in (*(question.name for question in one.questions), *one.outputs, *one.vars)
    }
    taken = [q.name for q in module.questions if q.name in others]
    if taken:
        raise BadUsage(
            f"{taken[0]} would be a var of {module.name} and of {others[taken[0]]}.",
            ways(("Give it another name", f"rigger module add {module.name} --as NAME")),
        )
    return there is not None


def _require_usable(module: Module) -> None:
    if problems := module.script_problems():
        raise Refused(
            f"{module.folder} cannot be used: {'; '.join(problems)}.",
            ways(("What is wrong with it", f"rigger module check {module.folder}")),
        )


def _require_met(work: Session, module: Module) -> None:
    """Raise InvalidConfig for modules that require each other, NotReady for what is not applied, with the candidates."""
    others = [one for one in work.config.modules if one.name != module.name]
    base = [one for one in others if one.role != "addon"]
    can_be_had = [
        one for one in available(work.environment) if one.name not in {module.name, *(o.name for o in others)}
    ]
    _, order = ordered(base, [*(one for one in others if one.role == "addon"), module, *can_be_had])
    if f"addon/{module.name}" in order.circle:
        require_no_circle(order)
    unmet = module.requires.unmet(applied_labels(work.environment, work.config), module.name)
    if unmet:
        raise not_met(work.environment, work.config, module, unmet)


def _proposed(work: Session, module: Module) -> dict[str, str]:
    """Return what the module's script `init` proposes, by the names of the vars file; nothing where it has none."""
    if module.script("init") is None:
        return {}
    addons = [one for one in work.config.addons if one.name != module.name]
    config = replace(work.config, addons=(*addons, module))
    trial = replace(work, config=config, settled=True, asked=work.environment.call.plans)
    plan = Plan(f"module add {module.name}", (Step(module, "init", "what would be right for it here?"),))
    require_scripts(plan)
    (result,) = trial.run(plan).steps
    work.asked, work.ran = True, trial.ran
    known = {question.name for question in module.questions}
    proposed = prefixed(module, result.proposed)
    if strange := [name for name in proposed if name not in known]:
        asked = [question.name for question in module.questions]
        raise DoesNotConform(
            f"{result.step.shown} proposed {strange[0]}, which is no question of {module.name}"
            f"{did_you_mean(strange[0], asked)}."
        )
    return proposed


def _own(module: Module, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a module's own questions."""
    names = {question.name for question in module.questions}
    return {name: value for name, value in values.items() if name in names}


def _tell(reporter: Reporter, module: Module, merged: Merged) -> None:
    for name in merged.taken:
        reporter.line(f"  {name} is {merged.values[name]} (proposed by {module.name} init)")
    for name in merged.kept:
        reporter.line(f"  {name} stays {merged.values[name]}, as somebody changed it")
    for conflict in merged.conflicts:
        was = (
            f"{conflict.last!r} was proposed before"
            if conflict.last is not None
            else "nothing was proposed before"
        )
        reporter.warn(
            f"{conflict.name} stays {conflict.now!r}, as somebody gave it, but {conflict.new!r} is proposed now ({was})."
        )
        reporter.line(f"  To take that: rigger config set {conflict.name}={conflict.new}")


def _answered(
    work: Session, module: Module, found: Module, merged: Merged, flags: Mapping[str, str], ask: Ask | None
) -> tuple[dict[str, str], set[str]]:
    """Return all values as they are stored, with the answers of a module's questions, and which are secret."""
    environment = work.environment
    saved = answers_of(environment)
    named = {**parse(saved.get(LIST, "")), module.name: _named(environment, found)}
    after = {**saved, **merged.values, LIST: written(named)}
    questionnaire = questionnaire_of(environment, after)
    own = {question.name for question in module.questions}
    given = {name if name in own else f"{module.prefix}_{name}": value for name, value in flags.items()}
    questionnaire.check_names(given, after, f"--set, of {module.name}")
    if strange := [name for name in given if name not in own]:
        raise BadUsage(f"{strange[0]} is no question of {module.name}{did_you_mean(strange[0], own)}.")
    environ = {
        name: value for name, value in values_of_environ().items() if name.removeprefix("RIGGER_") in own
    }
    interview = interview_of_module(
        environment,
        questionnaire,
        own,
        flags=given,
        environ=environ,
        saved=after,
        asks=ask is not None,
        reporter=work.reporter,
    )
    if ask:
        ask(questionnaire.describe, ()).fill(interview, lambda: None)
    elif missing := interview.missing():
        raise missing_values(missing, f"rigger module add {module.name}", interview.set_aside)
    answers = {
        n: a.value for n, a in interview.answers.items() if n in own and (a.explicit or n in merged.values)
    }
    return {**after, **answers}, interview.secret_names()


def _named(environment: Environment, found: Module) -> str:
    """Return how the vars file names a module: by its name where that finds it, else by its folder."""
    try:
        same = (
            search.find("addon", found.name, environment.home, environment.file("checkout")).folder
            == found.folder
        )
    except (BadUsage, Refused, NotReady):
        same = False
    return found.name if same else found.folder


def _added(work: Session, module: Module, again: bool, merged: Merged, values: Mapping[str, str]) -> Added:
    """Return what the environment has once these values are saved, and what would bring it about."""
    config = resolve(work.environment, values)
    known = related(work.environment, config)
    plan = plans.provision(
        config, work.state.steps, work.nodes, work.environment.key(), related=known, named=[module.name]
    )
    shown = {n: v for n, v in _own(module, config.values).items() if n not in config.secrets}
    return Added(module.name, module, again, merged, plan, shown)

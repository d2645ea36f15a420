"""The optional scripts of one add-on: backup, restore, upgrade, scale and test."""

from __future__ import annotations

import os

from rigger.audit.secrets import secret_digest
from rigger.configuration.module_state import write as write_state
from rigger.configuration.origin import digest_of
from rigger.configuration.resolve import resolve
from rigger.errors import BadUsage, RiggerError, TestsFailed
from rigger.operations.backup import asked_to_restore, new_file
from rigger.operations.consent import Consent
from rigger.operations.influence import influenced
from rigger.operations.module_find import brought, event_of, offer
from rigger.operations.related import addon, related
from rigger.operations.session import Session, as_it_runs, session
from rigger.operations.values import carry_out, valid_change
from rigger.plans.addons import check_of, plan_of, told
from rigger.plans.model import Plan, Step
from rigger.runs.recovery import load_config
from rigger.runs.reporter import Reporter, Silent
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.result import RunResult


def backup(
    environment: Environment,
    name: str,
    path: str = "",
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Back an add-on's data up to a file that is not there yet; by default one in the environment's folder.

    The report's `file` is its path. Raises BadUsage where that cannot be, StepFailed where it was not backed up.
    """
    reporter, consent, command = reporter or Silent(), consent or Consent(), f"rigger backup {name}"
    with session(environment, command, reporter, consent, asked=f"{command} {path}") as work:
        module = _able(work, name, "backup")
        path = new_file(path) if path else environment.backups.new(name)
        plan = Plan(f"backup {name}", (Step(module, "backup", "asked for"),), environ=_file(path))
        return _run(work, plan, {"module": name, "file": path})


def restore(
    environment: Environment,
    name: str,
    path: str,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Put an add-on's data back from a file that its backup wrote; raises BadUsage where nobody agreed."""
    reporter, consent, path = reporter or Silent(), consent or Consent(), os.path.abspath(path)
    if not os.path.isfile(path):
        raise BadUsage(f"There is no file {path}.", f'Name one that "rigger backup {name}" wrote.')
    asked = asked_to_restore(environment, path, name)
    with session(environment, f"rigger restore {name}", reporter, consent, asked=asked) as work:
        module = _able(work, name, "restore")
        steps = (Step(module, "restore", f"from {path}"), *check_of(module))
        plan = Plan(
            f"restore {name}", steps, removals=(f"all data of {name} that is there now",), environ=_file(path)
        )
        work.show(plan)

        def agree() -> None:
            reporter.warn(f"All data of {name} will be replaced by what is in {path}.")
            consent.agree("Replace the data that is there now?")

        return _run(work, plan, {"module": name, "file": path}, agree)


def upgrade(
    environment: Environment,
    name: str,
    version: str = "",
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Bring an add-on to another version: that of its folder, or for one of a repository `version` or the latest there.

    A backup comes first where it makes one, then its `upgrade`. Raises BadUsage where that version is applied already,
    or cannot be had.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    asked = f"upgrade {name} {version}"
    with session(environment, f"rigger upgrade {name}", reporter, consent, asked=asked) as work:
        record = work.state.modules.get(name)
        if not record.repository:
            return _upgrade(work, _able(work, name, "upgrade"), version)
        addon(work.config, name)
        one = offer(environment, record.module, version, record.repository)
        if one.version.version == record.version:
            raise BadUsage(
                f"{name} is of version {record.version} already, the one that {record.repository} has.",
                ways(("Read its index again", f"rigger repository update {record.repository}")),
            )
        try:
            with brought(work, one, name):
                work.config = resolve(environment)
                return _upgrade(work, _able(work, name, "upgrade"), one.version.version)
        except RiggerError:
            write_state(environment, resolve(environment))  # which has its files of before again
            raise


def _upgrade(work: Session, module: Module, version: str) -> RunResult:
    """Bring an add-on to the version that its folder has now."""
    environment, name, record = work.environment, module.name, work.state.modules.get(module.name)
    if version and version != module.version:
        raise BadUsage(
            f"{name} is of version {module.version or 'none'} in {module.folder}, not {version}.",
            "Put that version there, or into a place that is looked at first: $RIGGER_ADDON_PATH.",
        )
    if module.version == record.version:
        raise BadUsage(
            f"{name} is of version {record.version or 'none'} already.", f"Its folder is {module.folder}."
        )
    path = environment.backups.new(name) if module.script("backup") else ""
    first = (Step(module, "backup", "before anything changes"),) if path else ()
    step = Step(module, "upgrade", f"{record.version or 'none'} to {module.version or 'none'}")
    environ = {"RIGGER_FROM_VERSION": record.version, **(_file(path) if path else {})}
    plan = Plan(
        f"upgrade {name}",
        (*first, *plan_of(module, "what would change?"), step, *check_of(module)),
        environ=environ,
    )
    work.show(plan)
    before = {"module": name, "from": record.version, "to": module.version}
    result = _run(work, plan, before, more=digest_of(module))
    work.record(event_of(module, name, record.proposed, record.repository), result.run)
    return result


def scale(
    environment: Environment,
    name: str,
    values: Mapping[str, str] | None = None,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Run an add-on's `scale`, after setting values of it, by their names in its manifest or in the vars file.

    Raises BadUsage for a value that is not valid: nothing was changed then.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with session(environment, f"rigger scale {name}", reporter, consent) as work:
        module = _able(work, name, "scale")
        start = f"{module.prefix}_"
        given = {n if n.startswith(start) else f"{start}{n}": v for n, v in (values or {}).items()}
        change = valid_change(environment, given) if given else None
        plan = Plan(
            f"scale {name}",
            (*plan_of(module, "what would change?"), Step(module, "scale", "asked for"), *check_of(module)),
        )
        work.show(plan)

        def set_values() -> None:
            if change:
                carry_out(environment, change)
                work.config = as_it_runs(environment, load_config(environment))

        hidden = {n: secret_digest(environment.key(), value) for n, value in given.items()}
        return _run(work, plan, {"module": name}, set_values, more=hidden)


def test(
    environment: Environment, name: str, reporter: Reporter | None = None, consent: Consent | None = None
) -> RunResult:
    """Run an add-on's `test`; raises TestsFailed, with the result, where it failed."""
    with session(environment, f"rigger test {name}", reporter or Silent(), consent or Consent()) as work:
        module = _able(work, name, "test")
        plan = Plan(f"test {name}", (Step(module, "test", "asked for", goes_on=True),))
        result = _run(work, plan, {"module": name})
        number = work.state.runs.count
    if any(step.failed for step in result.steps):
        failure = TestsFailed(f"The test of {name} failed.", ways(("Why", f"rigger logs {number}")))
        raise failure.with_result(result)
    return result


def _able(work: Session, name: str, verb: str) -> Module:
    """Return an add-on that has a script for a verb and was applied; raises BadUsage."""
    module = addon(work.config, name)
    if module.script(verb) is None:
        raise BadUsage(f"{name} has no {verb}.", f"It would need a script {verb}.")
    if not work.state.steps.ever_started(f"addon/{name}/apply"):
        raise BadUsage(f"{name} was never applied.", ways(("Apply it", f"rigger provision {name}")))
    work.state.require_running(work.name)
    return module


def _run(
    work: Session,
    plan: Plan,
    before: Mapping[str, str],
    prepare: Callable[[], None] | None = None,
    more: object = None,
) -> RunResult:
    """Run a plan of one add-on, and tell the modules that it influences where it may be another after that.

    `prepare` is called once the claim is held; `more` is what the plan was made of beside the environment's files.
    """
    known = related(work.environment, work.config)
    if known and any(step.verb in ("upgrade", "scale", "restore") for step in plan.steps):
        module = plan.steps[0].module
        plan = Plan(
            plan.command,
            (*plan.steps, *told(work.config, known, [Step(module, "apply", "")])),
            removals=plan.removals,
            environ=plan.environ,
        )
    work.require_ready(plan)
    work.claim(plan, more)
    if prepare:
        prepare()
    return work.run(plan, before=before, after=lambda steps: influenced(work, steps))


def _file(path: str) -> dict[str, str]:
    return {"RIGGER_BACKUP_FILE": path}

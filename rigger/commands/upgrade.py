"""rigger upgrade"""

import calendar
import os
import time
from dataclasses import replace

import click

from rigger.audit import upgrades as recorded_upgrades
from rigger.audit.steps import History
from rigger.audit.suspension import require_running
from rigger.audit.upgrades import WAYS_ON, Request
from rigger.bundles import contents
from rigger.bundles.contents import default_path
from rigger.cli.app import App, command
from rigger.configuration.config import Config
from rigger.configuration.resolve import resolve
from rigger.environments.checkout import is_cloned
from rigger.environments.environment import Environment
from rigger.errors import BadUsage, InvalidConfig, NotReady, RiggerError
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git.inspect import require_clean
from rigger.plans import upgrade as upgrade_plan
from rigger.plans.lifecycle import with_clients
from rigger.plans.upgrade import require_style, validate_upgrade
from rigger.questions.model import Choice
from rigger.runs import preflight
from rigger.runs.recovery import load_config
from rigger.runs.run import Run
from rigger.sources import checkout as source_checkout
from rigger.sources import compat
from rigger.sources.compat import require_interface
from rigger.sources.spec import same_release
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard


@command("upgrade", reports=True, streams=True)
@click.option("--to", metavar="VERSION", help="The version to reach.")
@click.option("--upgrade-style", "style", metavar="STYLE", help="How, for example graceful or inplace.")
@click.option("--allow-downgrade", is_flag=True, help="Go to an older version all the same.")
@click.option("--resume", is_flag=True, help="Go on with the upgrade that did not finish.")
@click.option("--rollback", is_flag=True, help="Go back from the upgrade that did not finish.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@click.option("--trust", is_flag=True, help="Agree beforehand to the repository's scripts of that version.")
def upgrade(app: App, to, style, allow_downgrade, resume, rollback, only_plan, trust):
    environment = app.environment()
    with environment.locked("rigger upgrade") as lock:
        if not only_plan:
            source_checkout.restore(
                environment, app.printer.line, app.printer.progress, _agreement(app, trust)
            )
        settled = load_config(environment)
        require_running(environment.name, environment.audit.records())
        if not (resume or rollback):
            settled = _with_releases(settled)
        request = _request(environment, settled, to, style, resume, rollback)
        if request.since or request.back:
            require_style(settled.platform, request.style)
        else:
            require_interface(settled.platform, request.to)
            validate_upgrade(settled.platform, request, allow_downgrade)
        target = resolve(environment, {"VERSION": request.to})
        planned = _plan(environment, target, request)
        _show(app, environment, settled, request, planned)
        if only_plan:
            if app.json:
                app.printer.report(planned.as_dict())
            return
        preflight.require(environment, target, planned)
        repository = _repository(app, environment, target, request, trust)
        if not request.since and not request.back:
            _save_before(app, environment, settled)
        request = _begin(environment, request)
        run = Run(environment, target, app.printer, lock)
        run.before_step = lambda step: _check_out(app, environment, request, repository, step.verb)
        try:
            run.carry_out(planned)
        except RiggerError as problem:
            problem.next_step = _ways_out(environment, request)
            raise
        finally:
            if app.json:
                app.printer.report({"from": request.start, "to": request.to, **run.as_dict()})
        _finish(environment, target, request, run)
    _say(app, environment, request, run)


def _agreement(app: App, trust: bool):
    """Return what asks for consent to the scripts of the platform's repository at a commit."""

    def agree(url: str, commit: str, folder: str) -> None:
        app.consent(trust=trust).trust_repository(app.home.path, app.printer, url, commit, folder)

    return agree


def _request(environment: Environment, settled: Config, to, style, resume: bool, rollback: bool) -> Request:
    begun = recorded_upgrades.pending(environment.audit.records())
    if resume or rollback:
        if begun is None:
            raise BadUsage(
                f"No upgrade of {environment.name} is unfinished.",
                'Begin one: "rigger upgrade --to VERSION".',
            )
        if resume and rollback or to is not None or style is not None:
            raise BadUsage(
                "--resume and --rollback stand alone: version and style are those of the unfinished upgrade."
            )
        if resume or begun.back:
            return begun
        return Request(begun.to, begun.start, begun.style, back=True)
    if begun is not None:
        raise InvalidConfig(recorded_upgrades.unfinished(environment.name, begun.start, begun.to), WAYS_ON)
    running = _running_version(environment, settled)
    to = _ask_version(settled, running) if to is None else to
    to = next((known for known in settled.platform.versions if same_release(known, to)), to)
    return Request(running, to, _ask_style(settled) if style is None else style)


def _with_releases(settled: Config) -> Config:
    """Return a configuration whose platform knows its versions, where they are the tags of its repository."""
    url = settled.values.get("REPOSITORY") or settled.values.get("CHECKOUT")
    if not settled.platform.git_tags or not url:
        return settled
    return replace(settled, platform=replace(settled.platform, versions=tuple(git_remote.releases(url))))


def _running_version(environment: Environment, settled: Config) -> str:
    """Return the version that is deployed; raises InvalidConfig where nothing is, or another is configured."""
    deployed = History.of(environment.audit.records()).done.get(f"platform/{settled.platform.name}/deploy")
    if deployed is None:
        raise InvalidConfig(
            f"There is no cluster to upgrade in {environment.name} yet.", 'Type "rigger provision".'
        )
    running = deployed.started["parameters"].get("VERSION", "")
    if running != settled.values.get("VERSION", ""):
        raise InvalidConfig(
            f"{environment.name} runs {running}, but {settled.values.get('VERSION')} is configured.",
            f'Type "rigger config set VERSION={running}" and upgrade, or "rigger provision".',
        )
    return running


def _ask_version(settled: Config, running: str) -> str:
    newer = upgrade_plan.newer(settled.platform, running)
    choices = [version for version in newer if compat.speaks(settled.platform, version)]
    if not choices:
        raise BadUsage(
            f"{running} is the newest version of {settled.platform.name} that is known.",
            _way_to_newer(settled),
        )
    if not has_terminal():
        raise BadUsage("Which version? Nobody can be asked.", f"Add --to VERSION: {', '.join(choices)}.")
    return Wizard().choose(f"Upgrade from {running} to?", [Choice(v) for v in choices], choices[0])


def _way_to_newer(settled: Config) -> str:
    """Return how a version gets known that is newer than all that are."""
    if settled.platform.git_tags:
        return "A newer one is known once its repository has a tag for it."
    if settled.platform.version_pattern:
        return 'If there is a newer one all the same, name it: "rigger upgrade --to VERSION".'
    return f"A newer one is known once {os.path.join(settled.platform.folder, 'rigger.yml')} lists it."


def _ask_style(settled: Config) -> str:
    choices = upgrade_plan.styles(settled.platform)
    if not choices:
        raise BadUsage(f"{settled.platform.name} has no upgrades.", "Its manifest offers no style.")
    if len(choices) == 1:
        return choices[0].value
    if not has_terminal():
        listed = ", ".join(choice.value for choice in choices)
        raise BadUsage("Which style? Nobody can be asked.", f"Add --upgrade-style STYLE: {listed}.")
    return Wizard().choose("How?", choices, choices[0].value)


def _plan(environment: Environment, target: Config, request: Request):
    records = environment.audit.records()
    since = [record for record in records if request.since and record["seq"] >= request.since]
    planned = upgrade_plan.steps(target, request, History.of(since), History.of(records))
    environ = {"RIGGER_FROM_VERSION": request.start}
    if any(step.verb == "backup" for step in planned.steps):
        environ["RIGGER_BACKUP_FILE"] = environment.backups.new()
    return with_clients(target, environment.bin_dir, replace(planned, environ=environ))


def _repository(
    app: App, environment: Environment, target: Config, request: Request, trust: bool
) -> tuple[str, str] | None:
    """Return the platform's repository and the commit that the upgrade needs, None where versions are no tags.

    Raises NotReady, before anything is changed, where that commit is missing or local changes are in its way.
    """
    folder = source_checkout.find(environment, target.platform, target.values)
    if folder is None:
        return None
    if not request.back and is_cloned(environment, target.values):
        return folder, _fetched(app, environment, target.values["REPOSITORY"], folder, request, trust)
    wanted = _commit_before(environment) if request.back else git_inspect.tagged(folder, request.to)
    if not wanted:
        if request.back or not git_inspect.tagged(folder, request.start):
            return None
        raise NotReady(
            f"{folder} has no tag for {request.to}.",
            f'Get it: "git -C {folder} fetch --tags", then try again.',
        )
    require_clean(folder)
    return folder, wanted


def _fetched(app: App, environment: Environment, url: str, folder: str, request: Request, trust: bool) -> str:
    """Return the commit of a release, once it is in the checkout and its scripts were agreed to."""
    begun = git_inspect.tagged(folder, request.to) if request.since else ""
    if begun:  # going on needs no network, and no other commit than the one that it began with
        require_clean(folder)
        return begun
    goal = git_remote.resolve(url, version=request.to, cache=environment.cache_dir)
    git_clone.fetch(folder, url, goal, app.printer.progress)
    _agreement(app, trust)(url, goal.commit, folder)
    return goal.commit


def _commit_before(environment: Environment) -> str:
    """Return the commit that the last upgrade left, nothing where it left none."""
    before, forward = "", False
    for record in environment.audit.records():
        if record["event"] == "upgrade-started":
            forward = not record.get("rollback")
            before = "" if forward else before
        elif record["event"] == "checked-out" and forward:
            before = record["before"]
    return before


def _check_out(app: App, environment: Environment, request: Request, repository, verb: str) -> None:
    """Bring the platform's repository to the version, just before the step that upgrades to it."""
    if repository is None or verb != request.verb:
        return
    folder, wanted = repository
    before = git_inspect.commit(folder)
    if before == wanted:
        return
    environment.audit.append("checked-out", folder=folder, version=request.to, before=before, commit=wanted)
    git_clone.switch(folder, wanted)
    app.printer.line(f"Checked out {request.to} ({wanted[:12]}) in {folder}")


def _show(app: App, environment: Environment, settled: Config, request: Request, planned) -> None:
    way = "back from" if request.back else "from"
    app.printer.heading(
        f"{environment.name}: {settled.platform.name} {way} {request.start} to {request.to}, {request.style}"
    )
    app.printer.plan(planned)


def _save_before(app: App, environment: Environment, settled: Config) -> None:
    """Save the environment as it is, so that there is a way back whatever happens."""
    folder = environment.file("saved")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    written = contents.save(environment, settled, default_path(environment, folder))
    app.printer.line(f"Saved before the upgrade: {written.path}")


def _begin(environment: Environment, request: Request) -> Request:
    if request.since:
        return request
    record = environment.audit.append(
        "upgrade-started",
        **{"from": request.start, "to": request.to, "style": request.style, "rollback": request.back},
    )
    return replace(request, since=record["seq"])


def _finish(environment: Environment, target: Config, request: Request, run: Run) -> None:
    """Write the new version to the vars: only now does the cluster run it, as far as anybody knows."""
    version = request.to
    vars = {**environment.vars(), "VERSION": version, f"{target.platform.prefix}_VERSION": version}
    if not request.back:
        vars.pop("REF", None)  # from now on it is a release
    environment.save(vars, environment.secrets())
    event = "upgrade-rolled-back" if request.back else "upgrade-finished"
    environment.audit.append(
        event, run.id, **{"from": request.start, "to": version, "figures": upgrade_plan.report(run.results)}
    )


def _ways_out(environment: Environment, request: Request) -> str:
    """Return the exact state, and the commands that lead out of it."""
    since = [record for record in environment.audit.records() if record["seq"] >= request.since]
    history = History.of(since)
    upgraded = next((record for key, record in history.last.items() if key.endswith(request.verb)), None)
    target = f"{request.start} {'back ' if request.back else ''}to {request.to}"
    if upgraded is None:
        state = f"The cluster still runs {request.start}: nothing of it was changed yet"
    elif not upgraded.succeeded:
        state = f"The cluster is between two versions, on its way from {target}"
    else:
        state = f"All members were brought from {target}, but that was not found to be well"
    ways = [f"{state}; {_recorded(environment)} is recorded.", 'Go on: "rigger upgrade --resume".']
    if not request.back:
        ways.append('Go back: "rigger upgrade --rollback".')
    finished = _backup_finished(since)
    if finished and (backup := environment.backups.last(until=finished)):
        ways.append(f'Put the data of before back: "rigger restore {backup}".')
    return " ".join(ways)


def _backup_finished(records) -> float:
    """Return when the upgrade's own backup was whole, in seconds, 0 where it was not.

    One that "rigger backup" made later holds the data of a cluster between two versions.
    """
    own = set()
    for record in records:
        step = record["run"], record.get("number")
        if record["event"] == "step-started" and (record["command"], record["step"]) == ("upgrade", "backup"):
            own.add(step)
        elif record["event"] == "step-finished" and step in own and record.get("exit_code") == 0:
            at = record["time"]
            return (
                calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) + int(at[20:23]) / 1000 + 0.001
            )
    return 0


def _recorded(environment: Environment) -> str:
    return environment.vars().get("VERSION", "no version")


def _say(app: App, environment: Environment, request: Request, run: Run) -> None:
    app.printer.line()
    app.printer.line(f"{environment.name} runs {request.to}.")
    for name, value in upgrade_plan.report(run.results).items():
        app.printer.line(f"  {name.replace('_', ' ')}: {value}")

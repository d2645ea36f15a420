"""rigger checkout"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

import click

from rigger import text
from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.environments.environment import CHECKOUT, Environment
from rigger.errors import BadUsage, InvalidConfig, NotReady, RiggerError
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git.inspect import State
from rigger.git.remote import Target
from rigger.git.urls import check_url
from rigger.modules import search
from rigger.questions.model import Choice
from rigger.sources import checkout as source_checkout
from rigger.text import plain
from rigger.trust.gate import unknown_commits
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

DONE = {"clone": "Cloned", "update": "Updated", "leave": "Left as it is", "current": "Up to date"}


@dataclass(frozen=True)
class Source:
    """Where an environment's platform comes from, as its vars say it."""

    url: str
    version: str
    ref: str
    folder: str
    own: bool  # whether the folder is the user's: then nothing in it is touched


@command("checkout", reports=True, streams=True)
@click.option("--clone", is_flag=True, help="Make the checkout anew.")
@click.option("--update", is_flag=True, help="Bring it to the version that is configured.")
@click.option("--leave", is_flag=True, help="Leave it as it is.")
@click.option("--submodules", is_flag=True, help="Fetch the repository's submodules too, with --clone.")
@click.option("--trust", "agreed", is_flag=True, help="Agree beforehand to the scripts of the repository.")
def checkout(app: App, clone: bool, update: bool, leave: bool, submodules: bool, agreed: bool):
    asked = _one_way(clone=clone, update=update, leave=leave)
    environment = app.environment()
    with environment.locked("rigger checkout"):
        source = _source(environment)
        if source.own:
            _leave_own(app, environment, source, asked)
            return
        target = git_remote.resolve(
            source.url, "" if source.ref else source.version, source.ref, cache=app.home.cache_dir
        )
        _say_moved(app, environment, target)
        before = git_inspect.state(source.folder, target.commit)
        _say_other_origin(app, source, before)
        way = _choose(app, source, before, target, asked)
        _bring(app, source, target, way, submodules, _agreement(app, source, target, agreed))
        if way == "leave":
            _agree_to_what_is_there(app, environment, source, agreed)
        else:
            _record(environment, source, before, target)
        _report(app, environment, source, target, before, way)


def _one_way(**flags: bool) -> str:
    ways = [way for way, given in flags.items() if given]
    if len(ways) > 1:
        raise BadUsage(f"{' and '.join(f'--{way}' for way in ways)} exclude each other.", "Give one of them.")
    return ways[0] if ways else ""


def _source(environment: Environment) -> Source:
    """Return what is configured; raises InvalidConfig where the platform comes from no repository."""
    vars = environment.vars()
    url = vars.get("REPOSITORY") or _usual_repository(environment, vars)
    own = vars.get("CHECKOUT", "")
    if not (url or own):
        raise InvalidConfig(
            f"The platform of {environment.name} comes from no repository.",
            f'Name one: "rigger configure --name {environment.name} --repository URL", or a folder of yours: '
            "--path FOLDER.",
        )
    folder = own or environment.file(CHECKOUT)
    return Source(url, vars.get("VERSION", ""), vars.get("REF", ""), folder, bool(own))


def _usual_repository(environment: Environment, vars) -> str:
    """Return the repository that the platform's manifest names, nothing where it is not to be found."""
    folder = environment.file(CHECKOUT)
    with suppress(RiggerError):
        return search.find("platform", vars.get("PLATFORM", ""), environment.home, folder).repository
    return ""


def _prefix(environment: Environment) -> str:
    """Return the platform's prefix, also where its manifest is in the checkout that is missing."""
    with suppress(RiggerError):
        return resolve.resolve(environment).platform.prefix
    ids = (n for n, v in environment.vars().items() if n.endswith("_ID") and re.fullmatch("[0-9a-f]{10}", v))
    return next(ids, "").removesuffix("_ID")


def _last_record(environment: Environment) -> dict | None:
    records = [record for record in environment.audit.records() if record["event"] == "checked-out"]
    return records[-1] if records else None


def _leave_own(app: App, environment: Environment, source: Source, asked: str) -> None:
    """Say what is in the folder that somebody works in, and keep its version."""
    if asked in ("clone", "update"):
        raise BadUsage(
            f"{source.folder} is your own folder (CHECKOUT), which rigger leaves alone.",
            'Name a version or branch instead: "rigger configure --version VERSION" or --ref BRANCH.',
        )
    found = git_inspect.state(source.folder)
    if found.missing:
        raise NotReady(
            f"There is no folder {source.folder}.", 'Name another: "rigger configure --path FOLDER".'
        )
    version = source_checkout.describe(source.folder)
    _save(environment, source.folder, version)
    app.printer.line(
        f"{source_checkout.standing(source.folder, version)}. It is your own, and is left alone."
    )
    if app.json:
        app.printer.report(_as_dict(environment, source, found, found, "leave", version))


def _say_moved(app: App, environment: Environment, target: Target) -> None:
    """Warn where a tag named another commit when it was checked out before."""
    for record in reversed(environment.audit.records()):
        if record["event"] != "checked-out" or record.get("tag") != target.ref or not target.ref:
            continue
        if record["commit"] != target.commit and target.kind in ("release", "tag"):
            app.printer.warn(
                f"The tag {target.name} was moved: it named {record['commit'][:12]} on {record['time'][:10]}, "
                f"and names {target.commit[:12]} now."
            )
        return


def _say_other_origin(app: App, source: Source, found: State) -> None:
    """Warn where git would pull from, and push to, another repository than the configured one."""
    if not found.origin or found.origin == source.url:
        return
    with suppress(RiggerError):
        if check_url(found.origin) == check_url(source.url):
            return
    app.printer.warn(
        f"{source.folder} says that it comes from {plain(found.origin)}, not from {source.url}. "
        f'To change that: "git -C {source.folder} remote set-url origin {source.url}".'
    )


def _choose(app: App, source: Source, found: State, target: Target, asked: str) -> str:
    """Return what to do: clone where nothing is, nothing where nothing differs, else what somebody chooses."""
    if found.missing or not (found.is_repository or asked):
        return "clone"
    if asked:
        return asked
    if found.same and not found.local:
        return "current"
    return _ask(app, source, found, target)


def _ask(app: App, source: Source, found: State, target: Target) -> str:
    differs = _difference(source, found, target)
    if not has_terminal():
        raise BadUsage(
            f"{differs} Nobody can be asked what to do.",
            "Add --update, --clone (make it anew) or --leave (as it is).",
        )
    app.printer.line(differs)
    choices = [
        Choice("clone", "make it anew; refused while work would be lost"),
        Choice("update", f"bring it to {target.name}; refused where work is in the way"),
        Choice("leave", "touch nothing"),
    ]
    return Wizard().choose("What should become of it?", choices, "leave" if found.local else "update")


def _difference(source: Source, found: State, target: Target) -> str:
    wanted = f"{target.name} ({target.commit[:12]})"
    if found.under_way:
        return f"In {source.folder} a {found.under_way} is under way."
    if found.changed:
        return f"{source.folder} has local changes: {text.listed(found.changed)}."
    if found.commits:
        return f"{source.folder} has commits of your own: {text.listed(found.commits)}."
    return f"{source.folder} is at {found.commit[:12] or 'no commit'}, not at {wanted}."


def _agreement(app: App, source: Source, target: Target, agreed: bool):
    """Return what asks for consent to the target's scripts, once they are here and before they are in place."""

    def agree(folder: str) -> None:
        app.consent(trust=agreed).trust_repository(
            app.home.path, app.printer, source.url, target.commit, folder
        )

    return agree


def _bring(app: App, source: Source, target: Target, way: str, submodules: bool, agree) -> None:
    """Clone or update, and show git's progress where it can be drawn anew."""
    if way == "leave":
        return
    wanted = f"{target.name} ({target.commit[:12]})"
    show = app.printer.progress
    if way == "clone":
        app.printer.line(f"Cloning {source.url} at {wanted} ...")
        git_clone.clone(source.url, source.folder, target, show, submodules, agree, replace=True)
    elif way == "update":
        app.printer.line(f"Bringing {source.folder} to {wanted} ...")
        git_clone.update(source.folder, source.url, target, show, agree)
    agree(source.folder)


def _agree_to_what_is_there(app: App, environment: Environment, source: Source, agreed: bool) -> None:
    """Ask for consent to the commit that was left, where scripts could not run otherwise and somebody can be asked."""
    if not git_inspect.commit(source.folder):
        return
    for commit in unknown_commits(environment, source.url):
        if agreed or has_terminal():
            app.consent(trust=agreed).trust_repository(
                app.home.path, app.printer, source.url, commit, source.folder
            )
        else:
            app.printer.warn(f"Nobody has agreed to the scripts at {commit[:12]} yet: add --trust.")


def _record(environment: Environment, source: Source, before: State, target: Target) -> None:
    """Keep the commit in the audit log, and the folder and its version in the vars; as often as one likes."""
    version = git_inspect.describe(source.folder) if source.ref else source.version or target.name
    last = _last_record(environment)
    if not last or (last["folder"], last["commit"]) != (source.folder, target.commit) or not before.same:
        environment.audit.append(
            "checked-out",
            folder=source.folder,
            version=version,
            before=before.commit,
            commit=target.commit,
            ref=source.ref,
            tag=target.ref,
        )
    _save(environment, source.folder, version)


def _save(environment: Environment, folder: str, version: str) -> None:
    vars, prefix = environment.vars(), _prefix(environment)
    new = {**vars, **({"VERSION": version} if version else {})}
    if prefix:
        new[f"{prefix}_ROOT"] = folder
        new |= {f"{prefix}_VERSION": version} if version else {}
    if new != vars:
        environment.save(new, environment.secrets())


def _report(
    app: App, environment: Environment, source: Source, target: Target, before: State, way: str
) -> None:
    after = git_inspect.state(source.folder, target.commit)
    version = git_inspect.describe(source.folder) if after.commit else ""
    app.printer.line(f"{DONE[way]}: {source.folder} is at {version or 'no commit'}.")
    if after.changed:
        app.printer.line(f"  changed: {text.listed(after.changed)}")
    if after.commits:
        app.printer.line(f"  commits of your own: {text.listed(after.commits)}")
    if before.branch and before.commits and after.branch != before.branch:
        app.printer.line(f"  your {len(before.commits)} commits are on the branch {before.branch}, as before")
    if app.json:
        app.printer.report(_as_dict(environment, source, before, after, way, version))


def _as_dict(environment: Environment, source: Source, before: State, after: State, way: str, described: str):
    return {
        "environment": environment.name,
        "repository": source.url,
        "folder": source.folder,
        "done": way,
        "ref": source.ref,
        "version": environment.vars().get("VERSION", ""),
        "describe": described,
        "before": before.commit,
        "commit": after.commit,
        "branch": after.branch,
        "changed": list(after.changed),
        "commits": list(after.commits),
        "untracked": after.untracked,
    }

"""Clone, update or leave the repository that an environment's platform comes from."""

from __future__ import annotations

import re
from contextlib import suppress

from rigger import text
from rigger.audit import events
from rigger.configuration.resolve import resolve
from rigger.configuration.version import require_same_version
from rigger.environments.environment import CHECKOUT, Environment
from rigger.environments.state import state_of
from rigger.errors import BadUsage, InvalidConfig, NotReady, RiggerError
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git import submodules as git_submodules
from rigger.git.place import is_repository
from rigger.git.urls import check_url
from rigger.modules import search
from rigger.operations.agreement import agree_to_repository
from rigger.operations.consent import Consent
from rigger.questions.model import Choice
from rigger.runs import own_folder
from rigger.runs.reporter import Reporter, Silent
from rigger.sources import checkout as source_checkout
from rigger.sources.whole import left_out
from rigger.trust.gate import unknown_commits
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.git.inspect import State
    from rigger.git.remote import Target


@frozen
class PlatformSource:
    """Where an environment's platform comes from, as its vars say it."""

    url: str
    version: str
    ref: str
    folder: str
    own: bool  # whether the folder is the user's: then nothing in it is touched


@frozen
class CheckedOut:
    """What became of a checkout."""

    environment: Environment
    source: PlatformSource
    done: str  # clone, update, leave, or current: nothing had to be done
    before: State
    after: State
    configured: str  # the version in the vars
    version: str  # what git says of the checkout; nothing where it has no commit

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment.name,
            "repository": self.source.url,
            "folder": self.source.folder,
            "done": self.done,
            "ref": self.source.ref,
            "configured_version": self.configured,
            "describe": self.version,
            "before": self.before.commit,
            "commit": self.after.commit,
            "branch": self.after.branch,
            "changed": list(self.after.changed),
            "commits": list(self.after.commits),
            "untracked": self.after.untracked,
        }


@frozen
class _Work:
    """A checkout to be brought to a commit, and whom to tell and to ask."""

    environment: Environment
    source: PlatformSource
    target: Target
    reporter: Reporter
    consent: Consent

    @property
    def wanted(self) -> str:
        return f"{self.target.name} ({self.target.commit[:12]})"

    def agree(self, folder: str) -> None:
        """Have the target's scripts agreed to, once they are here and before they are in place."""
        self.agree_to(self.target.commit, folder)

    def agree_to(self, commit: str, folder: str) -> None:
        agree_to_repository(
            self.consent, self.reporter, self.environment.home, self.source.url, commit, folder
        )


def checkout(
    environment: Environment,
    way: str = "",
    submodules: bool | None = None,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> CheckedOut:
    """Bring the checkout of an environment's platform to the configured version; a folder of the user's own is left.

    `way` is clone, update or leave; nothing: somebody is asked where it matters. `submodules`: all are fetched, or those
    that are missing are done without; None: those that are there come along. Raises BadUsage where nobody can be
    asked or agreed to the scripts, NotReady where work would be lost or the repository cannot be reached.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with environment.locked("rigger checkout"):
        source = _source(environment)
        if source.own:
            return _leave_own(environment, source, way, submodules)
        if way != "leave" and not source.ref:  # scripts of another release come with an upgrade
            require_same_version(environment, environment.vars())
        work = _Work(environment, source, _target(environment, source), reporter, consent)
        _warn_of_moved_tag(work)
        before = git_inspect.state(source.folder, work.target.commit)
        _warn_of_other_origin(work, before)
        way = _choose(work, before, way)
        _bring(work, way, bool(submodules))
        _settle_submodules(work, submodules)
        if way == "leave":
            _agree_to_what_is_there(work)
        else:
            _record(work, before)
        return _checked_out(work, before, way)


# ---- what is configured ----------------------------------------------------------------------------------


def _source(environment: Environment) -> PlatformSource:
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
    return PlatformSource(url, vars.get("VERSION", ""), vars.get("REF", ""), folder, bool(own))


def _usual_repository(environment: Environment, vars: Mapping[str, str]) -> str:
    """Return the repository that the platform's manifest names, nothing where it is not to be found."""
    folder = environment.file(CHECKOUT)
    with suppress(RiggerError):
        return search.find("platform", vars.get("PLATFORM", ""), environment.home, folder).repository
    return ""


def _target(environment: Environment, source: PlatformSource) -> Target:
    version = "" if source.ref else source.version
    return git_remote.resolve(source.url, version, source.ref, cache=environment.cache_dir)


def _prefix(environment: Environment) -> str:
    """Return the platform's prefix, also where its manifest is in the checkout that is missing."""
    with suppress(RiggerError):
        return resolve(environment).platform.prefix
    ids = (n for n, v in environment.vars().items() if n.endswith("_ID") and re.fullmatch("[0-9a-f]{10}", v))
    return next(ids, "").removesuffix("_ID")


# ---- what is there ---------------------------------------------------------------------------------------


def _leave_own(
    environment: Environment, source: PlatformSource, way: str, submodules: bool | None
) -> CheckedOut:
    """Keep the version of a folder that somebody works in; raises BadUsage where more than that is asked for."""
    if submodules is not None:
        raise BadUsage(
            f"{source.folder} is your own folder (CHECKOUT), which rigger leaves alone.",
            f'Fetch its submodules with "git -C {source.folder} submodule update --init --recursive".',
        )
    if way in ("clone", "update"):
        raise BadUsage(
            f"{source.folder} is your own folder (CHECKOUT), which rigger leaves alone.",
            'Name a version or branch instead: "rigger configure --version VERSION" or --ref BRANCH.',
        )
    state = git_inspect.state(source.folder)
    if state.missing:
        raise NotReady(
            f"There is no folder {source.folder}.", 'Name another: "rigger configure --path FOLDER".'
        )
    version = source_checkout.describe(source.folder)
    _save(environment, source.folder, version)
    configured = environment.vars().get("VERSION", "")
    return CheckedOut(environment, source, "leave", state, state, configured, version)


def _warn_of_other_origin(work: _Work, state: State) -> None:
    """Warn where git would pull from, and push to, another repository than the configured one."""
    source = work.source
    if not state.origin or state.origin == source.url:
        return
    with suppress(RiggerError):
        if check_url(state.origin) == check_url(source.url):
            return
    work.reporter.warn(
        f"{source.folder} says that it comes from {text.plain(state.origin)}, not from {source.url}. "
        f'To change that: "git -C {source.folder} remote set-url origin {source.url}".'
    )


def _choose(work: _Work, state: State, way: str) -> str:
    """Return what to do: clone where nothing is, nothing where nothing differs, else what somebody chooses."""
    if state.missing or not (state.is_repository or way):
        return "clone"
    if way:
        return way
    if state.same and not state.local:
        return "current"
    return _ask(work, state)


def _ask(work: _Work, state: State) -> str:
    difference = _difference(work, state)
    unasked = BadUsage(
        f"{difference} There is no terminal to ask on.",
        "Add --update, --clone (make it again) or --leave (change nothing).",
    )
    if work.consent.can_ask:
        work.reporter.line(difference)
    choices = [
        Choice("clone", "make it again; refused while work would be lost"),
        Choice("update", f"bring it to {work.target.name}; refused where work is in the way"),
        Choice("leave", "touch nothing"),
    ]
    usual = "leave" if state.local else "update"
    return work.consent.choose("What should become of it?", choices, usual, unasked)


def _difference(work: _Work, state: State) -> str:
    folder = work.source.folder
    if state.under_way:
        return f"In {folder} a {state.under_way} is under way."
    if state.changed:
        return f"{folder} has local changes: {text.listed(state.changed)}."
    if state.commits:
        return f"{folder} has commits of your own: {text.listed(state.commits)}."
    return f"{folder} is at {state.commit[:12] or 'no commit'}, not at {work.wanted}."


# ---- what is done ----------------------------------------------------------------------------------------


def _bring(work: _Work, way: str, submodules: bool) -> None:
    """Clone or update, and show git's progress where it can be drawn anew."""
    if way == "leave":
        return
    source, target, show = work.source, work.target, work.reporter.progress
    submodules = submodules or _has_all_submodules(source.folder)
    kept = own_folder.take_over(work.environment)
    if way == "clone":
        work.reporter.line(f"Cloning {source.url} at {work.wanted} ...")
        git_clone.clone(source.url, source.folder, target, show, submodules, work.agree, True, kept)
    elif way == "update":
        work.reporter.line(f"Bringing {source.folder} to {work.wanted} ...")
        git_clone.update(source.folder, source.url, target, show, work.agree, submodules)
    work.agree(source.folder)
    own_folder.take_over(work.environment)  # gives back what the scripts had written


def _has_all_submodules(folder: str) -> bool:
    """Return whether a checkout has submodules, and none was left out: then the next commit has all of its own."""
    if not is_repository(folder):
        return False
    return git_submodules.are_used(folder) and not any(not s.has for s in git_submodules.lacking(folder))


def _settle_submodules(work: _Work, submodules: bool | None) -> None:
    """Fetch what is missing, or note that it is done without, where that was asked for; else say what is missing."""
    folder = work.source.folder
    if not is_repository(folder):
        return
    if submodules:
        git_submodules.take_in(folder)
        commit = git_inspect.commit(folder)
        git_clone.bring_submodules(folder, work.source.url, commit, work.reporter.progress)
    elif submodules is False:
        for path in git_submodules.leave_out(folder):
            work.reporter.line(f"{folder} does without the submodule {text.printable(path)}.")
    elif missing := left_out(folder):
        work.reporter.warn(missing)


def _agree_to_what_is_there(work: _Work) -> None:
    """Ask for consent to the commit that was left, where scripts could not run otherwise and somebody can be asked."""
    folder = work.source.folder
    if not git_inspect.commit(folder):
        return
    for commit in unknown_commits(work.environment, work.source.url):
        if work.consent.trust or work.consent.can_ask:
            work.agree_to(commit, folder)
        else:
            work.reporter.warn(f"Nobody has agreed to the scripts at {commit[:12]} yet: add --trust.")


def _checked_out(work: _Work, before: State, way: str) -> CheckedOut:
    folder = work.source.folder
    after = git_inspect.state(folder, work.target.commit)
    version = git_inspect.describe(folder) if after.commit else ""
    configured = work.environment.vars().get("VERSION", "")
    return CheckedOut(work.environment, work.source, way, before, after, configured, version)


def _save(environment: Environment, folder: str, version: str) -> None:
    """Keep the folder and its version in the vars."""
    values, prefix = environment.values(), _prefix(environment)
    values |= {"VERSION": version} if version else {}
    if prefix:
        values[f"{prefix}_ROOT"] = folder
        values |= {f"{prefix}_VERSION": version} if version else {}
    environment.save_values(values)


# ---- the audit log ---------------------------------------------------------------------------------------


def _record(work: _Work, before: State) -> None:
    """Keep the commit in the audit log, and the folder and its version in the vars; as often as one likes."""
    source, target = work.source, work.target
    version = git_inspect.describe(source.folder) if source.ref else source.version or target.name
    last = state_of(work.environment).checkouts.last
    if not last or (last.folder, last.commit) != (source.folder, target.commit) or not before.same:
        work.environment.audit.append(
            events.CheckedOut(
                folder=source.folder,
                version=version,
                before=before.commit,
                commit=target.commit,
                ref=source.ref,
                tag=target.ref,
            )
        )
    _save(work.environment, source.folder, version)


def _warn_of_moved_tag(work: _Work) -> None:
    """Warn where a tag named another commit when it was checked out before."""
    target = work.target
    if not target.ref or target.kind not in ("release", "tag"):
        return
    last = state_of(work.environment).checkouts.last_of(target.ref)
    if last and last.commit != target.commit:
        work.reporter.warn(
            f"The tag {target.name} was moved: it named {last.commit[:12]} on {last.time[:10]}, "
            f"and names {target.commit[:12]} now."
        )

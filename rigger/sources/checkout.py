"""The checkout that is there, against what is configured: described, restored, checked."""

from __future__ import annotations

import os
import re

from rigger.audit.events import CheckedOut
from rigger.audit.versions import Deployed
from rigger.environments.environment import CHECKOUT, Environment
from rigger.environments.state import state_of
from rigger.errors import BadUsage, NotReady
from rigger.git.place import around, is_repository
from rigger.later import later
from rigger.sources.spec import ANOTHER_FOLDER, UNVERSIONED, Checkout, same_release
from rigger.trust.ledger import agreed_commits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.git import clone as git_clone
    from rigger.git import inspect as git_inspect
    from rigger.git import remote as git_remote
    from rigger.git import urls as git_urls
    from rigger.modules.model import Module
else:
    git_inspect = later("rigger.git.inspect")
    git_urls = later("rigger.git.urls")
    git_remote = later("rigger.git.remote")
    git_clone = later("rigger.git.clone")

# ---- which folder, which commit --------------------------------------------------------------------------


def find(environment: Environment, platform: Module, values: Mapping[str, str]) -> str | None:
    """Return the folder of the platform's repository, None where there is none."""
    root = values.get(f"{platform.prefix}_ROOT", "")
    for folder in (root, environment.file(CHECKOUT), platform.folder):
        if folder and is_repository(folder):
            return folder
    return None


def commit_of(environment: Environment, platform: Module, values: Mapping[str, str]) -> tuple[str, bool]:
    """Return the commit of the platform's repository, where it has one, and whether files of it were changed."""
    folder = find(environment, platform, values)
    commit = git_inspect.commit(folder)
    return commit, bool(folder and commit and platform.checkout and git_inspect.state(folder).changed)


def describe(folder: str) -> str:
    """Return the version of a folder, or of the repository around it: what git describe says, else UNVERSIONED."""
    top = around(folder)
    return git_inspect.describe(top) if top and git_inspect.commit(top) else UNVERSIONED


def standing(folder: str, version: str) -> str:
    """Return what to say of a folder of the user's own and its version."""
    if version == UNVERSIONED:
        return f"{folder} has no version: it is in no git repository that has a commit"
    return f"{folder} is at {version}"


# What is there, against what is configured


def last_record(environment: Environment) -> CheckedOut | None:
    """Return the record of the last time that the environment's own checkout was brought to something."""
    return state_of(environment).checkouts.last_in(environment.file(CHECKOUT))


def record(environment: Environment, checkout: Checkout, ref: str, before: str = "") -> None:
    """Note in the audit log what the environment's checkout was brought to."""
    environment.audit.append(checked_out(environment, checkout, ref, before))


def checked_out(environment: Environment, checkout: Checkout, ref: str, before: str = "") -> CheckedOut:
    """Return the record of what the environment's checkout was brought to."""
    assert checkout.target is not None
    return CheckedOut(
        folder=environment.file(CHECKOUT),
        version=checkout.version,
        before=before,
        commit=checkout.target.commit,
        ref=ref,
        tag=checkout.target.ref,
    )


def restore(
    environment: Environment,
    say: Callable[[str], None],
    progress: Callable[[str], None],
    agree: Callable[[str, str, str], None] | None = None,
) -> None:
    """Clone an environment's repository again where it is missing, at the commit that it had.

    `agree(url, commit, folder)` raises where nobody agrees to its scripts; without it they have to be agreed to already.
    """
    missing = missing_clone(environment)
    if missing is None:
        return
    folder, url, target = missing.folder, missing.url, missing.target
    assert target is not None
    if agree is None and target.commit not in agreed_commits(environment.home, url):
        raise BadUsage(
            f"Nobody has agreed yet to run the scripts of {url} at {target.commit[:12]}.",
            'Type "rigger checkout".',
        )
    say(f"{folder} is missing; cloning {url} at {target.name}")
    git_clone.clone(url, folder, target, progress, agree=lambda new: agree and agree(url, target.commit, new))
    record(environment, missing, _as_it_runs(environment).get("REF", ""))


def missing_clone(environment: Environment) -> Checkout | None:
    """Return what has to be cloned again, at the commit that it had; None where nothing is missing.

    Raises NotReady where its repository cannot be reached, BadUsage where that does not have the commit any more.
    """
    values = _as_it_runs(environment)
    folder = environment.file(CHECKOUT)
    if not values.get("REPOSITORY") or values.get("CHECKOUT") or os.path.isdir(folder):
        return None
    url, last = git_urls.check_url(values["REPOSITORY"]), last_record(environment)
    ref, version = values.get("REF", ""), values.get("VERSION", "")
    target = git_remote.resolve(url, "" if ref else version, ref, cache=environment.cache_dir)
    if last and same_release(last.version, version) and last.commit != target.commit:
        # A branch has moved on since, or a tag was moved.
        target = git_remote.resolve(url, ref=last.commit, cache=environment.cache_dir)
    return Checkout(folder, version, url, target)


def _as_it_runs(environment: Environment) -> dict[str, str]:
    """Return the values with the version that runs, as long as nobody has allowed another one."""
    values, history = environment.vars(), state_of(environment).versions
    if history.running is None or history.allowed or history.begun:
        return values
    other = history.running.changes_to(Deployed.of(values))
    return {**values, **history.running.values()} if other else values


def check_checkout(environment: Environment, values: Mapping[str, str]) -> str:
    """Return what to say of the checkout beside the configured version, nothing where it is that very version.

    Raises NotReady where it is something else, and not because of somebody's own work in it.
    """
    if values.get("CHECKOUT"):
        if not os.path.isdir(values["CHECKOUT"]):
            raise NotReady(f"There is no folder {values['CHECKOUT']}.", ANOTHER_FOLDER)
        return standing(values["CHECKOUT"], describe(values["CHECKOUT"]))
    folder, last = environment.file("checkout"), last_record(environment)
    if not values.get("REPOSITORY") or last is None or not os.path.isdir(folder):
        return ""
    state = git_inspect.state(folder, last.commit)
    described = git_inspect.describe(folder)
    another = not (state.changed or state.branch) and re.search(
        "-0-g[0-9a-f]+$", described
    )  # a tag, nothing on top
    if state.local and not another:
        return f"{folder} is at {described}, with work of your own"
    version = values.get("VERSION", "")
    named = same_release(last.version, version) and (last.ref or "") == values.get("REF", "")
    if state.same and named:
        return ""
    wanted = values.get("REF") or version
    raise NotReady(
        f"{folder} is at {described}, but {wanted} is configured.",
        'Type "rigger checkout" to bring it there.',
    )

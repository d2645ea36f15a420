"""Bring the platform's repository to the version of an upgrade."""

from __future__ import annotations

from rigger.audit.events import CheckedOut
from rigger.environments.checkout import is_cloned
from rigger.errors import NotReady
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git import submodules
from rigger.git.inspect import require_clean
from rigger.operations.agreement import agree_to_repository
from rigger.sources import checkout as source_checkout
from rigger.sources.whole import require_none_moved, require_whole
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rigger.audit.upgrades import Request
    from rigger.environments.environment import Environment
    from rigger.operations.consent import Consent
    from rigger.operations.session import Session
    from rigger.runs.reporter import Reporter


@frozen
class Release:
    """A commit of the platform's repository, and the folder that has it."""

    folder: str
    commit: str


def agreement(
    environment: Environment, reporter: Reporter, consent: Consent
) -> Callable[[str, str, str], None]:
    """Return what asks for consent to the scripts of the platform's repository at a commit."""

    def agree(url: str, commit: str, folder: str) -> None:
        agree_to_repository(consent, reporter, environment.home, url, commit, folder)

    return agree


def release_to_check_out(work: Session, request: Request) -> Release | None:
    """Return the commit that the upgrade needs, None where versions are no tags of a repository.

    Raises NotReady, before anything is changed, where that commit is missing or local changes are in its way.
    """
    folder = source_checkout.find(work.environment, work.config.platform, work.config.values)
    if folder is None:
        return None
    require_none_moved(work.environment, work.config.values)
    release = _release(work, folder, request)
    if release is None or release.commit == git_inspect.commit(folder):
        require_whole(work.environment, work.config.values)
    else:
        git_clone.require_switchable(folder, release.commit)
    return release


def _release(work: Session, folder: str, request: Request) -> Release | None:
    if not request.back and is_cloned(work.environment, work.config.values):
        return Release(folder, _fetched(work, folder, request))
    before = work.state.checkouts.before_upgrade
    commit = before if request.back else git_inspect.tagged(folder, request.to)
    if not commit:
        if request.back or not git_inspect.tagged(folder, request.start):
            return None
        raise NotReady(
            f"{folder} has no tag for {request.to}.",
            f'Get it: "git -C {folder} fetch --tags", then try again.',
        )
    require_clean(folder)
    return Release(folder, commit)


def _fetched(work: Session, folder: str, request: Request) -> str:
    """Return the commit of a release, once it is in the checkout and its scripts were agreed to."""
    begun = git_inspect.tagged(folder, request.to) if request.since else ""
    if begun:  # going on needs no network, and no other commit than the one that it began with
        require_clean(folder)
        return begun
    url = work.config.values["REPOSITORY"]
    target = git_remote.resolve(url, version=request.to, cache=work.environment.cache_dir)
    git_clone.fetch(folder, url, target, work.reporter.progress)
    agreement(work.environment, work.reporter, work.consent)(url, target.commit, folder)
    submodules.fetch(folder, url, target.commit, work.reporter.progress)
    return target.commit


def check_out(work: Session, request: Request, release: Release) -> None:
    """Bring the platform's repository to the version, unless it is there; raises NotReady."""
    before = git_inspect.commit(release.folder)
    if before == release.commit:
        return
    work.record(CheckedOut(folder=release.folder, version=request.to, before=before, commit=release.commit))
    git_clone.switch(release.folder, release.commit)
    work.reporter.line(f"Checked out {request.to} ({release.commit[:12]}) in {release.folder}")

"""Refuse to run what nobody agreed to."""

from __future__ import annotations

import os

from rigger.environments import checkout
from rigger.environments.checkout import is_used
from rigger.environments.environment import CHECKOUT, Environment
from rigger.environments.state import state_of
from rigger.errors import BadUsage
from rigger.later import later
from rigger.text import ways
from rigger.trust import digests, ledger
from rigger.trust.digests import lies_in
from rigger.trust.ledger import agreed_commits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rigger.git import inspect as git_inspect
    from rigger.modules.model import Module
else:
    git_inspect = later("rigger.git.inspect")


def is_trusted(environment: Environment, module: Module) -> bool:
    """Return whether a module may run: one that came in a bundle only after a person agreed to it."""
    if not lies_in(module.folder, os.path.dirname(environment.path)):
        return True
    return digests.agreed_digest(module.folder) in ledger.agreed(environment)


def require_trusted(environment: Environment, modules: Iterable[Module]) -> None:
    """Raise BadUsage before scripts run that came from elsewhere, and that nobody has agreed to."""
    chosen = tuple(modules)
    cloned = [module for module in chosen if in_checkout(environment, module)]
    if cloned or uses_checkout(environment):
        _require_agreed_checkout(environment, chosen, cloned)
    for module in chosen:
        if module not in cloned and not is_trusted(environment, module):
            record = state_of(environment).modules.get(module.name)
            raise _not_those_agreed_to(module.name, record.repository if module.role == "addon" else "")


def _not_those_agreed_to(name: str, repository: str = "") -> BadUsage:
    if repository:
        return BadUsage(
            f"The scripts of {name} came from the repository {repository}, and are not the ones that somebody agreed to.",
            ways(("Bring them again", f"rigger module add {name}")),
        )
    return BadUsage(
        f"The scripts of {name} came in a bundle, and are not the ones that somebody agreed to.",
        'Load the bundle again: "rigger configure --file BUNDLE".',
    )


# Repositories


def in_checkout(environment: Environment, module: Module) -> bool:
    """Return whether a module lies in the clone that rigger made for an environment."""
    folder = environment.file(CHECKOUT)
    return os.path.abspath(module.folder) == os.path.abspath(folder) or lies_in(module.folder, folder)


def uses_checkout(environment: Environment) -> bool:
    """Return whether scripts are given that clone, also those that lie elsewhere: they may run what is in it."""
    vars, folder = environment.vars(), environment.file(CHECKOUT)
    return is_used(vars) and checkout.place(environment, vars) == folder and os.path.isdir(folder)


def repository_of(environment: Environment, platform: Module | None = None) -> str:
    """Return the URL of an environment's repository: the configured one, else its platform's, else nothing.

    A folder that somebody worked in, and that came along in a bundle, has none.
    """
    vars = environment.vars()
    usual = platform.repository if platform and not vars.get("CHECKOUT") else ""
    return vars.get("REPOSITORY") or usual


def _require_agreed_checkout(
    environment: Environment, chosen: Sequence[Module], cloned: list[Module]
) -> None:
    """Raise BadUsage where the checkout is at a commit of others that nobody has agreed to.

    What came in a bundle may have been agreed to by its files instead.
    """
    url = repository_of(environment, next((m for m in chosen if m.role == "platform"), None))
    new = unknown_commits(environment, url)
    if not new or (cloned and all(is_trusted(environment, module) for module in cloned)):
        return
    raise _changed(environment, url, new[0])


def _changed(environment: Environment, url: str, commit: str) -> BadUsage:
    agreed = list(agreed_commits(environment.home, url))
    since = f" since {agreed[-1][:12]}, which was agreed to" if agreed else ""
    return BadUsage(
        f"The scripts of {url or environment.file(CHECKOUT)} changed{since}: they are at {commit[:12]}.",
        'Type "rigger checkout" to look at what changed, and to agree.',
    )


def require_agreed_folder(environment: Environment, folder: str) -> None:
    """Raise BadUsage before a program runs in a module's folder, if it is the environment's and nobody agreed to it."""
    if not lies_in(folder, environment.path) or digests.agreed_digest(folder) in ledger.agreed(environment):
        return
    if not lies_in(os.path.join(folder, "x"), environment.file(CHECKOUT)):
        raise _not_those_agreed_to(os.path.basename(folder))
    url = repository_of(environment)
    if new := unknown_commits(environment, url):
        raise _changed(environment, url, new[0])


def unknown_commits(environment: Environment, url: str) -> list[str]:
    """Return the commits of others that an environment's checkout stands on and nobody has agreed to.

    Somebody's own work on top needs no agreement: changed files, and commits that no remote has.
    """
    agreed = agreed_commits(environment.home, url)
    return [commit for commit in git_inspect.local_base(environment.file(CHECKOUT)) if commit not in agreed]

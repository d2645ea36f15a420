"""Trust: scripts that came from elsewhere run only after a person has agreed to their very files.

Those of a bundle are agreed to by their digests, those of a git repository by its URL and commit.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator

from rigger import envfile, origin
from rigger.config import Config
from rigger.environment import Environment
from rigger.errors import BadUsage, Interrupted, InvalidConfig
from rigger.modules import Module

TRUSTED = "trusted"  # in an environment: the modules that a person has agreed to, one SHA-256 a line
REPOSITORIES = "repositories.json"  # in RIGGER_HOME: URL -> commit -> when a person agreed to it
CHECKOUT = "checkout"  # in an environment: the clone of its platform's repository
NOT_SCRIPTS = frozenset({"__pycache__", ".git"})


def digest(folder: str) -> str:
    """Return a SHA-256 over all files of a module, their names and run bits, in hex."""
    total = hashlib.sha256()
    for path in _files(folder):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
        runs = "x" if os.access(path, os.X_OK) else "-"
        total.update(f"{content} {runs} ".encode() + os.fsencode(os.path.relpath(path, folder)) + b"\n")
    return total.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in NOT_SCRIPTS:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def is_trusted(environment: Environment, module: Module) -> bool:
    """Return whether a module may run: one that came in a bundle only after a person agreed to it."""
    if not lies_in(module.folder, os.path.dirname(environment.path)):
        return True
    return digest(module.folder) in agreed(environment)


def lies_in(path: str, folder: str) -> bool:
    """Return whether a path leads into a folder, as it is written or with its links followed."""
    written = os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)
    return written or os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def agreed(environment: Environment) -> set[str]:
    """Return the digests of the modules that a person has agreed to."""
    try:
        with open(environment.file(TRUSTED), errors="replace") as file:
            return set(file.read().split())
    except OSError:
        return set()


def agree(folder: str, digests: list[str]) -> None:
    """Record in an environment's folder the modules that a person has agreed to."""
    lines = "".join(f"{line}\n" for line in dict.fromkeys(digests))
    envfile.write_bytes(os.path.join(folder, TRUSTED), lines.encode())


def require_trusted(environment: Environment, config: Config) -> None:
    """Raise BadUsage before scripts run that came from elsewhere, and that nobody has agreed to."""
    chosen = (config.provider, config.platform)
    cloned = [module for module in chosen if in_checkout(environment, module)]
    if cloned or uses_checkout(environment):
        _require_agreed_checkout(environment, config, cloned)
    for module in chosen:
        if module not in cloned and not is_trusted(environment, module):
            raise _not_those_agreed_to(module.name)


def _not_those_agreed_to(name: str) -> BadUsage:
    return BadUsage(
        f"The scripts of {name} came in a bundle, and are not the ones that somebody agreed to.",
        "Load the bundle again: rigger configure --file BUNDLE",
    )


# Repositories


def in_checkout(environment: Environment, module: Module) -> bool:
    """Return whether a module lies in the clone that rigger made for an environment."""
    folder = environment.file(CHECKOUT)
    return os.path.abspath(module.folder) == os.path.abspath(folder) or lies_in(module.folder, folder)


def uses_checkout(environment: Environment) -> bool:
    """Return whether scripts are given that clone, also those that lie elsewhere: they may run what is in it."""
    vars, folder = environment.vars(), environment.file(CHECKOUT)
    return origin.is_used(vars) and origin.place(environment, vars) == folder and os.path.isdir(folder)


def repository_of(environment: Environment, platform: Module | None = None) -> str:
    """Return the URL of an environment's repository: the configured one, else its platform's, else nothing.

    A folder that somebody worked in, and that came along in a bundle, has none.
    """
    vars = environment.vars()
    usual = platform.repository if platform and not vars.get("CHECKOUT") else ""
    return vars.get("REPOSITORY") or usual


def _require_agreed_checkout(environment: Environment, config: Config, cloned: list[Module]) -> None:
    """Raise BadUsage where the checkout is at a commit of others that nobody has agreed to.

    What came in a bundle may have been agreed to by its files instead.
    """
    url = repository_of(environment, config.platform)
    new = unknown_commits(environment, url)
    if not new or (cloned and all(is_trusted(environment, module) for module in cloned)):
        return
    raise _changed(environment, url, new[0])


def _changed(environment: Environment, url: str, commit: str) -> BadUsage:
    known = list(agreed_commits(environment.home, url))
    since = f" since {known[-1][:12]}, which was agreed to" if known else ""
    return BadUsage(
        f"The scripts of {url or environment.file(CHECKOUT)} changed{since}: they are at {commit[:12]}.",
        'Type "rigger checkout" to look at what changed, and to agree.',
    )


def require_agreed_folder(environment: Environment, folder: str) -> None:
    """Raise BadUsage before a program runs in a module's folder, if it is the environment's and nobody agreed to it."""
    if not lies_in(folder, environment.path) or digest(folder) in agreed(environment):
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
    from rigger import checkout

    known = agreed_commits(environment.home, url)
    return [commit for commit in checkout.local_base(environment.file(CHECKOUT)) if commit not in known]


def agreed_commits(home: str, url: str) -> dict[str, str]:
    """Return the commits of a repository that a person has agreed to, and when, the last one last."""
    return _repositories(home).get(url, {})


def agree_repository(home: str, url: str, commit: str) -> None:
    """Record that a person agreed to run the scripts of a repository as they are at a commit."""
    known = _repositories(home)
    commits = {name: when for name, when in known.get(url, {}).items() if name != commit}
    known[url] = {**commits, commit: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    os.makedirs(home, mode=0o700, exist_ok=True)
    envfile.write_bytes(os.path.join(home, REPOSITORIES), json.dumps(known, indent=1).encode() + b"\n")


def require_repository(app, url: str, commit: str, folder: str, trust: bool = False) -> None:
    """Let a person agree to the scripts of a repository at a commit; once is enough.

    `folder` is a checkout that has the commit; what changed since the last one that was agreed to is shown from it.
    `trust` agrees beforehand. Raises Interrupted on a no, BadUsage where nobody can be asked.
    """
    known = agreed_commits(app.home.path, url)
    if commit in known:
        return
    _show_repository(app.printer, url, commit, folder, known)
    if not trust:
        _ask(url, commit)
    agree_repository(app.home.path, url, commit)


def _show_repository(printer, url: str, commit: str, folder: str, known: dict[str, str]) -> None:
    printer.warn(f"Scripts of {url} will run on this machine, as they are at commit {commit}.")
    if not known:
        return
    from rigger import checkout

    last = list(known)[-1]
    printer.line(f"  Since {last[:12]}, which was agreed to on {known[last][:10]}:")
    changes = checkout.changes(folder, last, commit) or ["No script changed."]
    printer.lines(*(f"    {line}" for line in changes))


def _ask(url: str, commit: str) -> None:
    from rigger import wizard

    if not wizard.has_terminal():
        raise BadUsage(
            f"Nobody can be asked whether the scripts of {url} at {commit[:12]} may run.",
            "Look at them, then add --trust to agree.",
        )
    if not wizard.Wizard().confirm("May they run on this machine, as you?", default=False):
        raise Interrupted("Nothing was changed.")


def _repositories(home: str) -> dict[str, dict[str, str]]:
    path = os.path.join(home, REPOSITORIES)
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        if all(isinstance(when, str) for commits in known.values() for when in commits.values()):
            return known
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, AttributeError, RecursionError):
        pass
    raise InvalidConfig(f"{path} is not what rigger wrote.", "Remove it; you will be asked to agree again.")

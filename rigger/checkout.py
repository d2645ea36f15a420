"""The platform's git repository: packed for a bundle, and made again from one (the one home of git)."""

from __future__ import annotations

import os
import re

from rigger import process
from rigger.config import Config
from rigger.environment import Environment
from rigger.errors import BadUsage, NotReady, Refused, StepFailed

CHECKOUT = "checkout"  # in an environment
TIMEOUT = 600.0  # seconds
LARGEST = 4 << 30  # bytes of a packed repository
HEAD = "refs/rigger/head"  # the commit that was checked out

# Nothing of a repository's own configuration may start a program.
_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "uploadpack.packObjectsHook=",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=true",
)


def find(environment: Environment, config: Config) -> str | None:
    """Return the folder of the platform's repository, None where there is none."""
    root = config.values.get(f"{config.platform.prefix}_ROOT", "")
    for folder in (root, environment.file(CHECKOUT), config.platform.folder):
        if folder and os.path.exists(os.path.join(folder, ".git")):
            return folder
    return None


def commit(folder: str | None) -> str:
    """Return the commit that is checked out, nothing where there is none."""
    if folder is None:
        return ""
    try:
        said = _git(folder, "rev-parse", "--verify", "HEAD")
    except RuntimeError:
        return ""
    return said.decode("ascii", "replace").strip()


def tagged(folder: str, version: str) -> str:
    """Return the commit that a version's tag names, nothing where there is none; v1.2.3 and 1.2.3 are the same."""
    bare_version = version.removeprefix("v")
    for tag in (version, f"v{bare_version}", bare_version):
        try:
            said = _git(folder, "rev-parse", "--verify", "--end-of-options", f"refs/tags/{tag}^{{commit}}")
        except RuntimeError:
            continue
        return said.decode("ascii", "replace").strip()
    return ""


def require_clean(folder: str) -> None:
    """Raise NotReady where switching to another commit could touch what somebody changed."""
    try:
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no").decode("utf-8", "replace")
    except RuntimeError as problem:
        raise NotReady(f"{folder} cannot be looked at: {problem}.", "Put that right and try again.") from None
    names = [line[3:] for line in changed.splitlines()]
    if names:
        listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        raise NotReady(
            f"{folder} has local changes, which another version would overwrite: {listed}.",
            f'Keep them with "git -C {folder} stash" or a commit on a branch, then try again.',
        )


def switch(folder: str, wanted: str) -> None:
    """Check a commit out, detached: branches stay where they are; raises NotReady."""
    require_clean(folder)
    try:
        _git(folder, "checkout", "-q", "--detach", "--no-recurse-submodules", wanted, "--")
    except RuntimeError as problem:
        raise NotReady(
            f"{folder} cannot be brought to {wanted[:12]}: {problem}.", "Put that right and try again."
        ) from None


def pack(folder: str) -> bytes:
    """Return a git bundle of all that the repository has; raises BadUsage."""
    try:
        return _git(folder, "bundle", "create", "-", "--all", "HEAD")
    except RuntimeError as problem:
        raise BadUsage(f"git could not bundle {folder}: {problem}.") from None


def unpack(path: str, folder: str, wanted: str) -> None:
    """Make a repository from a git bundle and check a commit out; raises Refused. Nothing asks the network."""
    try:
        _git(None, "init", "-q", "--template=", folder, bare=True)
        refs = ("heads", "tags", "remotes")
        specs = [f"+refs/{kind}/*:refs/{kind}/*" for kind in refs] + [f"+HEAD:{HEAD}"]
        _git(folder, "fetch", "-q", "--update-head-ok", "--no-write-fetch-head", path, *specs, bare=True)
        known = re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", wanted)
        _git(folder, "checkout", "-q", "--detach", wanted if known else HEAD, bare=True)
    except RuntimeError as problem:
        raise Refused(
            f"The checkout in the bundle cannot be made: {problem}.", "Get it again from whoever made it."
        ) from None


def _git(folder: str | None, *words: str, bare: bool = False) -> bytes:
    """Run git and return what it printed; raises RuntimeError with its last line. `bare` ignores the user's settings."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ |= {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    if bare:
        environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    settings = [word for setting in _SAFE for word in ("-c", setting)]
    where = ["-C", folder] if folder else []
    try:
        said = process.capture(
            ["git", *where, *settings, *words], env=environ, timeout=TIMEOUT, limit=LARGEST
        )
    except StepFailed as problem:
        raise NotReady(
            f"git is needed for the platform's checkout: {problem.message}", "Install git and try again."
        ) from None
    if said.exit_code:
        lines = said.errors.decode("utf-8", "replace").strip().splitlines() or [f"it exited {said.exit_code}"]
        raise RuntimeError("".join(char for char in lines[-1] if char.isprintable()).rstrip("."))
    return said.output

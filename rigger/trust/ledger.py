"""Which modules and commits a person agreed to run."""

from __future__ import annotations

import json
import os
import time

from rigger.errors import InvalidConfig
from rigger.files import in_turn, write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment

TRUSTED = "trusted"  # in an environment: the modules that a person has agreed to, one SHA-256 a line
REPOSITORIES = "repositories.json"  # in RIGGER_HOME: URL -> commit -> when a person agreed to it


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
    write_bytes(os.path.join(folder, TRUSTED), lines.encode())


def agreed_commits(home: str, url: str) -> dict[str, str]:
    """Return the commits of a repository that a person has agreed to, and when, the last one last."""
    return _repositories(home).get(url, {})


def agree_repository(home: str, url: str, commit: str) -> None:
    """Record that a person agreed to run the scripts of a repository as they are at a commit."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    path = os.path.join(home, REPOSITORIES)
    with in_turn(f"{path}.lock"):
        repositories = _repositories(home)
        commits = {name: when for name, when in repositories.get(url, {}).items() if name != commit}
        repositories[url] = {**commits, commit: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        write_bytes(path, json.dumps(repositories, indent=1).encode() + b"\n")


def _repositories(home: str) -> dict[str, dict[str, str]]:
    path = os.path.join(home, REPOSITORIES)
    try:
        with open(path, encoding="utf-8") as file:
            agreements: dict[str, dict[str, str]] = json.load(file)
        if all(isinstance(when, str) for commits in agreements.values() for when in commits.values()):
            return agreements
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, AttributeError, RecursionError):
        pass
    raise InvalidConfig(f"{path} is not what rigger wrote.", "Remove it; you will be asked to agree again.")

"""What follows from a change of repository, version, ref or folder."""

from __future__ import annotations

import os

from rigger.environments.checkout import is_used
from rigger.errors import BadUsage
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote
from rigger.git.place import around
from rigger.git.urls import check_url
from rigger.modules.search import in_checkout
from rigger.sources import checkout as source_checkout
from rigger.sources.spec import SAYS, same_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment


def is_its_own(environment: Environment, saved: Mapping[str, str], place: str) -> bool:
    """Return whether a repository or a folder can be where an environment's platform comes from.

    It is the configured one, a clone of it, or a folder with the same platform; where the configured folder is no more,
    any can be what it has become.
    """
    own = saved.get("REPOSITORY") or saved.get("CHECKOUT", "")
    if own.startswith("/") and not os.path.isdir(own):
        return True
    folder, name = place.removeprefix("file://"), os.path.basename(saved.get("PLATFORM", ""))
    if os.path.isdir(folder) and any(
        found.name == name for found in in_checkout("platform", environment.home, folder)
    ):
        return True
    return any(same_repository(one, other) for one in _places(own) for other in _places(place))


def _places(place: str) -> list[str]:
    """Return a repository or a folder, and where it was cloned from."""
    folder = place.removeprefix("file://")
    if not os.path.isdir(folder):
        return [place] if place else []
    top = around(folder)
    return [os.path.realpath(folder), *([url] if top and (url := git_inspect.origin(top)) else [])]


def other_place(environment: Environment, saved: Mapping[str, str], place: str) -> BadUsage:
    """Return the error for another place than the one that the platform of an unnamed environment comes from."""
    own = saved.get("REPOSITORY") or saved.get("CHECKOUT", "")
    current = (
        f"its platform from {own}" if own else f"the platform {saved.get('PLATFORM', 'of another place')}"
    )
    change = f", or add --name {environment.name} to change this one" if own else ""
    return BadUsage(
        f"{environment.name}, which this would change, has {current}, not from {place}.",
        f'Make another with "rigger configure --name NAME"{change}.',
    )


def derive_changes(
    saved: Mapping[str, str], given: Mapping[str, str], cache: str = ""
) -> tuple[dict[str, str], list[str]]:
    """Return changes of single values with what follows for the others that say what is checked out, and which go.

    A release, branch, tag or commit has to be one that the repository has; raises BadUsage, Refused or NotReady.
    `cache` is the folder for copies of histories.
    """
    named = [name for name in SAYS if given.get(name)]
    after = {**saved, **given}
    if not is_used(after) or not (named or given.get("REPOSITORY")):
        return {**given}, []
    if len(named) > 1 and given.get("VERSION") != saved.get("VERSION"):
        raise BadUsage(f"{' and '.join(named)} exclude each other.", "Give one of them.")
    changes, source = {**given}, named[0] if named else ""
    if source == "CHECKOUT":
        folder = os.path.abspath(os.path.expanduser(given["CHECKOUT"]))
        if not os.path.isdir(folder):
            raise BadUsage(f"There is no folder {folder}.", "Give the folder of a platform's repository.")
        return {**changes, "VERSION": source_checkout.describe(folder)}, [
            n for n in ("REPOSITORY", "REF") if n in saved
        ]
    if not after.get("REPOSITORY"):
        raise BadUsage(
            "It is not known from which repository.", 'Type "rigger configure --name NAME --repository URL".'
        )
    url = changes["REPOSITORY"] = check_url(after["REPOSITORY"])
    if source == "VERSION":
        changes["VERSION"] = git_remote.resolve(url, version=given["VERSION"], cache=cache).name
    elif source or after.get("REF"):
        git_remote.resolve(url, ref=after["REF"], cache=cache)
    gone = {"VERSION": ("REF", "CHECKOUT"), "REF": ("CHECKOUT",)}.get(source, ())
    return changes, [name for name in gone if name in saved]

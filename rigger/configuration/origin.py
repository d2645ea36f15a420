"""Where a module comes from, and whether one of its name is the very one that a cluster was made with."""

from __future__ import annotations

import os

from rigger import __version__
from rigger.audit.cluster import RecordedModule
from rigger.environments.environment import CHECKOUT
from rigger.environments.state import state_of
from rigger.later import later
from rigger.modules import search
from rigger.trust import digests
from rigger.trust.digests import lies_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.modules import own_files
    from rigger.modules.model import Module
else:
    own_files = later("rigger.modules.own_files")

RIGGER, USER, PATH, REPOSITORY, FOLDER, BUNDLE = "rigger", "user", "path", "repository", "folder", "bundle"

WORDS = {
    RIGGER: "that ships with rigger",
    USER: "in ~/.rigger/{role}s",
    PATH: "in $RIGGER_{ROLE}_PATH",
    REPOSITORY: "of the platform's repository",
    FOLDER: "in a folder of its own",
    BUNDLE: "that came in a bundle",
}

REMEDIES = {
    RIGGER: "Take what hides rigger's own out of its way",
    USER: "Put it back into ~/.rigger/{role}s, and what hides it out of its way",
    PATH: "Set RIGGER_{ROLE}_PATH to the folder that holds it, as it was",
    REPOSITORY: 'Bring the repository to what it was: "rigger checkout"',
    FOLDER: "Put it back into its folder",
    BUNDLE: "Load the bundle again that it came in",
}


def origin_of(module: Module, environment: Environment) -> str:
    """Return where a module comes from; the copy of one that came in a bundle comes from where that one did."""
    if lies_in(module.folder, environment.file("scripts")):
        known = recorded_module(environment, module.role)
        return known.origin if known and known.origin else BUNDLE
    if module.checkout or lies_in(module.folder, environment.file(CHECKOUT)):
        return REPOSITORY
    if lies_in(module.folder, search.packaged(module.role)):
        return RIGGER
    if lies_in(module.folder, os.path.join(environment.home, f"{module.role}s")):
        return USER
    return (
        PATH
        if any(lies_in(module.folder, f) for f in search.search_path(module.role, environment.home))
        else FOLDER
    )


def as_recorded(module: Module, environment: Environment, values: Mapping[str, str]) -> dict[str, str]:
    """Return what a record keeps of a module that a cluster is made with."""
    origin = origin_of(module, environment)
    versions = {RIGGER: __version__, REPOSITORY: values.get("VERSION", "")}
    return {
        "origin": origin,
        "interface": str(module.interface),
        "version": versions.get(origin, ""),
        # A repository can be large, and is known by its commit.
        "sha256": "" if origin == REPOSITORY else digest_of(module),
    }


def digest_of(module: Module) -> str:
    """Return the digest of a module without what its scripts wrote beside them, which no bundle has there."""
    found = own_files.find(module.folder, ()) if module.contract.keeps_files_in_folder else None
    return digests.digest(module.folder, found.written if found and found.by_git else ())


def recorded_module(environment: Environment, role: str) -> RecordedModule | None:
    """Return what an existing cluster was made with, None where there is none or an older rigger did not say."""
    cluster = state_of(environment).cluster
    return cluster.made_with.get(role.upper()) if cluster else None


def is_same(known: RecordedModule | None, module: Module, environment: Environment) -> bool:
    """Return whether a module is the one that is known, or a newer version of it: of its origin, with its interface.

    What has the very same files is the same wherever it lies.
    """
    if known is None or not known.interface:
        return True
    if known.interface != str(module.interface):
        return False
    return (
        not known.origin
        or known.origin == origin_of(module, environment)
        or (known.sha256 != "" and known.sha256 == digest_of(module))
    )


def in_words(role: str, name: str, origin: str, interface: str) -> str:
    return f"the {role} {name} {_filled(WORDS.get(origin, 'of ' + origin), role)} (interface {interface})"


def remedy(role: str, origin: str) -> str:
    return _filled(REMEDIES.get(origin, REMEDIES[FOLDER]), role)


def _filled(text: str, role: str) -> str:
    return text.replace("{role}", role).replace("{ROLE}", role.upper())

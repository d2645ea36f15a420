"""Where modules lie: in the checkout, in the user's folders, in the package."""

from __future__ import annotations

import os
import re

from rigger.errors import BadUsage, Refused, RiggerError
from rigger.files import PACKAGE
from rigger.later import later
from rigger.modules import manifest
from rigger.modules.contract import INTERFACE, MANIFEST, NAME
from rigger.modules.verbs import REQUIRED, a_role, in_words
from rigger.text import did_you_mean
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.modules import interface1
    from rigger.modules.model import Module
else:
    interface1 = later("rigger.modules.interface1")

# Where modules are looked for


def packaged(role: str) -> str:
    """Return the folder of the modules that ship with rigger.

    Installed, the providers lie inside the package; an editable install leaves them beside it.
    """
    package = PACKAGE
    inside = os.path.join(package, f"{role}s")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), f"{role}s")


def search_path(role: str, home: str) -> Iterator[str]:
    """Yield the folders that may hold modules: $RIGGER_PROVIDER_PATH, the user's own, rigger's."""
    return (folder for _, folder in _places(role, home))


def _places(role: str, home: str) -> Iterator[tuple[str, str]]:
    """Yield where modules may lie, in words, and the folders that hold them."""
    variable = f"RIGGER_{role.upper()}_PATH"
    for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
        yield f"${variable}", os.path.abspath(folder)
    yield OWN_PLACE.format(role), os.path.join(home, f"{role}s")
    yield ITSELF, packaged(role)


OWN_PLACE = "~/.rigger/{}s"
ITSELF = "rigger itself"
IN_CHECKOUT = "checkout"
PLATFORM_PLACES = (".", "rigger", ".rigger", "contrib/rigger")  # of a repository, for its own platform
PROVIDER_PLACES = ("contrib", "providers")  # of a repository, for folders of its own providers
ADDON_PLACES = ("addons",)  # of a repository, for folders of its own add-ons


@frozen
class FoundModule:
    """A module that was found, where, and why it cannot be used if it cannot."""

    name: str
    folder: str
    place: str
    interface: int = INTERFACE
    problem: str = ""
    shadowed: bool = False  # another of that name was found before
    description: str = ""


def list_modules(role: str, home: str, checkout: str | None = None) -> list[FoundModule]:
    """Return every module of a role, also those that another one hides and those that cannot be used."""
    seen: set[str] = set()
    result = []
    for candidate in _candidates(role, home, checkout):
        result.append(replace(_examined(candidate, role, home), shadowed=candidate.name in seen))
        seen.add(candidate.name)
    return result + _mere_scripts(role, home, checkout)


def _mere_scripts(role: str, home: str, checkout: str | None) -> list[FoundModule]:
    """Return the folders that hold a role's scripts where rigger does not take them for a module, and why."""
    known = {f"{verb}{end}" for verb in ("destroy", "undeploy", *REQUIRED[role]) for end in ("", ".sh")}
    reason = (
        "its scripts have no rigger.yml beside them, and only those in contrib/ of a repository do without"
    )
    places = [(place, path) for place, folder in _places(role, home) for path in _subfolders(folder)]
    result = [FoundModule(os.path.basename(path), path, place, 0, reason) for place, path in places]
    if checkout and role == "provider":
        reason = "that is not a name: lower-case letters, digits, - and _, at most 63"
        contrib = _subfolders(os.path.join(checkout, "contrib"))
        odd = [path for path in contrib if not re.fullmatch(NAME, os.path.basename(path))]
        result += [FoundModule(os.path.basename(path), path, IN_CHECKOUT, 0, reason) for path in odd]
    return [at for at in result if _names(at.folder) & known and MANIFEST not in _names(at.folder)]


def _names(folder: str) -> set[str]:
    try:
        return {*os.listdir(folder)}
    except OSError:
        return set()


def _examined(candidate: FoundModule, role: str, home: str) -> FoundModule:
    """Return a module with its description, or with all that is wrong with it."""
    try:
        module = _of_role(_load(candidate, home), role)
    except RiggerError as problem:
        return replace(candidate, problem=problem.message)
    return replace(candidate, problem="; ".join(module.script_problems()), description=module.description)


def folders(role: str, home: str, checkout: str | None = None) -> dict[str, str]:
    """Return every module that can be found, name -> folder; the first place that has a name wins."""
    by_name: dict[str, str] = {}
    for candidate in _candidates(role, home, checkout):
        by_name.setdefault(candidate.name, candidate.folder)
    return by_name


def _candidates(role: str, home: str, checkout: str | None) -> Iterator[FoundModule]:
    """Return what looks like a module of a role, in the order in which modules are looked for."""
    if checkout:
        yield from in_checkout(role, home, checkout)
    for place, folder in _places(role, home):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if os.path.isfile(os.path.join(folder, name, MANIFEST)):
                yield FoundModule(name, os.path.join(folder, name), place)


def in_checkout(role: str, home: str, checkout: str) -> list[FoundModule]:
    """Return the modules of a role that lie in a platform's repository: its own platform, its providers."""
    if role == "platform":
        places = [os.path.normpath(os.path.join(checkout, place)) for place in PLATFORM_PLACES]
        platforms = (_in_checkout(folder, role, home) for folder in places if _lies_in(folder, checkout))
        return [platform for platform in platforms if platform][:1]
    modules = []
    for place in PROVIDER_PLACES if role == "provider" else ADDON_PLACES:
        for folder in _subfolders(os.path.join(checkout, place)):
            if _lies_in(folder, checkout) and (module := _in_checkout(folder, role, home)):
                modules.append(module)
    return modules + _without_manifest(role, checkout)


def _in_checkout(folder: str, role: str, home: str) -> FoundModule | None:
    """Return the module of that role whose manifest lies in a folder; one that cannot be read counts."""
    if not os.path.isfile(os.path.join(folder, MANIFEST)):
        return None
    name = os.path.basename(folder)
    try:
        said, named = manifest.role_and_name(folder, _manifest_cache(home))
        if said not in ("", role):
            return None
        name = named if role == "platform" and named else name
    except Refused:
        if role == "provider" and name == "rigger":
            return None  # the platform's own place
    return FoundModule(name, folder, IN_CHECKOUT)


def _without_manifest(role: str, checkout: str) -> list[FoundModule]:
    """Return the providers that are scripts alone."""
    if role != "provider":
        return []
    providers = interface1.find(checkout).items()
    return [FoundModule(name, folder, IN_CHECKOUT, interface=1) for name, folder in providers]


def _subfolders(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []


def _lies_in(folder: str, checkout: str) -> bool:
    root = os.path.realpath(checkout)
    return f"{os.path.realpath(folder)}{os.sep}".startswith(root + os.sep)


def _manifest_cache(home: str) -> str:
    return os.path.join(home, "cache", "manifests")


def _load(candidate: FoundModule, home: str, checkout: str | None = None) -> Module:
    """Return the module that was found; raises Refused where it cannot be used."""
    if candidate.interface == 1:
        module = interface1.load(candidate.folder)
    else:
        module = manifest.load(candidate.folder, _manifest_cache(home))
    return replace(module, checkout=checkout or "") if candidate.place == IN_CHECKOUT else module


def find(role: str, name: str, home: str, checkout: str | None = None) -> Module:
    """Return the module of that name, or at that path if it has a slash; raises BadUsage or Refused.

    Modules are looked for in the platform's `checkout`, under $RIGGER_PROVIDER_PATH, in the user's own folder, and in
    rigger itself.
    """
    if os.sep in name:
        folder = os.path.abspath(os.path.expanduser(name))
        if role == "provider" and not os.path.isfile(os.path.join(folder, MANIFEST)):
            if interface1.is_provider(folder):
                return interface1.load(folder)
        if not os.path.isfile(os.path.join(folder, MANIFEST)):
            if old := _scripts_alone(role, folder):
                return old
            raise BadUsage(
                f"There is no {in_words(role)} in {folder}: it has no {MANIFEST}.",
                "Give the folder of a module, or its name.",
            )
        return _of_role(manifest.load(folder, _manifest_cache(home)), role)
    for candidate in in_checkout(role, home, checkout) if checkout else ():
        if candidate.name == name:
            return _of_role(_load(candidate, home, checkout), role)
    for place in search_path(role, home):
        folder = os.path.join(place, name)
        if re.fullmatch(NAME, name) and os.path.isfile(os.path.join(folder, MANIFEST)):
            return _of_role(manifest.load(folder, _manifest_cache(home)), role)
    known = sorted(folders(role, home, checkout))
    raise BadUsage(
        f"There is no {in_words(role)} named {name!r}{did_you_mean(name, known)}.",
        f"Known: {', '.join(known)}. Others are found in $RIGGER_{role.upper()}_PATH and {home}/{role}s.",
    )


def all_named(role: str, name: str, home: str, checkout: str | None = None) -> list[str]:
    """Return the folders of all modules of that name, also of those that another one hides."""
    return [found.folder for found in _candidates(role, home, checkout) if found.name == name]


def at(role: str, folder: str, home: str, checkout: str | None = None) -> Module:
    """Return the module in a folder; raises BadUsage or Refused."""
    module = find(role, folder, home)
    return replace(module, checkout=checkout) if checkout and _lies_in(folder, checkout) else module


def _scripts_alone(role: str, folder: str) -> Module | None:
    """Return the provider of interface 1 in a folder that somebody named, None where it is none."""
    return interface1.load(folder) if role == "provider" and interface1.is_provider(folder) else None


def _of_role(module: Module, role: str) -> Module:
    if module.role != role:
        raise Refused(
            f"{os.path.join(module.folder, MANIFEST)}: {module.name} is {a_role(module.role)}, not {a_role(role)}."
        )
    return module

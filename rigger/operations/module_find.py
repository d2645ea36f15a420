"""Find the add-on that is meant: in the environment, on the search path, or in a repository, which it is brought from."""

from __future__ import annotations

import contextlib
import os

from rigger.audit.events import ModuleAdded
from rigger.configuration.origin import digest_of
from rigger.environments.state import state_of
from rigger.errors import BadUsage, Refused
from rigger.files import exchange, folder_aside, into_place, remove
from rigger.later import later
from rigger.modules import search
from rigger.operations.agreement import agree_to_module
from rigger.process.actor import actor
from rigger.text import did_you_mean, listed, ways
from rigger.trust import ledger
from rigger.trust.digests import agreed_digest, digest
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.session import Session
    from rigger.repositories import bring, store
    from rigger.repositories.bring import Offer
else:
    bring = later("rigger.repositories.bring")
    store = later("rigger.repositories.store")


@frozen
class FoundAddon:
    """An add-on, and the repository that it came from; nothing where it came from none."""

    module: Module
    repository: str = ""


def event_of(module: Module, name: str, proposed: Mapping[str, str], repository: str) -> ModuleAdded:
    """Return the record of the version that an environment has of a module, under a name, from now on."""
    return ModuleAdded(
        instance=name,
        module=module.module_name,
        version=module.version,
        sha256=digest_of(module),
        by=actor(),
        proposed=proposed,
        repository=repository,
    )


@contextlib.contextmanager
def found(work: Session, wanted: str, name: str, repository: str = "") -> Iterator[FoundAddon]:
    """Give the module that is meant by NAME, NAME@VERSION or a folder; one of a repository with its files in the environment.

    They are taken away again where what is done with it fails. `name` is what it will have in the environment. Raises
    BadUsage where there is none, Refused for one that is not as its repository says, Declined where nobody agreed to it.
    """
    environment = work.environment
    is_path = wanted.startswith(("/", ".", "~"))
    base, _, version = (wanted, "", "") if is_path else wanted.partition("@")
    own = name or base
    if there := _there(work, own, base, version, repository):
        yield there
    elif not repository and (local := _local(environment, base, version)):
        yield FoundAddon(local)
    else:
        one = offer(environment, base, version, repository)
        with brought(work, one, own) as module:
            yield FoundAddon(module, one.repository.name)


def _there(work: Session, own: str, base: str, version: str, repository: str) -> FoundAddon | None:
    """Return the module that the environment has from a repository under a name, None where it has none."""
    module, record = work.config.addon(own), work.state.modules.get(own)
    if module is None or not record.repository or module.module_name != base:
        return None
    if repository not in ("", record.repository):
        raise BadUsage(
            f"{own} is there already, from the repository {record.repository}.",
            ways(("Give this one another name", f"rigger module add {base} --from {repository} --as NAME")),
        )
    if version not in ("", module.version):
        raise BadUsage(
            f"{own} is there already, in version {module.version}.",
            ways(("Upgrade it", f"rigger upgrade {own} --to {version}")),
        )
    _tell_of_another(work, own)
    return FoundAddon(search.at("addon", module.folder, work.environment.home), record.repository)


def _tell_of_another(work: Session, own: str) -> None:
    """Warn where a repository has other files under a version than those that the environment has of it."""
    record = work.state.modules.get(own)
    for one in store.repositories(work.environment.home):
        for component in one.index.components if one.name == record.repository else ():
            for each in component.versions if component.name == record.module else ():
                if each.version == record.version and each.digest not in ("", f"sha256:{record.sha256}"):
                    work.reporter.warn(
                        f"{one.name} has other files of {record.module} {record.version} now ({each.digest}) than those "
                        f"that were added (sha256:{record.sha256}), which stay."
                    )


def _local(environment: Environment, base: str, version: str) -> Module | None:
    """Return the module of this machine that is meant, None where there is none of that name and version."""
    home, checkout = environment.home, environment.file("checkout")
    if os.sep in base:
        return search.find("addon", base, home, checkout)
    if not version:
        there = search.all_named("addon", base, home, checkout)
        return search.find("addon", base, home, checkout) if there else None
    return next((module for module in _every_local(environment, base) if module.version == version), None)


def _every_local(environment: Environment, base: str) -> Iterator[Module]:
    """Give all modules of a name that this machine has, also those that another one hides."""
    home, checkout = environment.home, environment.file("checkout")
    for folder in search.all_named("addon", base, home, checkout):
        yield search.at("addon", folder, home, checkout)


def offer(environment: Environment, base: str, version: str = "", repository: str = "") -> Offer:
    """Return the version of a module that one repository has; raises BadUsage for none, and for several repositories."""
    home = environment.home
    every = [store.repository(home, repository)] if repository else store.repositories(home)
    having = [
        (one, component) for one in every for component in one.index.components if component.name == base
    ]
    local = search.folders("addon", home, environment.file("checkout"))
    if not having and version and base in local and not repository:
        raise _no_version(environment, base, version, [])
    if not having:
        raise _unknown(environment, base, {*local, *(c.name for one in every for c in one.index.components)})
    chosen = [(one, c) for one, c in having if not version or any(v.version == version for v in c.versions)]
    if not chosen:
        raise _no_version(environment, base, version, [v.version for _, c in having for v in c.versions])
    if len(chosen) > 1:
        commands = [
            (f"{c.version(version).version}, from {one.name}", f"rigger module add {base} --from {one.name}")
            for one, c in chosen
        ]
        raise BadUsage(f"{listed([one.name for one, _ in chosen])} each have {base}.", ways(*commands))
    one, component = chosen[0]
    return bring.Offer(one, component, component.version(version))


def _unknown(environment: Environment, base: str, known: set[str]) -> BadUsage:
    if not store.names(environment.home):
        search.find(
            "addon", base, environment.home, environment.file("checkout")
        )  # which says where they are found
    return BadUsage(
        f"There is no add-on named {base!r}{did_you_mean(base, sorted(known))}.",
        ways(
            ("What can be had", "rigger module search"),
            ("Read the indexes again", "rigger repository update"),
        ),
    )


def _no_version(environment: Environment, base: str, version: str, known: list[str]) -> BadUsage:
    local = [module.version or "without a version" for module in _every_local(environment, base)]
    return BadUsage(
        f"There is no {base} of version {version}{did_you_mean(version, [*local, *known])}.",
        f"There is: {listed([*local, *known])}.",
    )


@contextlib.contextmanager
def brought(work: Session, one: Offer, own: str) -> Iterator[Module]:
    """Put a module's files into the environment, agreed to; where what is done with it fails, all is as it was."""
    environment = work.environment
    place = environment.file("scripts", "addon", own)
    with folder_aside(environment.path) as aside:
        into = os.path.join(aside, own)
        with bring.brought(one, into):
            url = one.version.git or one.repository.url
            said = f"{one.name} {one.version.version} ({one.place})"
            agree_to_module(work.consent, work.reporter, environment.home, url, said, digest(into))
            ledger.agree(environment.path, [*sorted(ledger.agreed(environment)), agreed_digest(into)])
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        before = os.path.isdir(place)
        into_place(into, place)
        try:
            yield search.at("addon", place, environment.home)
        except BaseException:
            if before:
                exchange(into, place)
            else:
                remove(place)
            raise


def restore(environment: Environment, own: str) -> None:
    """Bring the files of a module again that somebody changed in the environment, from the repository that they came from.

    Raises Refused where that has others under their version now.
    """
    record = state_of(environment).modules.get(own)
    place = environment.file("scripts", "addon", own)
    if not record.repository or (os.path.isdir(place) and digest(place) == record.sha256):
        return
    one = offer(environment, record.module, record.version, record.repository)
    with folder_aside(environment.path) as aside:
        into = os.path.join(aside, own)
        with bring.brought(one, into):
            if digest(into) != record.sha256:
                raise Refused(
                    f"{record.repository} has other files of {record.module} {record.version} now (sha256:{digest(into)}) "
                    f"than those that were added (sha256:{record.sha256}).",
                    ways(("Take it off, then add another version", f"rigger module remove {own}")),
                )
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        into_place(into, place)

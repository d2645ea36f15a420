"""Which modules there are, and which of them the values name."""

from __future__ import annotations

import contextlib
import os

from rigger.configuration.origin import is_same, recorded_module
from rigger.environments.checkout import is_used
from rigger.errors import InvalidConfig, Refused, RiggerError
from rigger.later import later
from rigger.modules import search
from rigger.modules.contract import MANIFEST
from rigger.modules.instance import instance
from rigger.modules.search import in_checkout
from rigger.sources.spec import same_repository
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.interface1 import record as interface1_record
    from rigger.modules.model import Module
    from rigger.sources import compat
    from rigger.sources.chooser import SourceChooser
    from rigger.sources.saved import SavedSource
else:
    compat = later("rigger.sources.compat")
    interface1_record = later("rigger.interface1.record")

DEFAULT_PLATFORM = "etcd"


class ModuleFinder:
    """The modules that can be found, those of the platform's repository among them; each manifest is read once.

    `source` is where a platform that lies in a git repository comes from; `records` is the environment that knows what
    providers of interface 1 asked.
    """

    def __init__(
        self,
        home: str,
        source: SavedSource | SourceChooser | None = None,
        records: Environment | None = None,
    ):
        self.home = home
        self.source = source
        self._records = records
        self._checkout: str | None = None
        self._loaded: dict[tuple[str, str, str | None], Module] = {}
        self._instances: dict[
            str, tuple[Module, Module]
        ] = {}  # name -> an add-on, and what it is under that name

    def folders(self, role: str) -> dict[str, str]:
        """Return the folders of all modules of a role, by name."""
        return search.folders(role, self.home, self._checkout)

    def module(self, role: str, name: str) -> Module:
        """Return a module by name or path, reading its manifest once."""
        return self.known(self._checkout, role, self._in_checkout_again(role, name))

    def _in_checkout_again(self, role: str, name: str) -> str:
        """Return the name of a module that came in a bundle, if the checkout that did not come along has it now."""
        if not self._checkout or os.sep not in name or self.source is None:
            return name
        scripts = self.source.environment.file("scripts", role)
        own = in_checkout(role, self.home, self._checkout) if os.path.dirname(name) == scripts else []
        return next((module.name for module in own if module.name == os.path.basename(name)), name)

    def known(self, checkout: str | None, role: str, name: str) -> Module:
        """Return a module as it is known with that checkout, or without one."""
        key = (role, name, checkout)
        if key not in self._loaded:
            module = self._as_made(search.find(role, name, self.home, checkout), checkout)
            self._loaded[key] = self._recorded(module)
        return self._loaded[key]

    def _as_made(self, module: Module, checkout: str | None) -> Module:
        """Return the module that the cluster was made with where it is still here, though another of its name hides it."""
        environment = self._records or (self.source.environment if self.source else None)
        known = recorded_module(environment, module.role) if environment and environment.exists() else None
        if not environment or not known or known.name != module.name or is_same(known, module, environment):
            return module
        copy = environment.file("scripts", module.role, module.name)
        others = (*search.all_named(module.role, module.name, self.home, checkout), copy)
        for folder in others:
            with contextlib.suppress(RiggerError):
                other = search.at(module.role, folder, self.home, checkout)
                if is_same(known, other, environment):
                    return other
        return module

    def _recorded(self, module: Module) -> Module:
        """Return a module; one of interface 1 with the questions that it asked when it was configured."""
        if not module.contract.has_own_questions or self._records is None:
            return module
        record = interface1_record.recorded(self._records, module)
        return replace(module, questions=record.questions, outputs=(*record.given,))

    def chosen(self, values: Mapping[str, str]) -> tuple[Module | None, Module | None]:
        """Return the provider and the platform that the values name, as far as they name them."""
        provider, platform = values.get("PROVIDER"), values.get("PLATFORM")
        self.find_checkout(values)
        return (
            self.module("provider", provider) if provider else None,
            self.module("platform", platform) if platform else None,
        )

    def modules(self, values: Mapping[str, str]) -> tuple[Module, Module]:
        """Return the provider and the platform that the values name; raises InvalidConfig where they name none."""
        provider, platform = self.chosen(values)
        if provider is None or platform is None:
            missing = "PLATFORM" if provider else "PROVIDER"
            raise InvalidConfig(f"{missing} has no value.", 'Type "rigger configure".')
        return provider, platform

    def addons(self, chosen: Mapping[str, str]) -> tuple[Module, ...]:
        """Return the add-ons of an environment, given as name -> module, under their names; raises BadUsage or Refused."""
        return tuple(self._instance(self.module("addon", module), name) for name, module in chosen.items())

    def _instance(self, module: Module, name: str) -> Module:
        known = self._instances.get(name)
        if known is None or known[0] is not module:
            known = self._instances[name] = (module, instance(module, name))
        return known[1]

    def in_repository(self, values: Mapping[str, str]) -> bool:
        """Return whether the platform comes from a repository."""
        return self.source is not None and (self.source.comes_first or is_used(values))

    @property
    def _repository_source(self) -> SavedSource | SourceChooser:
        """Where the platform comes from; asked for only where that is a repository."""
        assert self.source is not None
        return self.source

    def find_checkout(self, values: Mapping[str, str]) -> None:
        """Have the platform's checkout at hand, if there is one: modules are looked for in it first."""
        if self.in_repository(values):
            self._checkout = self._repository_source.folder(values)
            if self._checkout and values.get("PLATFORM"):
                platform = self.module("platform", values["PLATFORM"])
                compat.require_interface(platform, self._repository_source.version(values))

    def comes_from_repository(self, platform: Module) -> bool:
        """Return whether a platform names its repository, and is not the copy of one that came in a bundle."""
        came_along = os.path.dirname(platform.folder) == self._repository_source.environment.file(
            "scripts", "platform"
        )
        return bool(platform.repository) and not came_along

    def is_complete(self, values: Mapping[str, str]) -> bool:
        """Return whether it is known where the platform, and with it perhaps the provider, comes from."""
        if self.source is None or not (self.source.comes_first or values.get("PLATFORM")):
            return self.source is None
        if self.source.comes_first:
            return self.source.is_complete(values)
        platform = self.module("platform", values["PLATFORM"])
        return not self.comes_from_repository(platform) or self.source.is_complete(values)

    def version(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return VERSION as the platform's repository has it, nothing where it comes from none."""
        version = self.source.version(values) if self.source and self.in_repository(values) else ""
        return {"VERSION": version} if version else {}

    def platform_beforehand(self, values: Mapping[str, str]) -> Module | None:
        """Return the platform of a repository as it is known without a checkout, None where it is not."""
        name = self._repository_source.platform or self._platform_at(
            values.get("REPOSITORY") or self._repository_source.repository
        )
        with contextlib.suppress(RiggerError):
            return self.known(None, "platform", name) if name else None
        return None

    def _platform_at(self, url: str) -> str:
        """Return the platform whose manifest names a repository as its own, nothing where none does."""
        for name in search.folders("platform", self.home) if url else ():
            with contextlib.suppress(RiggerError):
                repository = self.known(None, "platform", name).repository
                if repository and same_repository(repository, url):
                    return name
        return ""

    def own_platform(self, values: Mapping[str, str]) -> str:
        """Return the platform that the checkout is about, nothing where somebody can be asked.

        Raises Refused where it has no manifest of one, and is not known as the repository of one.
        """
        own = in_checkout("platform", self.home, self._checkout) if self._checkout else []
        platform = own[0].name if own else self._platform_at(self._repository_source.url(values))
        if platform or self._repository_source.platform:
            return platform or DEFAULT_PLATFORM
        if self._repository_source.asks:
            return ""
        raise Refused(
            f"{values.get('CHECKOUT') or self._repository_source.url(values)} has no manifest of a platform: {MANIFEST} is "
            "not in its root, in rigger/, .rigger/ or contrib/rigger/.",
            'Say which one is meant with --platform NAME, or write one: "rigger platform new NAME".',
        )

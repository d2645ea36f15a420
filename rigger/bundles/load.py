"""A bundle on its way to an environment: which one it becomes, whose scripts run, who opens its secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property

from rigger.audit import events
from rigger.audit.secrets import secret_digest
from rigger.bundles import agreement, opened, seal, unpack
from rigger.bundles.rules import AGAIN, ROLES, is_sealed
from rigger.bundles.verify import head_here, require_newer
from rigger.configuration.addons import LIST, parse, written
from rigger.configuration.identity import id_of
from rigger.configuration.origin import digest_of, is_same
from rigger.configuration.questionnaire import Questionnaire
from rigger.environments import checkout
from rigger.environments.answers import outputs_of
from rigger.environments.checkout import is_used
from rigger.environments.environment import CHECKOUT, Environment, split_secrets
from rigger.environments.home import Home
from rigger.errors import BadUsage, Locked, Refused, RiggerError
from rigger.files import write_bytes
from rigger.git import inspect as git_inspect
from rigger.git.inspect import local_base
from rigger.modules import search
from rigger.modules.contract import MANIFEST
from rigger.modules.search import FoundModule, in_checkout
from rigger.questions.sources import Sources
from rigger.sha256 import digest_of_file, sha256
from rigger.sources.saved import SavedSource
from rigger.trust import digests as trust_digests
from rigger.trust import ledger
from rigger.trust.digests import lies_in
from rigger.trust.foreign import foreign_values, given_before, known_of
from rigger.trust.ledger import agree_repository, agreed_commits
from rigger.values import field, mutable, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.bundles.opened import OpenedBundle
    from rigger.environments.outputs import Outputs
    from rigger.modules.model import Module

# Called with the names of modules that are unknown here, hashes and names of files, and whatever else would be used, in rows.
Agree = Callable[[list[str], list[tuple[str, str]], list[tuple[str, str]]], None]


@mutable
class Loaded:
    """A verified bundle, the environment that it will be, and the secrets that its encrypted part held."""

    opened: OpenedBundle
    target: Environment
    secrets: Mapping[str, str] = field(repr=False)
    repository: bool = False  # whether the platform's checkout came along
    head: tuple[int, str] | None = (
        None  # of the audit log that is here, when the bundle was found to be newer
    )
    dropped: list[str] = field(default_factory=list)  # files that may not lie in a folder for Terraform

    @property
    def update(self) -> bool:
        """Whether an environment is here that gives way to the bundle's."""
        return self.head is not None

    def vars(self) -> dict[str, str]:
        """Return the vars as they will hold; modules that only the bundle has are named by where they lie for now."""
        values = {**self._plain_vars(), **self.secrets}
        for role in ROLES:
            values[role.upper()] = self.module(role)
        if addons := self.addons():
            values[LIST] = written({name: self.module(f"addon/{name}") for name in addons})
        root = f"{self.opened.fields['prefix']}_ROOT"
        if is_used(values):
            values[root] = checkout.place(self.target, values)
        elif self.repository and not os.path.exists(os.path.join(values.get(root, ""), ".git")):
            values[root] = self.target.file(CHECKOUT)
        return values

    def outputs(self) -> Outputs:
        """Return which of the values steps gave, and which answers they hide; of secrets that were left out, those here."""
        here = outputs_of(self.target).hidden if self.update else {}
        left_out = {*self.opened.fields["redacted"]} - {*self.secrets}
        values = {**self.opened.given_secrets(left_out), **self._plain_vars(), **self.secrets}
        bundled = self.opened.outputs().moved(self._moved).in_force(values)
        hidden = {name: one for name, one in here.items() if name in left_out}
        return replace(bundled, hidden={**hidden, **bundled.hidden})

    def hidden(self) -> list[dict[str, str]]:
        """Return all that stands under names of answers beside the vars: each will be some step's, or everybody's again."""
        outputs = self.outputs().hidden.items()
        return [{name: value} for name, one in outputs for value in one.values() if value is not None]

    def answers(self) -> dict[str, str]:
        """Return the vars as they will hold, with every answer as somebody gave it."""
        return self.outputs().answers(self.vars())

    def source(self) -> SavedSource | None:
        """Return the checkout that modules are looked for in, None where the platform comes from no repository."""
        values = self._plain_vars()
        if not is_used(values):
            return None
        folder = checkout.place(self.target, values)
        came_along = self.repository and folder == self.target.file(CHECKOUT)
        return SavedSource(self.target, values, self.opened.file(CHECKOUT) if came_along else folder)

    def _plain_vars(self) -> dict[str, str]:
        """Return the vars but for secrets; a folder of somebody's own counts only if this environment has it already.

        Else what came along stands in for it: the repository, or the platform's scripts alone.
        """
        values = {name: self._moved(value) for name, value in self.opened.raw_vars().items()}
        _, _, alone = self._stand_in
        if alone:
            values.pop("CHECKOUT")
        return values

    def _moved(self, value: str) -> str:
        """Return a value of the bundle with paths as they are here."""
        folder, replacement, _ = self._stand_in
        return opened.repoint(self.opened.here(value, self.target), folder, replacement)

    @cached_property
    def _stand_in(self) -> tuple[str, str, bool]:
        """Return somebody's folder that does not count here, what stands in for it, and whether scripts alone do."""
        folder = self.opened.here(self.opened.raw_vars().get("CHECKOUT", ""), self.target)
        if not folder or (self.update and self.target.vars().get("CHECKOUT") == folder):
            return "", "", False
        scripts = self.opened.scripts("platform")
        is_known = self.opened.fields["platform"] in search.folders("platform", self.target.home)
        alone = scripts is not None and not is_known and not self.repository
        return folder, scripts if scripts is not None and alone else self.target.file(CHECKOUT), alone

    def in_checkout(self, role: str, name: str) -> FoundModule | None:
        """Return the provider or platform of that name in the checkout, None where it has none."""
        source = self.source()
        folder = source.folder({}) if source else None
        modules = in_checkout(role, self.target.home, folder) if folder else []
        return next((module for module in modules if module.name == name), None)

    def module(self, part: str) -> str:
        """Return a part's module by name or folder: this machine's own, else the bundle's."""
        role, _, addon = part.partition("/")
        value = self.addons()[addon] if addon else self.opened.raw_vars()[role.upper()]
        came_along = lies_in(value, self.opened.fields["environment_dir"])
        name = self.opened.module_name(part) if came_along else value
        if (found := self.in_checkout(role, name)) and self._is_its_own(part, found.folder):
            return name
        known = search.folders(role, self.target.home) if os.sep not in name else {}
        if name in known and self._is_its_own(part, known[name]):
            return name
        environments = os.path.dirname(self.target.path)
        own = os.sep in name and not lies_in(name, environments)
        if own and os.path.isfile(os.path.join(name, MANIFEST)) and self._is_its_own(part, name):
            return name
        return self.opened.scripts(part) or value

    def addons(self) -> dict[str, str]:
        """Return the add-ons as the bundle's vars name them; raises Refused for others than it says it has."""
        named = parse(self.opened.raw_vars().get(LIST, ""))
        if named.keys() != self.opened.fields.get("addons", {}).keys():
            raise Refused(f"{self.opened.path} does not say the same of its add-ons as its vars.", AGAIN)
        return named

    def _is_its_own(self, part: str, folder: str) -> bool:
        """Return whether a module of this machine is the bundle's, or a newer version: of its origin, and interface."""
        scripts = self.opened.scripts(part)
        source = self.source()
        checkout = source.folder({}) if source else None
        with suppress(RiggerError):
            module = search.at(part.partition("/")[0], folder, self.target.home, checkout)
            return scripts is None or is_same(self.opened.packed(part, scripts), module, self.target)
        return True  # whoever reads it says what is wrong with it

    def strangers(self) -> list[str]:
        """Return the parts whose module is the bundle's own."""
        return [part for part in self.opened.parts if self.module(part) == self.opened.scripts(part)]

    def unlike(self, modules: list[Module]) -> list[str]:
        """Return the names of this machine's own modules that are not as those of the bundle."""
        strangers, found = self.strangers(), []
        for module in modules:
            part = f"addon/{module.name}" if module.role == "addon" else module.role
            folder = None if part in strangers else self.opened.scripts(part)
            if folder and digest_of(module) != trust_digests.digest(folder):
                found.append(module.name)
        return found

    def left_behind(self) -> list[str]:
        """Return the names of secrets that were left out of the bundle and are not on this machine either."""
        secrets = self.target.secrets() if self.update else {}
        known = {*secrets, *self.secrets, *self.opened.fields.get("derived", [])}
        return [name for name in self.opened.fields["redacted"] if name not in known]

    def lost(self) -> list[str]:
        """Return the files that were left out of the bundle, because they hold a secret, and are not here either."""
        return [name for name in self.opened.fields["left_out"] if not os.path.isfile(self.target.file(name))]

    def require_platform(self, provider: Module, platform: Module) -> None:
        """Raise Refused when the modules are not the ones that the bundle says it is about."""
        fields = self.opened.fields
        named = (provider.name, platform.name, platform.prefix)
        if named != (fields["provider"], fields["platform"], fields["prefix"]):
            raise Refused(
                f"{self.opened.path} says that it is about {fields['platform']} on {fields['provider']}, "
                f"but its vars name {platform.name} on {provider.name}.",
                AGAIN,
            )

    def put_in_place(self, vars: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Put the environment in its place, its answers hidden by what steps gave; paths into the unpacked bundle become paths into it."""
        repointed = {n: self._in_place(value) for n, value in vars.items()}
        if not self.update:
            self._put_in_place(repointed, secrets)
            return
        with self.target.locked("rigger configure"):
            if head_here(self.target) != self.head:
                raise Locked(f"{self.target.name} was changed meanwhile.", "Load the bundle again.")
            self._put_in_place(repointed, secrets)

    def _in_place(self, value: str) -> str:
        return opened.repoint(value, self.opened.folder, self.target.path)

    def _put_in_place(self, vars: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        answers, redacted = {**vars, **secrets}, self.opened.fields["redacted"]
        outputs = self.outputs().moved(self._in_place).answered(answers, answers)
        plain, hidden = split_secrets(outputs.over(answers), {*secrets, *self.secrets, *redacted})

        def record(aside: Environment) -> None:
            given = {name: plain[name] for name in outputs.steps if name in plain}  # recorded as digests, too
            self._record(aside, {**given, **hidden}, {*outputs.hidden})

        self.opened.put_in_place(self.target, plain, hidden, record, self.update, outputs)

    def _record(self, aside: Environment, secrets: Mapping[str, str], hidden: set[str]) -> None:
        """Note that it was loaded, and the digests that its secrets have here.

        Those that outputs hide, which differ from step to step, came along with the key: they have the same ones.
        """
        key = aside.key()
        aside.audit.append(
            events.Loaded(
                file=os.path.basename(self.opened.path),
                serial=self.opened.serial,
                signer=self.opened.manifest.signer,
                digests={
                    name: secret_digest(key, value) for name, value in secrets.items() if name not in hidden
                },
                missing=self.lost(),
            )
        )


@contextmanager
def loading(
    path: str,
    home: Home,
    name: str | None,
    *,
    key: str | None,
    allow_older: bool,
    open_sealed: Callable[[bytes], bytes],
    agree: Agree,
    beforehand: Sources | None = None,
) -> Iterator[Loaded]:
    """Verify and unpack a bundle; it becomes an environment when `put_in_place` is called, and is gone otherwise.

    `agree` is called with all that would run or be used here and that nobody has agreed to; it raises where nobody does.
    What is said `beforehand` takes the place of the bundle's values. Raises Refused for a bundle that is not acceptable,
    or older than what is here.
    """
    with unpack.unpacked(path, home, check_signature=seal.checker(key)) as opened_bundle:
        target = _target(opened_bundle, home, name)
        head = head_here(target) if target.exists() else None
        if head and not allow_older:
            require_newer(opened_bundle, target)
        secrets = _open(opened_bundle, open_sealed)
        loaded = Loaded(opened_bundle, target, secrets, opened_bundle.unpack_checkout(), head)
        _require_agreement(loaded, agree, beforehand or Sources())
        yield loaded


def _require_agreement(loaded: Loaded, agree: Agree, beforehand: Sources) -> None:
    """Let a person agree to all that would run or be used and that this machine has not seen; once is enough."""
    bundle, roles = loaded.opened, loaded.strangers()
    digests = {role: trust_digests.agreed_digest(str(bundle.scripts(role))) for role in roles}
    agreed = ledger.agreed(loaded.target)
    new = [role for role in roles if digests[role] not in agreed]
    programs = agreement.programs(bundle, loaded.target)
    commits = _new_commits(loaded)
    others = _others(loaded, beforehand)
    unseen = [row for digest, row in others.items() if digest not in agreed]
    if new or programs or commits or unseen:
        hashes = [pair for role in new for pair in bundle.script_hashes(role)]
        names = [bundle.module_name(part) for part in new] or ([bundle.fields["platform"]] if commits else [])
        agree(names, [*hashes, *programs, *(_scripts_of_checkout(loaded) if commits else [])], unseen)
    for commit in commits:
        agree_repository(loaded.target.home, _url(loaded), commit)
    if roles or others:
        ledger.agree(bundle.folder, [*digests.values(), *others])


def _others(loaded: Loaded, beforehand: Sources) -> dict[str, tuple[str, str]]:
    """Return what would be used beside scripts and programs, in rows, by the digests that stand for them.

    What Terraform would load from a folder that rigger lays out itself is dropped.
    """
    bundle, target, values = loaded.opened, loaded.target, loaded.vars()
    questionnaire = Questionnaire(target.home, loaded.source(), addons=values.get(LIST, ""))
    modules = (*questionnaire.modules(values), *questionnaire.addons())
    laid_out, files = agreement.terraform_files(bundle, modules)
    for name in laid_out:
        os.unlink(bundle.file(name))
    loaded.dropped += [name for name in laid_out if not agreement.is_known_file(name, modules)]
    rows = [(digest_of_file(bundle.file(name)), name) for name in files if not _is_here(loaded, name)]
    rows += [("on PATH", folder) for folder in agreement.path_folders(bundle, target)]
    rows += [("Terraform plugin", plugin) for plugin in agreement.plugins(bundle, modules)]
    known = known_of(modules, questionnaire.questions(values))
    looked_at = [bundle.folder, target.file(CHECKOUT), target.file("scripts")]
    own = given_before(Home(target.home))
    every = [values, *({**values, **hidden} for hidden in loaded.hidden())]
    foreign = (foreign_values(each, known, beforehand, own, looked_at, loaded.secrets) for each in every)
    found = {value.digest: value.row() for values in foreign for value in values}
    return {**{sha256(" ".join(row).encode()).hexdigest(): row for row in rows}, **found}


def _is_here(loaded: Loaded, name: str) -> bool:
    here, there = loaded.target.file(name), loaded.opened.file(name)
    return os.path.isfile(here) and digest_of_file(here) == digest_of_file(there)


def _url(loaded: Loaded) -> str:
    return loaded.opened.raw_vars().get("REPOSITORY", "")


def _new_commits(loaded: Loaded) -> list[str]:
    """Return the commit of a repository that came along, and whose it stands on, if nobody has agreed to it yet.

    Whoever made a bundle can say of any commit that it is the user's own work, so the last one has to be agreed to.
    """
    source = loaded.source()
    folder = source.folder({}) if source and loaded.repository else None
    if folder is None:
        return []
    commit = git_inspect.commit(folder)
    agreed = agreed_commits(loaded.target.home, _url(loaded))
    return [] if commit in agreed else [*local_base(folder), commit]


def _scripts_of_checkout(loaded: Loaded) -> list[tuple[str, str]]:
    """Return the SHA-256 and name of every file of the modules in a repository that came along, and its commit."""
    top = loaded.opened.file(CHECKOUT)
    rows = [(git_inspect.commit(top), f"{CHECKOUT}: the commit of {_url(loaded) or 'a folder'}")]
    for part in loaded.opened.parts:
        module = loaded.in_checkout(part.partition("/")[0], loaded.opened.module_name(part))
        paths = git_inspect.tracked(top, module.folder) if module else []
        rows += [(digest_of_file(path), os.path.relpath(path, loaded.opened.folder)) for path in paths]
    return rows


def _target(bundle: OpenedBundle, home: Home, name: str | None) -> Environment:
    """Return the environment that a bundle belongs to: the one of the same ID, or a new one."""
    for other in home.names():
        environment = home.at(other)
        if id_of(environment, f"{bundle.fields['prefix']}_ID") == bundle.id:
            if name and name != other:
                raise BadUsage(
                    f"{bundle.path} is the environment {other}, which is here already; it cannot be {name} too.",
                    f'Leave --name out, or type "rigger forget {other}" first.',
                )
            return environment
    target = home.at(name or bundle.name)
    if target.exists():
        raise BadUsage(
            f"{target.name} is another cluster than the one in {bundle.path}.",
            "Give this one a name with --name NAME.",
        )
    return target


def _open(bundle: OpenedBundle, open_sealed: Callable[[bytes], bytes]) -> dict[str, str]:
    """Put the files of the encrypted part in their places and return its secrets; raises Refused."""
    data = bundle.encrypted
    if data is None:
        return {}
    try:
        sealed = json.loads(open_sealed(data))
    except (ValueError, RecursionError):
        sealed = None
    if not is_sealed(sealed):
        raise Refused(f"The encrypted part of {bundle.path} is not what rigger writes.", AGAIN)
    bundle.add(sealed["files"])
    write_bytes(bundle.file("key"), bytes.fromhex(sealed["key"]))
    secrets: dict[str, str] = sealed["secrets"]
    return secrets

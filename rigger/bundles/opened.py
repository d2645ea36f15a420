"""A bundle unpacked aside: what it may say and hold, and how it stands up as an environment, in one moment."""

from __future__ import annotations

import base64
import contextlib
import filecmp
import os
import re

from rigger import files as filess
from rigger.audit.cluster import RecordedModule
from rigger.audit.log import AuditLog
from rigger.bundles import contents
from rigger.bundles.contents import SECRETS
from rigger.bundles.names import name_problem
from rigger.bundles.rules import AGAIN, ROLES, member_problem
from rigger.envfile import file as envfile
from rigger.envfile.names import MANAGED
from rigger.environments import inventory
from rigger.environments.environment import ATTESTATIONS, CHECKOUT, Environment
from rigger.environments.store import SECRET_OUTPUTS, FolderStore
from rigger.errors import BadUsage, Refused
from rigger.files import link_tree
from rigger.git import archive as git_archive
from rigger.modules import contract
from rigger.modules.contract import INTERFACE, MANIFEST
from rigger.modules.interface1 import is_provider
from rigger.sha256 import digest_of_file
from rigger.trust.digests import digest
from rigger.trust.ledger import TRUSTED
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from rigger.bundles.format import Manifest
    from rigger.environments.inventory import Node
    from rigger.environments.outputs import Outputs

# What stays on a machine when its environment is replaced by a newer one of the same cluster.
STAYS = ("lock", "key", "bin", "saved", CHECKOUT, TRUSTED)


class OpenedBundle:
    """A bundle that was verified and lies unpacked beside the environments, where nothing sees it yet."""

    def __init__(self, path: str, folder: str, manifest: Manifest):
        self.path = path
        self.folder = folder
        self.manifest = manifest
        self.fields = manifest.fields

    def file(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    @property
    def name(self) -> str:
        name: str = self.fields["name"]
        return name

    @property
    def id(self) -> str:
        id: str = self.fields["id"]
        return id

    @property
    def serial(self) -> int:
        serial: int = self.fields["serial"]
        return serial

    @property
    def encrypted(self) -> bytes | None:
        """The encrypted secrets, None where the bundle has none."""
        return _read(self.file(SECRETS)) if os.path.isfile(self.file(SECRETS)) else None

    def log(self) -> AuditLog:
        return AuditLog(self.file("audit.jsonl"))

    def raw_vars(self) -> dict[str, str]:
        """Return the vars as they were where the bundle was made."""
        values = envfile.read(self.file("vars"))
        return {name: value for name, value in values.items() if name not in MANAGED}

    def vars(self, target: Environment) -> dict[str, str]:
        """Return the vars as they hold in the target: what lay in the old environment's folder lies in the new one."""
        return {name: self.here(value, target) for name, value in self.raw_vars().items()}

    def outputs(self) -> Outputs:
        """Return which of its values steps gave, and the answers that they hide, as they were where it was made.

        What an environment is about stands in its vars alone.
        """
        prefix = self.fields["prefix"]
        names = {*contract.CORE, *(f"{prefix}_{name}" for name in ("ID", "VERSION", "ROOT"))}
        return FolderStore(self.folder).outputs().without(names)

    def given_secrets(self, left_out: Iterable[str]) -> dict[str, str]:
        """Return the secrets left out that may be outputs, without their values; none where one may hide an answer."""
        return {} if SECRET_OUTPUTS in self.fields["left_out"] else dict.fromkeys(left_out, "")

    def here(self, value: str, target: Environment) -> str:
        return repoint(value, self.fields["environment_dir"], target.path)

    @property
    def parts(self) -> tuple[str, ...]:
        """What it is made of: provider, platform, and addon/NAME for each add-on."""
        return (*ROLES, *(f"addon/{name}" for name in self.fields.get("addons", {})))

    def module_name(self, part: str) -> str:
        """Return the name of a part's module, as its manifest says it."""
        _, _, addon = part.partition("/")
        name: str = self.fields["addons"][addon] if addon else self.fields[part]
        return name

    def scripts(self, part: str) -> str | None:
        """Return the folder of one of the bundle's own modules, None where it has none."""
        role, _, addon = part.partition("/")
        folder = self.file("scripts", role, addon or self.fields[role])
        whole = os.path.isfile(os.path.join(folder, MANIFEST))
        return folder if whole or (role == "provider" and is_provider(folder)) else None

    def packed(self, part: str, scripts: str) -> RecordedModule:
        """Return what is known of a module that came along; an older bundle says no more than its scripts show."""
        told = self.fields.get("scripts")
        about = told.get(part) if isinstance(told, dict) else None
        about = about if isinstance(about, dict) else {}
        interface = INTERFACE if os.path.isfile(os.path.join(scripts, MANIFEST)) else 1
        origin, version = str(about.get("origin", "")), str(about.get("version", ""))
        return RecordedModule(self.module_name(part), origin, str(interface), version, digest(scripts))

    def script_hashes(self, part: str) -> list[tuple[str, str]]:
        """Return the SHA-256 and name of every file of a module of the bundle."""
        top = self.file("scripts")
        names = sorted(os.path.relpath(path, top) for path in _files(os.path.join(top, part)))
        return [(digest_of_file(os.path.join(top, name)), name) for name in names]

    def add(self, files: Mapping[str, Mapping[str, Any]]) -> None:
        """Put the files of the encrypted part in their places; raises Refused for one that does not belong there."""
        for name, file in files.items():
            if name_problem(name) or member_problem(name, self.fields):
                raise Refused(
                    f"The encrypted part of {self.path} has a file {name!r} that does not belong there.",
                    AGAIN,
                )
            try:
                os.makedirs(os.path.dirname(self.file(name)), mode=0o700, exist_ok=True)
                with open(self.file(name), "xb") as written:
                    written.write(base64.b64decode(file["data"]))
                os.chmod(self.file(name), 0o700 if file["mode"] == 0o700 else 0o600)
                if isinstance(mtime := file.get("mtime"), int):
                    os.utime(self.file(name), (mtime, mtime))
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise Refused(
                    f"The encrypted part of {self.path} has {name!r} in the way of another file.", AGAIN
                ) from None

    def unpack_checkout(self) -> bool:
        """Make the platform's repository from the bundle's git bundle; return whether it has one."""
        if not os.path.isfile(self.file(contents.CHECKOUT)):
            return False
        git_archive.unpack(self.file(contents.CHECKOUT), self.file(CHECKOUT), self.fields["commit"])
        return True

    def put_in_place(
        self,
        target: Environment,
        vars: Mapping[str, str],
        secrets: Mapping[str, str],
        record: Callable[[Environment], None],
        update: bool,
        outputs: Outputs | None = None,
    ) -> None:
        """Make the unpacked folder the target's: vars, secrets and paths as they hold here, then one rename.

        `record` writes what is to be remembered of it to the audit log. An environment that is there already gives
        way in the same moment; its secrets are the caller's to keep. `outputs` are those among the vars and secrets.
        """
        # Where one is here already, the caller holds its lock, which is linked in; else nobody sees this one yet.
        aside = Environment(target.name, self.folder, target.home, lock=target.lock if update else None)
        with contextlib.nullcontext() if update else aside.locked("rigger configure"):
            if update:
                self._take_along(target)
            nodes = [self._node_here(node, target) for node in inventory.read(aside.inventory_file)]
            inventory.write(aside.inventory_file, nodes)
            for name in (SECRETS, contents.CHECKOUT):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(aside.file(name))
            folders = [os.path.normpath(target.file(part)) for part in self.fields["path_folders"]]
            aside.save(vars, secrets, folders or [target.bin_dir], path_of=target, outputs=outputs)
            record(aside)
            _put(aside.path, target, update)

    def _node_here(self, node: Node, target: Environment) -> Node:
        ssh = {k: self.here(v, target) if isinstance(v, str) else v for k, v in node.ssh.items()}
        return replace(node, ssh=ssh)

    def _take_along(self, target: Environment) -> None:
        """Link in what never travels, and state that was left out of the bundle because it holds a secret."""
        statements = [f"{ATTESTATIONS}/{name}" for name in _listed(target.file(ATTESTATIONS))]
        for name in (*STAYS, *statements, *self._backups_of(target), *self.fields["left_out"]):
            if os.path.lexists(target.file(name)) and not os.path.lexists(self.file(name)):
                os.makedirs(os.path.dirname(self.file(name)), mode=0o700, exist_ok=True)
                link_tree(target.file(name), self.file(name))

    def _backups_of(self, target: Environment) -> list[str]:
        """Return the backups that are here; raises Refused where the bundle has another one of the same name."""
        found = target.backups.names()
        for name in found:
            here, there = target.file(name), self.file(name)
            if os.path.lexists(there) and not filecmp.cmp(here, there, shallow=False):
                raise Refused(
                    f"{self.path} has another backup {name} than {here}.",
                    "Move that file away, and load it again.",
                )
        return found


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _listed(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _put(new: str, target: Environment, update: bool) -> None:
    """Put a folder in the target's place; that of an update takes the new one's, in the same moment."""
    try:
        if update:
            filess.exchange(new, target.path)
        else:
            os.rename(new, target.path)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as problem:
        import errno

        if problem.errno == errno.ENOTEMPTY:
            raise _taken(target) from None
        raise
    filess.sync_folder(os.path.dirname(target.path))


def _taken(target: Environment) -> BadUsage:
    return BadUsage(
        f"{target.path} is there already.", "Give this environment another name with --name NAME."
    )


def repoint(value: str, old: str, new: str) -> str:
    """Return a value with a folder replaced wherever its path stands whole: at the end, or before / : or a blank."""
    if not old or old == new:
        return value
    return re.sub(rf"(?<![\w./-]){re.escape(old)}(?=$|[/:,;\s\"'])", lambda _: new, value)

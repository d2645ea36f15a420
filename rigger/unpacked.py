"""A bundle unpacked aside: what it may say and hold, and how it stands up as an environment, in one moment."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rigger import bundle, checkout, envfile, inventory, modules
from rigger.audit import AuditLog
from rigger.bundle import Manifest
from rigger.environment import COMPUTED, Environment
from rigger.errors import BadUsage, InvalidConfig, Refused
from rigger.home import NAME, Home, remove_tree
from rigger.inventory import Node
from rigger.saved import CHECKOUT, SECRETS, TREES
from rigger.ssh import KNOWN_HOSTS
from rigger.trust import NOT_SCRIPTS, TRUSTED

ZSTD = b"\x28\xb5\x2f\xfd"
ASIDE = r"\.load-[0-9a-f]{16}"
STALE = 600.0  # seconds after which what a killed run left aside may be removed
ROLES = ("provider", "platform")
# What stays on a machine when its environment is replaced by a newer one of the same cluster.
STAYS = ("lock", "key", "bin", "backups", "saved", checkout.CHECKOUT, TRUSTED)
AGAIN = "Get it again from whoever made it."


def is_bundle(path: str) -> bool:
    """Return whether a file looks like a bundle, or is called one: a damaged one is no vars file."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == ZSTD or path.endswith(".rigger")
    except OSError:
        return False


class Unpacked:
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
        return self.fields["name"]

    @property
    def id(self) -> str:
        return self.fields["id"]

    @property
    def serial(self) -> int:
        return self.fields["serial"]

    @property
    def encrypted(self) -> bytes | None:
        """The encrypted secrets, None where the bundle has none."""
        return _read(self.file(SECRETS)) if os.path.isfile(self.file(SECRETS)) else None

    def log(self) -> AuditLog:
        return AuditLog(self.file("audit.jsonl"))

    def raw_vars(self) -> dict[str, str]:
        """Return the vars as they were where the bundle was made."""
        values = envfile.read(self.file("vars"))
        return {name: value for name, value in values.items() if name not in COMPUTED}

    def vars(self, target: Environment) -> dict[str, str]:
        """Return the vars as they hold in the target: what lay in the old environment's folder lies in the new one."""
        return {name: self.here(value, target) for name, value in self.raw_vars().items()}

    def here(self, value: str, target: Environment) -> str:
        return repoint(value, self.fields["environment_dir"], target.path)

    def scripts(self, role: str) -> str | None:
        """Return the folder of the bundle's own provider or platform, None where it has none."""
        from rigger import interface1

        folder = self.file("scripts", role, self.fields[role])
        whole = os.path.isfile(os.path.join(folder, modules.MANIFEST))
        return folder if whole or (role == "provider" and interface1.is_provider(folder)) else None

    def script_hashes(self, role: str) -> list[tuple[str, str]]:
        """Return the SHA-256 and name of every file of a module of the bundle."""
        top = self.file("scripts")
        names = sorted(os.path.relpath(path, top) for path in _files(os.path.join(top, role)))
        return [(modules.script_digest(os.path.join(top, name)), name) for name in names]

    def programs(self, target: Environment) -> list[tuple[str, str]]:
        """Return the SHA-256 and name of programs among the modules' state, without those that the target has."""
        found = []
        for path in sorted(_files(self.file("modules"))):
            name = os.path.relpath(path, self.folder)
            if os.access(path, os.X_OK) and not _same(path, target.file(name)):
                found.append((modules.script_digest(path), name))
        return found

    def add(self, files: Mapping[str, Mapping]) -> None:
        """Put the files of the encrypted part in their places; raises Refused for one that does not belong there."""
        for name, file in files.items():
            if bundle.name_problem(name) or _member_problem(name, self.fields):
                raise Refused(
                    f"The encrypted part of {self.path} has a file {name!r} that does not belong there.",
                    AGAIN,
                )
            try:
                os.makedirs(os.path.dirname(self.file(name)), mode=0o700, exist_ok=True)
                with open(self.file(name), "xb") as written:
                    written.write(base64.b64decode(file["data"]))
                os.chmod(self.file(name), 0o700 if file["mode"] == 0o700 else 0o600)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise Refused(
                    f"The encrypted part of {self.path} has {name!r} in the way of another file.", AGAIN
                ) from None

    def unpack_checkout(self) -> bool:
        """Make the platform's repository from the bundle's git bundle; return whether it has one."""
        if not os.path.isfile(self.file(CHECKOUT)):
            return False
        checkout.unpack(self.file(CHECKOUT), self.file(checkout.CHECKOUT), self.fields["commit"])
        return True

    def settle(
        self,
        target: Environment,
        vars: Mapping[str, str],
        secrets: Mapping[str, str],
        record: Callable[[Environment], None],
        update: bool,
    ) -> None:
        """Make the unpacked folder the target's: vars, secrets and paths as they hold here, then one rename.

        `record` writes what is to be remembered of it to the audit log. An environment that is there already gives
        way in the same moment; its secrets are the caller's to keep.
        """
        aside = Environment(target.name, self.folder, target.home)
        if update:
            self._take_along(target)
        nodes = [self._node_here(node, target) for node in inventory.read(aside.inventory_file)]
        inventory.write(aside.inventory_file, nodes)
        for name in (SECRETS, CHECKOUT):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside.file(name))
        folders = [os.path.normpath(target.file(part)) for part in self.fields["path_folders"]]
        aside.save(vars, secrets, folders or [target.bin_dir], path_of=target)
        record(aside)
        _put(aside.path, target, update)

    def _node_here(self, node: Node, target: Environment) -> Node:
        from dataclasses import replace

        ssh = {k: self.here(v, target) if isinstance(v, str) else v for k, v in node.ssh.items()}
        return replace(node, ssh=ssh)

    def _take_along(self, target: Environment) -> None:
        """Link in what never travels, and state that was left out of the bundle because it holds a secret."""
        for name in (*STAYS, *self.fields["left_out"]):
            if os.path.lexists(target.file(name)) and not os.path.lexists(self.file(name)):
                os.makedirs(os.path.dirname(self.file(name)), mode=0o700, exist_ok=True)
                _link(target.file(name), self.file(name))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        yield from (os.path.join(place, name) for name in names)


def _same(path: str, other: str) -> bool:
    return os.path.isfile(other) and modules.script_digest(path) == modules.script_digest(other)


def _link(source: str, place: str) -> None:
    """Make a file or folder appear in a second place too; what is in the first one stays untouched."""
    import shutil

    if os.path.islink(source):
        os.symlink(os.readlink(source), place)
    elif os.path.isdir(source):
        shutil.copytree(source, place, symlinks=True, copy_function=_link)
    else:
        try:
            os.link(source, place)
        except OSError:  # a file system without links
            shutil.copy2(source, place)


def _put(new: str, target: Environment, update: bool) -> None:
    """Put a folder in the target's place; that of an update takes the new one's, in the same moment."""
    try:
        if update:
            exchange(new, target.path)
        else:
            os.rename(new, target.path)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as problem:
        import errno

        if problem.errno == errno.ENOTEMPTY:
            raise _taken(target) from None
        raise
    fd = os.open(os.path.dirname(target.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _taken(target: Environment) -> BadUsage:
    return BadUsage(
        f"{target.path} is there already.", "Give this environment another name with --name NAME."
    )


def exchange(one: str, other: str) -> None:
    """Let two folders change places: at once where the system can (Linux, macOS), else in two renames."""
    import ctypes

    libc, a, b = ctypes.CDLL(None, use_errno=True), os.fsencode(one), os.fsencode(other)
    here = -100  # AT_FDCWD of Linux
    if hasattr(libc, "renameat2") and libc.renameat2(here, a, here, b, 2) == 0:  # RENAME_EXCHANGE
        return
    if hasattr(libc, "renamex_np") and libc.renamex_np(a, b, 2) == 0:  # RENAME_SWAP
        return
    between = f"{os.path.dirname(other)}/.old-{os.urandom(8).hex()}"
    os.rename(other, between)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(between, other)
        raise
    os.rename(between, one)


def repoint(value: str, old: str, new: str) -> str:
    """Return a value with a folder replaced wherever its path stands whole: at the end, or before / : or a blank."""
    if not old or old == new:
        return value
    return re.sub(rf"(?<![\w./-]){re.escape(old)}(?=$|[/:,;\s\"'])", lambda _: new, value)


@contextmanager
def unpacked(path: str, home: Home, *, check_signature=None) -> Iterator[Unpacked]:
    """Verify a bundle and unpack it aside, for as long as the context lasts; raises Refused, leaving nothing."""
    home.make()
    _sweep(home.environments_dir)
    place = os.path.join(home.environments_dir, f".load-{os.urandom(8).hex()}")
    os.mkdir(place, 0o700)
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(fd)
        folder = os.path.join(place, "bundle")
        manifest = bundle.extract(path, folder, check_signature=check_signature)
        found = Unpacked(path, folder, manifest)
        try:
            verify_contents(found)
        except InvalidConfig as problem:
            said = problem.message.replace(folder + os.sep, "")
            raise Refused(f"The bundle {path} was refused: {said.rstrip('.')}.", AGAIN) from None
        yield found
    finally:
        os.close(fd)
        remove_tree(place)


def _lock(fd: int) -> bool:
    """Show that somebody is at work on a folder; return whether nobody else is."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: str) -> None:
    """Remove what loads that were killed left aside."""
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            if re.fullmatch(ASIDE, entry.name) and time.time() - entry.stat().st_mtime > STALE:
                fd = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    if _lock(fd):
                        remove_tree(entry.path)
                finally:
                    os.close(fd)


# What a bundle may say: whoever can write one can write anything


def verify_contents(found: Unpacked) -> None:
    """Raise Refused unless the bundle describes an environment and its audit log is whole, head included."""
    from rigger.records import problem_of

    for problem in (_fields_problem(found.fields), _members_problem(found)):
        if problem:
            raise Refused(f"The bundle {found.path} does not describe an environment: {problem}.", AGAIN)
    audit = found.fields["audit"]
    verdict = found.log().verify((audit["count"], audit["head"]))
    problem = (
        verdict.problems[0]
        if verdict.problems
        else f"it has {verdict.count} records, not {audit['count']}"
        if verdict.count != audit["count"]
        else problem_of(found.log().records())
    )
    if problem:
        raise Refused(f"The audit log in {found.path} is not what was written: {problem}.", AGAIN)
    values = found.raw_vars()
    if values.get(f"{found.fields['prefix']}_ID") != found.id:
        raise Refused(f"The vars in {found.path} are not those of {found.id}.", AGAIN)
    for name in ("PROVIDER", "PLATFORM"):
        value = values.get(name, "")
        if not value or os.sep in value and not os.path.isabs(value):
            raise Refused(f"The vars in {found.path} have no {name} that could be found.", AGAIN)
    inventory.read(found.file("inventory.json"))


def _fields_problem(fields: Mapping) -> str | None:
    """Return which field of a manifest is not what rigger writes, None when all are."""
    audit = fields.get("audit")
    expected = {
        "name": _matches(fields.get("name"), NAME),
        "id": _matches(fields.get("id"), r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"),
        "prefix": _matches(fields.get("prefix"), r"[A-Z_][A-Z0-9_]{0,62}"),
        "serial": _is_count(fields.get("serial")),
        "audit": isinstance(audit, dict)
        and _is_count(audit.get("count"))
        and _matches(audit.get("head"), "[0-9a-f]{64}")
        and fields.get("serial") == audit["count"],
        "environment_dir": _is_folder(fields.get("environment_dir")),
        "path_folders": _all(fields.get("path_folders"), _is_path_folder),
        "redacted": _all(fields.get("redacted"), lambda name: envfile.check_name(name) is None),
        "left_out": _all(fields.get("left_out"), lambda name: _member_problem(name, fields) is None),
        **{role: _matches(fields.get(role), modules.NAME) for role in ROLES},
        **{name: _is_line(fields.get(name)) for name in ("created", "version", "commit")},
    }
    wrong = [name for name, good in expected.items() if not good]
    return f"its manifest has no usable {wrong[0]}" if wrong else None


def _members_problem(found: Unpacked) -> str | None:
    if "vars" not in found.manifest.files:
        return "it has no vars"
    problems = (_member_problem(name, found.fields) for name in found.manifest.files)
    return next(filter(None, problems), None)


def _member_problem(name: str, fields: Mapping) -> str | None:
    """Return why a file has no place in a bundle of an environment: nothing that rigger keeps for itself comes along."""
    parts = name.split("/")
    places = [[tree] for tree in TREES] + [["scripts", role, fields.get(role)] for role in ROLES]
    inside = any(parts[: len(place)] == place and len(parts) > len(place) for place in places)
    plain = name in ("vars", "audit.jsonl", "inventory.json", KNOWN_HOSTS, SECRETS, CHECKOUT)
    if bundle.name_problem(name) is None and (plain or inside and not NOT_SCRIPTS & {*parts}):
        return None
    return f"{name!r} has no place in it"


def _matches(value, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_line(value) -> bool:
    return isinstance(value, str) and len(value) <= 200 and (value.isprintable() or not value)


def _is_folder(value) -> bool:
    return (
        isinstance(value, str) and value != "/" and os.path.isabs(value) and os.path.normpath(value) == value
    )


def _is_path_folder(name: str) -> bool:
    return bundle.name_problem(name) is None and os.pathsep not in name


def _all(values, good: Callable[[str], bool]) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) and good(value) for value in values)


def worth_keeping(records: list[dict]) -> list[dict]:
    """Return the records of an audit log, but for the last ones if they only say that a bundle was loaded."""
    records = [*records]
    while records and records[-1]["event"] == "loaded":
        records.pop()
    return records


def require_newer(found: Unpacked, here: Environment) -> None:
    """Raise Refused when this machine knows more of the environment than the bundle does."""
    mine, theirs = worth_keeping(here.audit.records()), found.log().records()
    if len(theirs) < len(mine):
        raise Refused(
            f"{found.path} is older (serial {len(theirs)}) than what is here of {here.name} (serial {len(mine)}).",
            "Load it all the same with --allow-older; what happened since would be forgotten.",
        )
    if mine and theirs[len(mine) - 1]["hash"] != mine[-1]["hash"]:
        raise Refused(
            f"{found.path} and {here.name} have gone different ways since they were one: neither is the newer.",
            "Load it all the same with --allow-older; what happened here alone would be forgotten.",
        )

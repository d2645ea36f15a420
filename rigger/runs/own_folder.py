"""A module's own folder, where scripts of interface 1 write: what they wrote belongs to the environment.

It is put back before each step and kept after it, in the module's state, which is packed in bundles. The folder is a
working copy: another clone, another machine or another path finds it as the last step left it. What somebody changed in
the folder by hand meanwhile counts, unless it is another folder now, or another environment's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os

from rigger import text
from rigger.environments import checkout
from rigger.environments.state import state_of
from rigger.errors import NotReady, Unwritable
from rigger.files import partial_path, remove, sync_tree, unlink_if_there, write_bytes
from rigger.modules import own_files
from rigger.modules.contract import MANIFEST
from rigger.modules.interface1 import PLACE, Interface1
from rigger.modules.model import Module
from rigger.modules.own_files import KEPT, RECORD, Found, is_remade, is_state, leads_out
from rigger.trust.digests import lies_in
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from rigger.environments.environment import Environment
    from rigger.environments.home import Home
    from rigger.plans.model import Plan, Step

SCRIPTS = "scripts"  # in an environment: modules that came in a bundle, which stay as somebody agreed to them


@frozen
class Record:
    """What is known of the copies: where they come from, and what they are."""

    folder: str = ""
    inode: int = 0  # another clone in the same place is another folder
    own: Mapping[str, int] = field(default_factory=dict)  # of the module's own files: when they were changed
    names: Mapping[str, int] = field(default_factory=dict)  # of each file that there is, when it was changed
    written: tuple[str, ...] = ()  # those that steps made or changed


class OwnFolder:
    """What the scripts of a module have in their own folder, and its copies in the environment."""

    def __init__(self, environment: Environment, module: Module):
        self.environment = environment
        self.module = module
        self.folder = module.folder
        self.used = module.contract.keeps_files_in_folder
        self.state = environment.file("modules", module.name)  # only providers speak interface 1
        self._aside = environment.file(KEPT, module.name)  # for what never travels

    @contextlib.contextmanager
    def in_use(self, step: Step, say: Callable[[str], None]) -> Iterator[None]:
        """Put back what the scripts had written, and keep other environments' out while a step runs; raises NotReady."""
        if not self.used or not os.path.isdir(self.folder):  # the step itself says that there is no folder
            yield
            return
        if problem := problem_of(self.environment, step):
            raise problem
        with self._locked():
            self._put_back_or_say_why(say)
            yield

    def put_back(self, say: Callable[[str], None] = lambda sentence: None) -> None:
        """Give the folder what the environment has of it, and take over what was changed there; raises NotReady."""
        if self.used and os.path.isdir(self.folder):
            with self._locked():
                self._put_back_or_say_why(say)

    def keep(self) -> int:
        """Copy what a step wrote, forget what it removed, and return how many files there are; raises Unwritable."""
        if not self.used:
            return 0
        before = self._record()
        if not self._is_here(before):  # the folder that the step had is gone
            return len(before.names)
        try:
            found = own_files.find_changed(self.folder, before.own, before.written)
            lost = self._lost(before)
            for name in {*self.copies()} - {*found.written, *found.own}:
                self._forget(name)
            changed = self._take(found)
            written = {*before.written, *changed}
            names = self._note(before.own, written, lost)
            if lies_in(self.folder, self.environment.file(SCRIPTS)):
                for name in {*found.written} - before.own.keys():
                    unlink_if_there(os.path.join(self.folder, name))
        except (OSError, NotReady) as problem:
            reason = problem.message if isinstance(problem, NotReady) else str(problem)
            raise Unwritable(f"What is in {self.folder}: {reason}") from problem
        return len(names)

    def missing(self) -> tuple[str, ...]:
        """Return what the last step had and is nowhere any more: its names, or how many files where those are unknown."""
        expected = state_of(self.environment).steps.kept.get(f"provider/{self.module.name}", 0)
        if not self.used or not expected:
            return ()
        record = self._record()
        here = self._is_here(record)
        if record.names:
            gone = self._lost(record)
            return tuple(n for n, at in sorted(gone.items()) if not here or self._changed_here(n) < at)
        found = own_files.find(self.folder, ()).written if os.path.isdir(self.folder) else ()
        left = {name for name in (*self.copies(), *found) if not is_remade(name)}
        return () if len(left) >= expected else (f"{expected} files",)

    def problem(self) -> NotReady | None:
        """Return why the scripts must not run: they would not find what exists, and say that all is well."""
        missing = self.missing()
        if not missing:
            return None
        name = self.environment.name
        return NotReady(
            f"The scripts of {self.module.name} kept {text.listed(missing)} in their folder, which is not here as "
            "it was last: without it they would find nothing of the cluster, and say that all is well.",
            f"Put it into {self._kept}: it is on the machine where {name} was made, and in bundles that were saved there; "
            "where it holds a secret, in those --with-secrets. Once nothing of the cluster exists any more, an empty "
            "file will do.",
        )

    def _lost(self, record: Record) -> dict[str, int]:
        """Return what a record says there is, and no copy is here of, or only an older one."""
        return {name: at for name, at in record.names.items() if _changed_at(self._copy(name)) < at}

    def _changed_here(self, name: str) -> int:
        return _changed_at(os.path.join(self.folder, name))

    # ---- how ---------------------------------------------------------------------------------------------

    def _put_back_or_say_why(self, say: Callable[[str], None]) -> None:
        try:
            self._put_back(say)
        except OSError as problem:
            raise NotReady(
                f"What the scripts of {self.module.name} had written into {self.folder} cannot be put back: "
                f"{problem.filename}: {problem.strerror}.",
                "Make room or correct the permissions, then run the same command again.",
            ) from None

    def _put_back(self, say: Callable[[str], None]) -> None:
        before, copies = self._record(), self.copies()
        here = self._is_here(before)
        lost = self._lost(before)
        for name in [*self._of_others(own_files.find(self.folder, ()), copies)]:
            unlink_if_there(os.path.join(self.folder, name))
        names = before.own if here else {*own_files.files(self.folder)} - {*copies}
        found = own_files.find(self.folder, names)
        own = own_files.stamps(self.folder, found.own - {*before.written})
        for name in copies:
            if name not in own and is_state(name):
                self._restore(name, here, say)
        self._take(own_files.find_changed(self.folder, own, before.written))
        self._note(own, {*before.written}, lost)

    def _restore(self, name: str, here: bool, say: Callable[[str], None]) -> None:
        """Write one file, unless the folder has it; what another folder has in its place is put aside."""
        path, copy = os.path.join(self.folder, name), self._copy(name)
        if leads_out(self.folder, name):
            raise OSError(errno.ELOOP, f"leads out of {self.folder}", path)
        if os.path.lexists(path):
            if here or _same(path, copy):
                return
            aside = self.environment.file("replaced", self.module.name, name)
            _copy(path, aside)
            say(f"{path} was not that of {self.environment.name}, and is now in {aside}.")
        _copy(copy, path, link=is_remade(name))

    def _take(self, found: Found) -> list[str]:
        """Copy what is new or differs in the folder, and return the names of that."""
        changed = []
        for name in found.written:
            path, copy = os.path.join(self.folder, name), self._copy(name)
            if not _same(path, copy):
                _copy(path, copy, link=is_remade(name))
                changed.append(name)
        if changed and os.path.isdir(self._kept):
            sync_tree(self._kept)
        return changed

    def _of_others(self, found: Found, copies: list[str]) -> Iterator[str]:
        """Return what another environment's scripts wrote into the same folder, as far as it has a copy of that."""
        if not found.written:
            return
        for other in _others(self.environment, self.module.name):
            record = _read(os.path.join(other, RECORD))
            if not self._is_here(record):
                continue
            for name in {*record.written} & {*found.written}:
                copy, path = os.path.join(other, KEPT, name), os.path.join(self.folder, name)
                ours = name in copies and _same(path, self._copy(name))
                if not ours and os.path.lexists(path) and _same(path, copy):
                    yield name

    def _forget(self, name: str) -> None:
        """Remove a copy, and the folders that have nothing else in them."""
        copy = self._copy(name)
        unlink_if_there(copy)
        with contextlib.suppress(OSError):
            while (copy := os.path.dirname(copy)) not in (self._kept, self._aside):
                os.rmdir(copy)

    def _note(self, own: Mapping[str, int], written: set[str], lost: Mapping[str, int]) -> Collection[str]:
        """Write down what there is, and what is still missing; return the names of that."""
        names = {name: _changed_at(self._copy(name)) for name in self.copies() if not is_remade(name)}
        names |= {name: at for name, at in lost.items() if names.get(name, -1) < at}
        record = Record(
            os.path.realpath(self.folder), _inode(self.folder), own, names, tuple(sorted(written & {*names}))
        )
        if record == self._record():
            return names
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        content = {name: getattr(record, name) for name in ("folder", "inode", "own", "names", "written")}
        write_bytes(os.path.join(self.state, RECORD), json.dumps(content, indent=1).encode() + b"\n")
        return names

    def _record(self) -> Record:
        return _read(os.path.join(self.state, RECORD))

    def _is_here(self, record: Record) -> bool:
        """Return whether a record is about the folder as it is here."""
        known = (record.folder, record.inode)
        return known == (os.path.realpath(self.folder), _inode(self.folder))

    @property
    def _kept(self) -> str:
        return os.path.join(self.state, KEPT)

    def _copy(self, name: str) -> str:
        return os.path.join(self._aside if is_remade(name) else self._kept, name)

    def copies(self) -> list[str]:
        """Return the names of the files that there are copies of."""
        remade = (name for name in own_files.files(self._aside) if is_remade(name))
        return sorted([*(n for n in own_files.files(self._kept) if not is_remade(n)), *remade])

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._lock(fd)
            yield
        finally:
            os.close(fd)

    def _lock(self, fd: int) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(
                f"Scripts of another environment are at work in {self.folder}.",
                "Wait until they are done, or give each environment a clone of its own.",
            ) from None
        except OSError:
            return  # a file system that knows no locks


def of_provider(environment: Environment) -> OwnFolder | None:
    """Return the own folder of the provider that the vars name, also of one that cannot be used as it is.

    None where there is no such folder, or a manifest in it.
    """
    values = environment.vars()
    name = values.get("PROVIDER", "")
    folder = name if os.sep in name else os.path.join(checkout.place(environment, values), PLACE, name)
    if not name or not os.path.isdir(folder) or os.path.lexists(os.path.join(folder, MANIFEST)):
        return None
    name = os.path.basename(folder)
    return OwnFolder(environment, Module(name, "provider", os.path.abspath(folder), contract=Interface1()))


def take_over(environment: Environment) -> frozenset[str]:
    """Keep what lies in the provider's own folder, before another takes its place, and return its paths; raises NotReady."""
    own = of_provider(environment)
    if own is None:
        return frozenset()
    if state_of(environment).steps.open:  # a step was killed: what it removed is to stay away
        own.keep()
    own.put_back()
    return frozenset(os.path.join(own.folder, name) for name in own.copies())


def problem_of(environment: Environment, step: Step) -> NotReady | None:
    """Return why a step must not run, None where it may; one that makes and knows nothing may always."""
    if step.module.role != "provider" or step.verb == "install":
        return None
    return OwnFolder(environment, step.module).problem()


def require_whole(environment: Environment, plan: Plan) -> None:
    """Raise NotReady where a plan's steps would run without what they had written before."""
    for step in plan.steps:
        if problem := problem_of(environment, step):
            raise problem


def known_files(home: Home, module: Module) -> frozenset[str]:
    """Return the files in a module's folder that environments of a home keep: paths relative to it."""
    places = (home.at(name).file("modules", module.name, RECORD) for name in home.names())
    records = (_read(place) for place in places)
    folder = os.path.realpath(module.folder)
    return frozenset(name for record in records if record.folder == folder for name in record.names)


def _others(environment: Environment, module: str) -> Iterator[str]:
    """Return the folders of the state that a module has in other environments."""
    parent, own = os.path.split(environment.path)
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(parent)):
            if name != own and not name.startswith("."):
                yield os.path.join(parent, name, "modules", module)


def _read(path: str) -> Record:
    """Return a record; an empty one where there is none, or it cannot be understood."""
    try:
        with open(path, "rb") as file:
            content = json.load(file)
        names, own = ({str(n): int(at) for n, at in content[part].items()} for part in ("names", "own"))
        written = tuple(map(str, content["written"]))
        return Record(str(content["folder"]), int(content["inode"]), own, names, written)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Record()


def _inode(folder: str) -> int:
    try:
        return os.stat(folder).st_ino
    except OSError:
        return 0


def _changed_at(path: str) -> int:
    """Return when a file was changed, in the seconds that a bundle keeps too; a copy of before is an older one."""
    try:
        return int(os.lstat(path).st_mtime)
    except OSError:
        return -1


def _same(path: str, other: str) -> bool:
    """Return whether two paths are the same: links that say the same, or files of the same bytes and run bit."""
    if os.path.islink(path) or os.path.islink(other):
        return os.path.islink(path) and os.path.islink(other) and os.readlink(path) == os.readlink(other)
    try:
        one, two = os.stat(path), os.stat(other)
    except OSError:
        return False
    if (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino):
        return True
    if (one.st_size, one.st_mode & 0o100) != (two.st_size, two.st_mode & 0o100):
        return False
    with open(path, "rb") as first, open(other, "rb") as second:
        while block := first.read(1 << 20):
            if block != second.read(1 << 20):
                return False
    return True


def _copy(source: str, target: str, link: bool = False) -> None:
    """Put a file or link in a second place, whole or not at all; with `link`, as the very same file where that can be."""
    import shutil

    folder = os.path.dirname(target)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    aside = partial_path(folder)
    try:
        if os.path.islink(source):
            os.symlink(os.readlink(source), aside)
        elif not (link and _linked(source, aside)):
            shutil.copy2(source, aside)
        if os.path.isdir(target) and not os.path.islink(target):
            remove(target)
        os.replace(aside, target)
    finally:
        unlink_if_there(aside)


def _linked(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except OSError:  # another file system
        return False
    return True

"""RIGGER_HOME: which environments exist, and which one is current."""

from __future__ import annotations

import contextlib
import errno
import os
import re

from rigger.environments.environment import Environment
from rigger.environments.lock import FileLock
from rigger.environments.store import SECRET_OUTPUTS
from rigger.errors import BadUsage, InvalidConfig, not_written
from rigger.files import STALE, TEMPORARY, remove, sweep, sync_folder, temporary_path, unlink_if_there
from rigger.text import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rigger.audit.events import Event

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
FORGOTTEN = r"\.forgotten-[0-9a-f]{16}"  # beside the environments: one that is being removed
MAKING = r"\.new-(?P<pid>[0-9]+)-[0-9a-f]{16}"  # one that is being made
REHEARSAL = (
    ".rehearsal-"  # and the name of an environment: the private home of its copy, see rehearsals/copies.py
)
LOADING = r"\.load-[0-9a-f]{16}"  # a bundle that is being loaded
SECRETS = ("secrets", SECRET_OUTPUTS, "key")
MIRROR = "mirror"  # in RIGGER_HOME: what imports of exports gave
NAME_RULE = "letters, digits, _ . and -, starting with a letter or digit, at most 63"


class Home:
    """The folder that holds every environment of a person on one machine."""

    def __init__(self, path: str | None = None):
        self.path = os.path.abspath(path or os.environ.get("RIGGER_HOME") or os.path.expanduser("~/.rigger"))
        if os.pathsep in self.path:
            raise InvalidConfig(
                f"{self.path} has a {os.pathsep} in its name, which ends a folder on PATH: "
                "no shell would find the programs of an environment there.",
                f"Set RIGGER_HOME to a folder without {os.pathsep}.",
            )

    @property
    def environments_dir(self) -> str:
        return os.path.join(self.path, "environments")

    @property
    def cache_dir(self) -> str:
        return os.path.join(self.path, "cache")

    def names(self) -> list[str]:
        """Return the names of all environments, sorted."""
        try:
            entries = os.listdir(self.environments_dir)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as problem:
            raise _unreadable(self.environments_dir, problem) from None
        return sorted(name for name in entries if re.fullmatch(NAME, name) and self._is_environment(name))

    def _is_environment(self, name: str) -> bool:
        return self.at(name).exists()

    def current_name(self) -> str | None:
        """Return the name of the current environment, None where there is none."""
        try:
            name = os.path.basename(os.readlink(os.path.join(self.path, "current")))
        except OSError:
            return None
        return name if re.fullmatch(NAME, name) and self._is_environment(name) else None

    def get(self, name: str | None = None) -> Environment:
        """Return an environment by name, or the current one; raises InvalidConfig where there is none."""
        name = name or self.current_name()
        if name is None:
            known = self.names()
            hint = (
                f'Choose one: "rigger use NAME" ({", ".join(known)}).'
                if known
                else 'Type "rigger configure" to make one.'
            )
            raise InvalidConfig(
                "There is no current environment." if known else "There is no environment yet.", hint
            )
        if name not in self.names():
            known = self.names()
            raise InvalidConfig(
                f"There is no environment named {name!r}{did_you_mean(name, known)}.",
                f"Known: {', '.join(known)}." if known else 'Type "rigger configure" to make one.',
            )
        return self.at(name)

    def at(self, name: str) -> Environment:
        """Return the environment of that name, whether or not it exists yet; raises BadUsage for a bad name."""
        if not re.fullmatch(NAME, name):
            raise BadUsage(f"{name!r} is not a name for an environment: {NAME_RULE}.")
        return Environment(name, os.path.join(self.environments_dir, name), self.path)

    def make(self) -> None:
        """Create the folder, readable by its owner alone; raises InvalidConfig where that cannot be."""
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            for folder in (self.environments_dir, self.cache_dir):
                os.makedirs(folder, mode=0o700, exist_ok=True)
            if not os.access(self.path, os.W_OK | os.X_OK):  # the link to the current environment lies there
                read_only = os.statvfs(self.path).f_flag & os.ST_RDONLY
                code = errno.EROFS if read_only else errno.EACCES
                raise OSError(code, os.strerror(code))
        except OSError as problem:
            raise _unusable(self.path, problem) from None

    def create(self, name: str, vars: dict[str, str], secret_vars: dict[str, str]) -> Environment:
        """Make an environment of values, and nothing else; see `creating`."""
        with self.creating(name, vars, secret_vars) as environment:
            return environment

    @contextlib.contextmanager
    def creating(
        self,
        name: str,
        vars: dict[str, str],
        secret_vars: dict[str, str],
        checkout: str = "",
        records: Iterable[Event] = (),
        command: str = "rigger configure",
    ) -> Iterator[Environment]:
        """Make an environment: filled aside, then renamed into place, so that none is ever half-made or without record.

        `checkout` is a clone of its platform's repository, which becomes the environment's own. Its lock is held
        from before it can be seen until the caller has done the rest.
        """
        self.make()
        target = self.at(name)
        folder = os.path.join(self.environments_dir, f".new-{os.getpid()}-{os.urandom(8).hex()}")
        lock = FileLock(os.path.join(folder, "lock"), name)
        aside = Environment(name, folder, self.path, lock=lock)
        with contextlib.ExitStack() as stack:
            try:
                os.mkdir(folder, 0o700)
                stack.enter_context(lock.locked(command))
                aside.save(vars, secret_vars, path_of=target)
                aside.key()  # made now: what only looks later must not have to write
                for event in records:
                    aside.audit.append(event)
                if checkout:
                    os.rename(checkout, aside.file("checkout"))
                    sync_folder(folder)
                os.rename(folder, target.path)
                lock.moved(target.file("lock"))
                self._keep_names()
            except OSError as problem:
                raise _unusable(target.path, problem) from None
            finally:
                remove(folder)
            yield Environment(name, target.path, self.path, lock=lock)

    def _keep_names(self) -> None:
        """Bring to the disk that the home is there, and which environments are in it."""
        sync_folder(self.environments_dir)
        for folder in (self.path, os.path.dirname(self.path)):
            with contextlib.suppress(OSError):  # one that may be gone through, and not be listed
                sync_folder(folder)

    def use(self, name: str) -> None:
        """Make an environment the current one."""
        try:
            self._link("current", os.path.join("environments", name))
            if os.path.islink(os.path.join(self.path, "vars")) or not os.path.exists(
                os.path.join(self.path, "vars")
            ):
                self._link("vars", os.path.join("current", "vars"))
        except OSError as problem:
            raise _unusable(self.path, problem) from None

    def _link(self, name: str, target: str) -> None:
        link = os.path.join(self.path, name)
        if os.path.islink(link) and os.readlink(link) == target:
            return
        aside = temporary_path(link)
        os.symlink(target, aside)
        try:
            os.replace(aside, link)
        except OSError:
            os.unlink(aside)
            raise

    def forget(self, environment: Environment) -> None:
        """Remove an environment's folder and, if it was current, the links to it; `sweep` finishes what was killed."""
        aside = os.path.join(self.environments_dir, f".forgotten-{os.urandom(8).hex()}")
        os.rename(environment.path, aside)
        sync_folder(self.environments_dir)
        self._finish_forgotten(aside)

    def _finish_forgotten(self, folder: str) -> None:
        """Remove what is left of a forgotten environment, its secrets first, and the links that led to it."""
        for name in (*SECRETS, "modules", "runs"):
            remove(os.path.join(folder, name))
        current, vars = (os.path.join(self.path, name) for name in ("current", "vars"))
        if os.path.islink(current) and not os.path.exists(current):
            if os.path.islink(vars) and os.readlink(vars) == os.path.join("current", "vars"):
                unlink_if_there(vars)
            unlink_if_there(current)
        remove(folder)

    def sweep(self) -> list[str]:
        """Finish what a killed forget began, and remove the half-written files and folders of processes that are dead.

        Return the paths of copies for rehearsals: those of killed ones have machines, which no sweep removes.
        """
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = os.listdir(self.environments_dir)
            for name in names:
                if name.startswith(".") and re.fullmatch(FORGOTTEN, name):
                    self._finish_forgotten(os.path.join(self.environments_dir, name))
            sweep(self.environments_dir, rf"{MAKING}|{LOADING}", STALE)
            environments = (os.path.join(self.environments_dir, name) for name in names if name[:1] != ".")
            for folder in (self.path, self.cache_dir, os.path.join(self.path, "drafts"), *environments):
                sweep(folder, TEMPORARY, STALE)
        return [os.path.join(self.environments_dir, name) for name in names if name.startswith(REHEARSAL)]


def _unreadable(path: str, problem: OSError) -> InvalidConfig:
    return InvalidConfig(
        f"{path} cannot be read: {problem.strerror}.",
        "Give yourself the right to read there, or set RIGGER_HOME to another folder.",
    )


def _unusable(path: str, problem: OSError) -> InvalidConfig:
    return not_written(
        problem,
        f"{path} cannot be written: {problem.strerror}.",
        "Make room or give yourself the right to write there, or set RIGGER_HOME to another folder.",
    )

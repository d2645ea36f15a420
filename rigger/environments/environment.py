"""One environment: one cluster, its folder, its vars and its lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping

from rigger import text
from rigger.audit.cluster import recorded_cluster
from rigger.audit.log import AuditLog
from rigger.envfile import file as envfile
from rigger.environments import inventory, lock
from rigger.environments.inventory import Node
from rigger.errors import UNWRITABLE, InvalidConfig, Locked, not_written
from rigger.files import write_bytes
from rigger.process.lookup import process_start_time, processes_holding

CHECKOUT = "checkout"  # in an environment


COMPUTED = ("PATH", "ORIGINAL_PATH")  # worked out anew on every machine, whenever the vars file is written


class Environment:
    """The files of one environment; `path` is its folder."""

    def __init__(self, name: str, path: str, home: str):
        self.name = name
        self.path = path
        self.home = home
        self.audit = AuditLog(self.file("audit.jsonl"))

    def file(self, *parts: str) -> str:
        return os.path.join(self.path, *parts)

    @property
    def vars_file(self) -> str:
        return self.file("vars")

    @property
    def cache_dir(self) -> str:
        return os.path.join(self.home, "cache")

    @property
    def secrets_file(self) -> str:
        return self.file("secrets")

    @property
    def inventory_file(self) -> str:
        return self.file("inventory.json")

    @property
    def bin_dir(self) -> str:
        return self.file("bin")

    def places(self) -> dict[str, str]:
        """Return the variables that say where this environment lies; scripts and computed vars know them."""
        return {
            "RIGGER_HOME": self.home,
            "RIGGER_ENVIRONMENT": self.name,
            "RIGGER_ENVIRONMENT_DIR": self.path,
            "RIGGER_VARS_FILE": self.vars_file,
            "RIGGER_BIN_DIR": self.bin_dir,
        }

    def stamp(self) -> str:
        """Return the moment for the name of a file, 20261120T214400, by the clock of this machine."""
        return time.strftime("%Y%m%dT%H%M%S")

    def new_backup(self) -> str:
        """Return the path of a backup to be made now, in a folder that exists."""
        os.makedirs(self.file("backups"), mode=0o700, exist_ok=True)
        path, number = self.file("backups", f"{self.stamp()}.backup"), 2
        while os.path.exists(path):
            path, number = self.file("backups", f"{self.stamp()}-{number}.backup"), number + 1
        return path

    def last_backup(self, until: float = float("inf")) -> str:
        """Return the path of the newest backup that was there at a time, nothing where there is none."""
        entries = self._newest_first("backups", ".backup")
        return next((entry.path for entry in entries if entry.stat().st_mtime <= until), "")

    def bundles(self) -> list[str]:
        """Return the paths of the bundles that upgrades saved here, the newest first."""
        return [entry.path for entry in self._newest_first("saved", ".rigger")]

    def _newest_first(self, folder: str, ending: str) -> list[os.DirEntry]:
        try:
            entries = [entry for entry in os.scandir(self.file(folder)) if entry.name.endswith(ending)]
        except OSError:
            return []
        return sorted(entries, key=lambda entry: entry.stat().st_mtime_ns, reverse=True)

    def exists(self) -> bool:
        """Return whether there is a vars file, or the record of an environment that has lost it."""
        return os.path.isfile(self.vars_file) or os.path.isfile(self.audit.path)

    def vars(self) -> dict[str, str]:
        """Return the plain vars, without those that are computed; raises InvalidConfig for a corrupt file."""
        try:
            values = envfile.read(self.vars_file)
        except InvalidConfig as problem:
            if not isinstance(problem.__cause__, OSError):
                problem.next_step += (
                    f' "rigger -e {self.name} config edit" opens it as it is, and says what may restore it.'
                )
            raise
        return {name: value for name, value in values.items() if name not in COMPUTED}

    def secrets(self) -> dict[str, str]:
        """Return the secret vars; raises InvalidConfig for a corrupt file."""
        return envfile.read(self.secrets_file)

    def values(self) -> dict[str, str]:
        """Return the plain and the secret vars together; raises InvalidConfig for a corrupt file."""
        return {**self.vars(), **self.secrets()}

    def may_have_cluster(self) -> bool:
        """Return whether a step was run since the environment was made or destroyed: there may be a cluster."""
        return recorded_cluster(self.audit.records()) is not None or bool(self.nodes())

    def nodes(self) -> list[Node]:
        """Return the machines of this environment."""
        return inventory.read(self.inventory_file)

    def own_folders(self) -> list[str]:
        """Return the folders of this environment that its vars file puts on PATH, its `bin` first."""
        values = envfile.read(self.vars_file)
        written = values.get("PATH", "").removesuffix(values.get("ORIGINAL_PATH", ""))
        saved = [folder for folder in written.split(os.pathsep) if folder]
        return list(dict.fromkeys([self.bin_dir, *(folder for folder in saved if self.owns(folder))]))

    def owns(self, folder: str) -> bool:
        """Return whether a folder lies in this environment, links and dots resolved."""
        root = os.path.realpath(self.path)
        return os.path.isabs(folder) and os.path.realpath(folder).startswith(root + os.sep)

    def original_path(self) -> str:
        """Return the PATH of this process without the folders of any environment: another's vars may be sourced."""
        environments = os.path.dirname(self.path) + os.sep
        folders = text.decode(os.environb.get(b"PATH", os.fsencode(os.defpath))).split(os.pathsep)
        return os.pathsep.join(folder for folder in folders if not folder.startswith(environments))

    def shell_vars(self, vars: Mapping[str, str], folders: list[str] | None = None) -> dict[str, str]:
        """Return what a shell that works with this environment should have: the vars and PATH."""
        original = self.original_path()
        path = os.pathsep.join([*(folders or self.own_folders()), original])
        return {**vars, "ORIGINAL_PATH": original, "PATH": path}

    def save(
        self,
        vars: Mapping[str, str],
        secret_vars: Mapping[str, str],
        folders: list[str] | None = None,
        path_of: Environment | None = None,
    ) -> None:
        """Write the secrets, then the vars, each in one atomic replace.

        `folders` are the environment's own on PATH; `path_of` is the environment whose PATH is meant when this one
        is being made aside.
        """
        if secret_vars or os.path.exists(self.secrets_file):
            envfile.write(self.secrets_file, dict(secret_vars))
        envfile.write(self.vars_file, (path_of or self).shell_vars(vars, folders))

    def save_values(
        self, values: Mapping[str, str], secret_names: Iterable[str] = (), folders: list[str] | None = None
    ) -> None:
        """Write all values, plain and secret, where they are not what is stored; each stands in one of the two files.

        Secret are those of `secret_names` and those that are among the secrets already. `folders` are the
        environment's own on PATH; nothing where they stay.
        """
        vars, secrets = self.vars(), self.secrets()
        new_vars, new_secrets = split_secrets(values, {*secret_names, *secrets})
        moved = folders is not None and folders != self.own_folders()
        if (new_vars, new_secrets) != (vars, secrets) or moved:
            self.save(new_vars, new_secrets, folders)

    def id(self, prefix: str) -> str:
        """Return the ten hex digits that tell this environment from every other, wherever it is loaded."""
        return self.vars().get(f"{prefix}_ID", "")

    def key(self) -> bytes:
        """Return the key under which digests of secrets are recorded, making it when it is first needed."""
        path = self.file("key")
        with contextlib.suppress(OSError), open(path, "rb") as file:
            key = file.read()
            if len(key) == 32:
                return key
        key = os.urandom(32)
        write_bytes(path, key)
        return key

    @contextlib.contextmanager
    def locked(self, command: str) -> Iterator[int]:
        """Hold the environment's lock; yields its file descriptor, which scripts inherit.

        Raises Locked, saying who holds it. The lock belongs to the open file: a script that outlives a killed rigger
        still holds it.
        """
        path = self.file("lock")
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise not_written(
                problem, f"{path} cannot be opened: {problem.strerror}.", "Check who may write there."
            ) from None
        try:
            if not lock.acquire(fd):
                raise self._locked(os.pread(fd, 4096, 0))
            holder = {
                "pid": os.getpid(),
                "user": lock.user(),
                "host": os.uname().nodename,
                "command": command,
            }
            with contextlib.suppress(
                OSError
            ):  # who holds it is a courtesy: a full disk must not stop a destroy
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps({**holder, "since": time.time()}).encode(), 0)
            yield fd
            with contextlib.suppress(OSError):
                os.ftruncate(fd, 0)
        finally:
            # Daemons that a script started may hold copies of the descriptor: unlock, rather than only close.
            with contextlib.suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def unwritable(self) -> str:
        """Return why nothing can be written here, not even the lock; nothing where that can be."""
        try:
            os.close(os.open(self.file("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as problem:
            return os.strerror(problem.errno) if problem.errno in UNWRITABLE else ""
        return ""

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep others from working here, as far as that can be where nothing can be written; raises Locked."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                file = stack.enter_context(open(self.file("lock"), "rb"))
                if not lock.acquire(file.fileno(), fcntl.LOCK_SH):
                    raise self._locked(file.read(4096))
            yield

    def holder(self) -> str:
        """Return who holds the lock, in a sentence; nothing where nobody does."""
        record = self._held()
        return self._locked(record).message if record else ""

    def busy_since(self) -> float | None:
        """Return when the rigger that works here now began, in seconds since 1970; None where none does."""
        try:
            holder = json.loads(self._held() or b"null")
            here = holder["host"] == os.uname().nodename
            gone = here and process_start_time(int(holder["pid"])) is None
            return None if gone else float(holder["since"])
        except (ValueError, KeyError, TypeError):
            return None

    def _held(self) -> bytes:
        """Return what the holder of the lock wrote into it; nothing where nobody holds it."""
        try:
            fd = os.open(self.file("lock"), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            record = os.pread(fd, 4096, 0)
            return b"" if not record or lock.acquire(fd, fcntl.LOCK_SH) else record
        finally:
            os.close(fd)

    def _locked(self, record: bytes) -> Locked:
        try:
            holder = json.loads(record)
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
            who = f"{holder['user']}@{holder['host']}, process {holder['pid']}"
            what = f'"{holder["command"]}" ({who}, since {since})'
        except (ValueError, KeyError, TypeError):
            return Locked(f"Environment {self.name} is in use by another run.", "Wait until it has ended.")
        local = holder["host"] == os.uname().nodename
        if local and process_start_time(int(holder["pid"])) is None:
            left = ", ".join(f"{name} (process {pid})" for pid, name in processes_holding(self.file("lock")))
            return Locked(
                f"Environment {self.name} is locked: {what} was killed, but what it started is still running: {left or '?'}.",
                "Wait until that has ended, or end it yourself with kill.",
            )
        return Locked(
            f"Environment {self.name} is locked by {what}.",
            "Wait until it has ended, or stop it with Ctrl-C there.",
        )


CHECKOUT = "checkout"  # in an environment: the clone of its platform's repository


def split_secrets(
    values: Mapping[str, str], secret_names: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain values and the secrets."""
    secret = {*secret_names}
    return (
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )

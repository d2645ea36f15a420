"""An environment in a bundle: what of it is packed, and what stays out."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress

from rigger.audit.events import WORD
from rigger.audit.head import REPAIRS
from rigger.bundles import pack
from rigger.bundles.apart import Apart, blocks_of
from rigger.bundles.format import Member
from rigger.bundles.names import name_problem
from rigger.bundles.secrets import (
    given_secrets,
    is_half_written,
)
from rigger.configuration.origin import as_recorded
from rigger.envfile import file as envfile
from rigger.environments.answers import outputs_of
from rigger.environments.backups import ENDING, FOLDER
from rigger.environments.environment import ATTESTATIONS, split_secrets
from rigger.environments.state import state_of
from rigger.environments.store import OUTPUTS, SECRET_OUTPUTS
from rigger.errors import BadUsage, InvalidConfig, Refused
from rigger.files import folder_aside, saying_what_failed
from rigger.git import archive as git_archive
from rigger.git import inspect as git_inspect
from rigger.modules.own_files import KEPT, is_remade
from rigger.redact import maskable
from rigger.redact.nested import holding
from rigger.sources import checkout as source_checkout
from rigger.ssh.connections import KNOWN_HOSTS
from rigger.trust.digests import NOT_SCRIPTS, digest
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment

# Of an environment's folder; what scripts may have left elsewhere is not ours.
TREES = ("runs", "tests", "modules", "rehearsals", ATTESTATIONS)
SECRETS = "secrets.age"
CHECKOUT = "checkout.bundle"
BACKUPS, BACKUP_NAME = FOLDER, rf"{WORD}{re.escape(ENDING)}"
ATTEMPTS = 5
ADDED = (SECRETS, CHECKOUT, f"{BACKUPS}/")  # what a bundle has only when it was asked for


@frozen
class Contents:
    """A bundle that was written, and what was left out of it."""

    path: str
    size: int
    head: tuple[int, str]
    redacted: tuple[str, ...]  # names of secret vars
    left_out: tuple[str, ...]  # members that hold a secret, and are not logs that could be masked
    not_files: tuple[str, ...] = ()  # links, empty folders and the like, which a bundle cannot hold
    unsearched: tuple[str, ...] = ()  # names of secrets that are too short to be looked for
    backup: str = ""  # the member that has the cluster's data
    missing: tuple[str, ...] = ()  # members that were left out of the bundle which the environment came in


def default_path(environment: Environment, folder: str) -> str:
    """Return the name that a bundle gets in a folder: NAME-20261120T214400.rigger."""
    stem = os.path.join(os.path.abspath(folder), f"{environment.name}-{time.strftime('%Y%m%dT%H%M%S')}")
    path, number = f"{stem}.rigger", 2
    while os.path.exists(path):
        path, number = f"{stem}-{number}.rigger", number + 1
    return path


def save(
    environment: Environment,
    config: Config,
    path: str,
    *,
    encrypt: Callable[[bytes], bytes] | None = None,
    sign: Callable[[bytes], bytes] | None = None,
    with_checkout: bool = False,
    backup: Member | None = None,
) -> Contents:
    """Pack an environment that nobody else changes meanwhile; raises Refused if a secret would get in.

    `encrypt` keeps the secrets, and files that hold one, inside the bundle; without it they stay out. What runs on this
    computer may write to its module's folder now and then: then all is packed anew; raises Changed where it never rests.
    """

    def once() -> Contents:
        with saying_what_failed(path), folder_aside(os.path.dirname(os.path.abspath(path))) as aside:
            return _save(environment, config, path, aside, encrypt, sign, with_checkout, backup)

    for _ in range(ATTEMPTS - 1):
        with suppress(pack.Changed):
            return once()
    return once()


def _save(
    environment: Environment,
    config: Config,
    path: str,
    aside: str,
    encrypt: Callable[[bytes], bytes] | None,
    sign: Callable[[bytes], bytes] | None,
    with_checkout: bool,
    backup: Member | None,
) -> Contents:
    hidden = {**environment.secrets(), **config.secrets}  # also those whose question does not apply now
    given = given_secrets(environment.file("runs"))
    secrets = list(dict.fromkeys([*maskable({**hidden, **config.every_secret()}), *given.values]))
    plain = environment.vars()
    vars, inherited = split_secrets(plain, holding(plain, secrets))
    head, log = _audit_log(environment)
    members = [Member("vars", data=envfile.render(vars)), log, *_files(environment, config)]
    members, sealed = Apart(secrets, hidden, aside).sort([*members, *([backup] if backup else [])])
    _require_packed(backup, sealed if encrypt is None else [])
    sealed += _hidden_secrets(environment)
    if encrypt is not None:
        kept = {**environment.secrets(), **inherited}
        members.append(Member(SECRETS, data=encrypt(_sealed(environment, kept, sealed))))
    if with_checkout:
        members.append(checkout_member(environment, config, aside))
    fields = _fields(environment, config, head)
    fields["redacted"] = sorted({*hidden, *inherited, *given.names}) if encrypt is None else []
    fields["derived"] = _derived(config, plain) if encrypt is None else []
    missing, fields["backup"] = _missing(environment), backup.name if backup else ""
    fields["left_out"] = [*missing, *([] if encrypt is not None else [member.name for member in sealed])]
    fields["not_files"] = sorted(_not_files(environment))
    packed = pack.pack(path, members, fields, secrets=secrets, sign=sign)
    short = sorted(name for name, value in hidden.items() if value and value not in secrets)
    return _written(path, packed.size, head, fields, short, missing)


def _written(
    path: str,
    size: int,
    head: tuple[int, str],
    fields: Mapping[str, Any],
    short: list[str],
    missing: list[str],
) -> Contents:
    redacted, not_files = tuple(fields["redacted"]), tuple(fields["not_files"])
    left_out, backup = tuple(fields["left_out"][len(missing) :]), fields["backup"]
    return Contents(path, size, head, redacted, left_out, not_files, tuple(short), backup, tuple(missing))


def backup_member(environment: Environment, path: str) -> Member:
    """Return a backup of the cluster's data as a member; one that lies elsewhere is named after its time."""
    made, name = os.stat(path).st_mtime, os.path.basename(path)
    if os.path.dirname(path) != environment.file(BACKUPS) or not re.fullmatch(BACKUP_NAME, name):
        name = f"{time.strftime('%Y%m%dT%H%M%S', time.localtime(made))}{ENDING}"
    return Member(f"{BACKUPS}/{name}", path=path, mtime=int(made))


def _require_packed(backup: Member | None, left_out: list[Member]) -> None:
    """Raise Refused where a backup that was asked for would not be in the bundle."""
    if backup and any(member.name == backup.name for member in left_out):
        raise Refused(
            f"{backup.path} holds a secret, and would be in the bundle as plain text.",
            "Add --with-secrets, which encrypts it, or leave --with-backup out.",
        )


def checkout_member(environment: Environment, config: Config, aside: str) -> Member:
    """Return the platform's repository as a member, from a folder for that; raises BadUsage where there is none."""
    folder = source_checkout.find(environment, config.platform, config.values)
    if folder is None:
        raise BadUsage(
            f"{config.platform.name} of {environment.name} has no checkout to add.",
            "Leave --with-checkout out.",
        )
    path = os.path.join(aside, CHECKOUT)
    git_archive.pack(folder, path)
    return Member(CHECKOUT, path=path)


def _audit_log(environment: Environment) -> tuple[tuple[int, str], Member]:
    """Return the head and the whole lines of the audit log; raises InvalidConfig for one that would be refused."""
    verdict, path = environment.audit.verify(), environment.audit.path
    # What a crash left of the last line was never a record.
    torn = verdict.problems == [f"line {verdict.count + 1} is not a whole record"]
    if verdict.problems and not torn:
        raise InvalidConfig(
            f"The audit log of {environment.name} is not what was written: {verdict.problems[0]}.",
            REPAIRS,
        )
    if not torn and os.path.exists(path):
        return (verdict.count, verdict.head_hash), Member("audit.jsonl", path=path)
    lines = _read(path).split(b"\n") if torn else []
    data = b"".join(line + b"\n" for line in lines[: verdict.count])
    return (verdict.count, verdict.head_hash), Member("audit.jsonl", data=data)


def _files(environment: Environment, config: Config) -> Iterator[Member]:
    if os.path.isfile(environment.inventory_file):
        yield Member("inventory.json", path=environment.inventory_file)
    for name in (KNOWN_HOSTS, OUTPUTS):
        if os.path.isfile(environment.file(name)):
            yield Member(name, path=environment.file(name))
    for tree in TREES:
        yield from _tree(environment.file(tree), tree)
    yield from _scripts(environment, config)


def _hidden_secrets(environment: Environment) -> list[Member]:
    """Return the secrets that steps gave under the names of answers, with those answers: they are always sealed."""
    path = environment.file(SECRET_OUTPUTS)
    has_any = os.path.isfile(path) and not environment.secrets().keys().isdisjoint(
        outputs_of(environment).hidden
    )
    return [Member(SECRET_OUTPUTS, data=_read(path))] if has_any else []


def _tree(folder: str, name: str, without: frozenset[str] = frozenset(), root: str = "") -> Iterator[Member]:
    """Return the plain files of a folder; with `root`, also what links lead to as long as they stay in it."""
    if not os.path.isdir(folder):
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in without or not root and is_half_written(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _tree(entry.path, f"{name}/{entry.name}", without, root)
        elif entry.is_file(follow_symlinks=False):
            yield Member(f"{name}/{entry.name}", path=entry.path)
        elif root and entry.is_file() and os.path.realpath(entry.path).startswith(root + os.sep):
            yield Member(f"{name}/{entry.name}", path=os.path.realpath(entry.path))


def _missing(environment: Environment) -> list[str]:
    """Return the files of modules that never came here: whoever has them keeps them when the bundle is loaded."""
    names = state_of(environment).missing
    state = [name for name in names if name.startswith("modules/") and name_problem(name) is None]
    return [name for name in state if not os.path.lexists(environment.file(name))]


def _not_files(environment: Environment) -> Iterator[str]:
    """Return what of the modules' state is neither a plain file nor a folder with something in it."""
    root = environment.file("modules")
    for folder, folders, names in os.walk(root):
        if not folders and not names and os.path.dirname(folder) != root != folder:
            yield os.path.relpath(folder, environment.path)
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
                yield os.path.relpath(path, environment.path)


def _scripts(environment: Environment, config: Config) -> Iterator[Member]:
    """Return the modules' own files; what their scripts wrote beside them is state, and packed as that."""
    for module in config.modules:
        root, name = os.path.realpath(module.folder), f"scripts/{module.role}/{module.name}"
        kept = environment.file("modules", config.state_name(module), KEPT)
        for member in _tree(root, name, NOT_SCRIPTS, root):
            inner = os.path.relpath(member.name, name)
            if not module.contract.keeps_files_in_folder or not (
                is_remade(inner) or os.path.lexists(os.path.join(kept, inner))
            ):
                yield member


def _mode(member: Member) -> int:
    return 0o700 if member.path and os.access(member.path, os.X_OK) else 0o600


def _derived(config: Config, stored: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets that nobody gave: they are worked out anew from what they are made of."""
    given = {name for name, answer in config.answers.items() if answer.explicit or name in stored}
    computed = {name for module in config.modules for name in module.vars}
    return sorted(config.secrets.keys() & (computed | config.answers.keys() - given))


def _sealed(environment: Environment, secrets: Mapping[str, str], members: list[Member]) -> bytes:
    """Return what goes into the encrypted part: the secret vars, the key of their digests, files that hold them."""
    import base64

    files = {
        m.name: {
            "mode": _mode(m),
            "mtime": m.mtime,
            "data": base64.b64encode(b"".join(blocks_of(m))).decode(),
        }
        for m in members
    }
    return json.dumps({"secrets": secrets, "key": environment.key().hex(), "files": files}).encode()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _fields(environment: Environment, config: Config, head: tuple[int, str]) -> dict[str, Any]:
    root = os.path.realpath(environment.path)
    return {
        "name": environment.name,
        "id": config.id,
        "serial": head[0],
        "audit": {"count": head[0], "head": head[1]},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "platform": config.platform.name,
        "prefix": config.platform.prefix,
        "provider": config.provider.name,
        "version": config.values.get("VERSION", ""),
        "commit": git_inspect.commit(source_checkout.find(environment, config.platform, config.values)),
        "environment_dir": environment.path,
        "path_folders": [
            os.path.relpath(os.path.realpath(folder), root) for folder in environment.shell.own_folders()
        ],
        "scripts": {
            f"{m.role}/{m.name}" if m.role == "addon" else m.role: {
                "name": m.name,
                **as_recorded(m, environment, config.values),
                "sha256": digest(m.folder),
            }
            for m in config.modules
        },
        **({"addons": {m.name: m.module_name for m in config.addons}} if config.addons else {}),
    }

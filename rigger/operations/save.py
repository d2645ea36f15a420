"""Pack an environment into one file, for another machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from rigger import text
from rigger.bundles import contents, seal
from rigger.bundles.contents import Contents, backup_member, default_path
from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import resolve
from rigger.environments.last_backup import LastBackup, last_backup
from rigger.environments.state import may_have_cluster, state_of
from rigger.errors import BadUsage
from rigger.git import lfs, submodules
from rigger.operations.consent import Consent
from rigger.runs.own_folder import OwnFolder
from rigger.runs.recovery import recover
from rigger.runs.reporter import Reporter, Silent
from rigger.sources import checkout as source_checkout
from rigger.values import asdict, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.bundles.format import Member
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment

Encrypt = Callable[[bytes], bytes]


@frozen
class SaveOptions:
    """What goes into a bundle, and how it is protected."""

    with_secrets: bool = False  # keep them inside, encrypted
    recipients: Sequence[str] = ()  # age or SSH public keys, or files of them, that they are encrypted for
    passphrase_file: str | None = None  # has the passphrase in its first line; else somebody is asked
    with_checkout: bool = False  # add the platform's repository
    with_backup: bool = False  # add the newest backup of the cluster's data
    sign_key: str | None = None  # an SSH key


@frozen
class SavedBundle:
    """A bundle that was written."""

    environment: Environment
    contents: Contents
    of_cluster: bool = False  # whether there is a cluster, whose data is in no bundle but for a backup
    suspended: bool = False  # whether its only data is that of the backup
    last_backup: LastBackup | None = None
    can_back_up: bool = False  # whether the platform makes backups

    def as_dict(self) -> dict[str, Any]:
        count, hash = self.contents.head
        last = self.last_backup.as_dict() if self.last_backup else None
        return {
            **asdict(self.contents),
            "head": {"count": count, "hash": hash},
            "last_backup": last,
        }


def save(
    environment: Environment,
    path: str = "",
    options: SaveOptions | None = None,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> SavedBundle:
    """Write an environment's bundle to a file, or into a folder under a name with the time; default: the current folder.

    Raises BadUsage where it cannot be written there or a passphrase is missing, Refused where a secret would get in.
    """
    options, reporter, consent = options or SaveOptions(), reporter or Silent(), consent or Consent()
    if (options.recipients or options.passphrase_file) and not options.with_secrets:
        raise BadUsage("Nothing would be encrypted.", "Add --with-secrets.")
    path = _path(environment, path or os.curdir)
    encrypt = _encryption(options, consent) if options.with_secrets else None
    reason = environment.lock.unwritable()
    if reason:
        reporter.warn(
            f"Nothing can be written in {environment.path} ({reason}): it is packed without its lock and "
            "without taking over what a killed run may have left. Nobody else may be working on it now."
        )
    with environment.lock.watched() if reason else environment.locked("rigger save"):
        config, last = _config(environment, bool(reason)), last_backup(environment)
        written = _pack(environment, config, path, options, encrypt, last)
        if options.with_checkout:
            _say_left_out(environment, config, reporter)
        suspension = state_of(environment).suspension
        suspended = suspension is not None and bool(suspension.backup)
        can = config.platform.script("backup") is not None
        return SavedBundle(environment, written, may_have_cluster(environment), suspended, last, can)


def _path(environment: Environment, path: str) -> str:
    """Return where the bundle goes; raises BadUsage where it cannot."""
    if os.path.isdir(path):
        return default_path(environment, path)
    path = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(path)):
        raise BadUsage(
            f"There is no folder {os.path.dirname(path)}.", "Make it, or name another file with -o."
        )
    return path


def _encryption(options: SaveOptions, consent: Consent) -> Encrypt:
    """Return what encrypts: for the recipients, or with a passphrase from a file, the environment or a person."""
    if options.recipients:
        return lambda data: seal.encrypt(data, recipients=[_key(text) for text in options.recipients])
    passphrase = consent.passphrase(options.passphrase_file, "A passphrase for the secrets?", twice=True)
    return lambda data: seal.encrypt(data, passphrase=passphrase)


def _key(text: str) -> str:
    """Return a recipient: the key itself, or what stands in a public key file."""
    if not os.path.isfile(text):
        return text
    with open(text) as file:
        return file.read().strip()


def _config(environment: Environment, read_only: bool) -> Config:
    """Return the configuration, with what a killed run gave back where that can be written."""
    config = resolve(environment)
    require_recorded(environment, config)
    if read_only:
        return config
    recovered = recover(environment, config)
    OwnFolder(environment, config.provider).put_back()  # it takes over what was changed there by hand
    return resolve(environment) if recovered else config


def _pack(
    environment: Environment,
    config: Config,
    path: str,
    options: SaveOptions,
    encrypt: Encrypt | None,
    last: LastBackup | None,
) -> Contents:
    return contents.save(
        environment,
        config,
        path,
        encrypt=encrypt,
        sign=seal.signer(options.sign_key) if options.sign_key else None,
        with_checkout=options.with_checkout,
        backup=_backup(environment, last) if options.with_backup else None,
    )


def _say_left_out(environment: Environment, config: Config, reporter: Reporter) -> None:
    """Warn of what the checkout in a bundle lacks: git packs the commits of submodules' parents alone."""
    folder = source_checkout.find(environment, config.platform, config.values)
    if folder and (files := lfs.names(folder)):
        reporter.warn(f"What git-lfs keeps of {folder} is not in the bundle: {text.listed(files)}.")
    if folder and (paths := submodules.names(folder)):
        reporter.warn(
            f"The submodules of {folder} are not in the bundle: {text.listed(paths)}. Where it is loaded, they are "
            'fetched with "rigger checkout --submodules".'
        )


def _backup(environment: Environment, last: LastBackup | None) -> Member:
    """Return the newest backup as a member; raises BadUsage where there is none, or it is not here."""
    if last is None:
        raise BadUsage(
            f"There is no backup of the data of {environment.name}.",
            'Make one with "rigger backup", or leave --with-backup out.',
        )
    if not last.here:
        raise BadUsage(
            f"The last backup of {environment.name} is not here: {last.path}.",
            'Put it there again, make one with "rigger backup", or leave --with-backup out.',
        )
    return backup_member(environment, last.path)

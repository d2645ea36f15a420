"""What is inside a bundle, whether it is whole, and how it differs from another."""

from __future__ import annotations

import os

from rigger.bundles import contents, seal, unpack
from rigger.bundles import format as bundle_format
from rigger.bundles.contents import ADDED
from rigger.bundles.read import read_manifest
from rigger.configuration.resolve import resolve
from rigger.errors import DifferencesFound
from rigger.files import temporary_folder
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.bundles.format import Difference, Manifest
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home


@frozen
class Inspected:
    """What a bundle says of itself."""

    manifest: Manifest
    path: str

    def as_dict(self) -> dict[str, Any]:
        files = {name: vars(file) for name, file in self.manifest.files.items()}
        fields = dict(self.manifest.fields)
        return {"configured_version": fields.pop("version", ""), **fields, "files": files}


@frozen
class Verified:
    """A bundle every file of which is as it was written."""

    path: str
    manifest: Manifest

    def as_dict(self) -> dict[str, Any]:
        files, signer = len(self.manifest.files), self.manifest.signer
        return {"file": self.path, "files": files, "signer": signer, "good": True}


@frozen
class Compared:
    """How the files of a bundle differ from those of another, or of an environment."""

    difference: Difference

    def as_dict(self) -> dict[str, Any]:
        difference = self.difference
        return {
            "added": [*difference.added],
            "removed": [*difference.removed],
            "changed": [*difference.changed],
        }


def inspect(path: str) -> Inspected:
    """Return what a bundle says of itself; nothing of it is checked. Raises Refused for what is no bundle."""
    return Inspected(read_manifest(path), path)


def verify(home: Home, path: str, key: str | None = None) -> Verified:
    """Check every file of a bundle, its audit log and its signature; raises Refused.

    With `key`, the file of an SSH public key, it has to be signed, and by that key.
    """
    with unpack.looked_into(path, home, check_signature=seal.checker(key)) as bundle:
        return Verified(path, bundle.manifest)


def diff(
    home: Home, before: str, after: str | None = None, name: str | None = None, strict: bool = False
) -> Compared:
    """Compare a bundle with another, or, without `after`, with what would be saved now of an environment.

    `name` is that environment, without it the current one. Raises Refused, and with `strict` DifferencesFound, which
    carries the result.
    """
    old = verify(home, before).manifest
    if after:
        new = verify(home, after).manifest
    else:
        new = _as_saved_now(home.get(name))
        # What is encrypted, and what comes from a repository, differs whenever it is made.
        old = replace(
            old, files={name: file for name, file in old.files.items() if not name.startswith(ADDED)}
        )
    result = Compared(bundle_format.diff(old, new))
    if strict and result.difference:
        problem = DifferencesFound(f"{before} differs from {after or 'the environment'}.")
        raise problem.with_result(result)
    return result


def _as_saved_now(environment: Environment) -> Manifest:
    """Return the manifest that a bundle of the environment would have now."""
    with temporary_folder("rigger-") as folder, environment.locked("rigger bundle diff"):
        path = os.path.join(folder, "now.rigger")
        contents.save(environment, resolve(environment), path)
        return read_manifest(path)

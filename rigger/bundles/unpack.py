"""Unpack a saved environment beside the environments, held by a lock and swept when a load was killed."""

from __future__ import annotations

import os
from contextlib import contextmanager

from rigger.bundles import read
from rigger.bundles.opened import OpenedBundle
from rigger.bundles.rules import AGAIN
from rigger.bundles.verify import verify_contents
from rigger.environments.home import LOADING
from rigger.errors import InvalidConfig, Refused
from rigger.files import mark_in_use, remove, sweep, temporary_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.bundles.format import CheckSignature
    from rigger.environments.home import Home

ZSTD = b"\x28\xb5\x2f\xfd"


def is_bundle(path: str) -> bool:
    """Return whether a file looks like a bundle, or is called one: a damaged one is no vars file."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == ZSTD or path.endswith(".rigger")
    except OSError:
        return False


@contextmanager
def unpacked(
    path: str, home: Home, *, check_signature: CheckSignature | None = None
) -> Iterator[OpenedBundle]:
    """Verify a bundle and unpack it aside, for as long as the context lasts; raises Refused, leaving nothing."""
    home.make()
    sweep(home.environments_dir, LOADING)
    aside = os.path.join(home.environments_dir, f".load-{os.urandom(8).hex()}")
    os.mkdir(aside, 0o700)
    fd = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mark_in_use(fd)
        yield _opened(path, aside, check_signature)
    finally:
        os.close(fd)
        remove(aside)


@contextmanager
def looked_into(
    path: str, home: Home, *, check_signature: CheckSignature | None = None
) -> Iterator[OpenedBundle]:
    """As `unpacked`, for who only looks: where there is no home that can be written, it lies where the system keeps
    temporary files, and no home is made."""
    if os.access(home.environments_dir, os.W_OK | os.X_OK):
        with unpacked(path, home, check_signature=check_signature) as bundle:
            yield bundle
        return
    with temporary_folder("rigger-") as aside:
        yield _opened(path, aside, check_signature)


def _opened(path: str, aside: str, check_signature: CheckSignature | None) -> OpenedBundle:
    folder = os.path.join(aside, "bundle")
    manifest = read.extract(path, folder, check_signature=check_signature)
    bundle = OpenedBundle(path, folder, manifest)
    try:
        verify_contents(bundle)
    except InvalidConfig as problem:
        reason = problem.message.replace(folder + os.sep, "").rstrip(".")
        raise Refused(f"The bundle {path} was refused: {reason}.", AGAIN) from None
    return bundle

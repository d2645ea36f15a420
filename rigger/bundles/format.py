"""What a bundle is: the members of its archive, its manifest, and the limits that a reader insists on."""

from __future__ import annotations

from collections.abc import Callable

from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"


Sign = Callable[[bytes], bytes]
CheckSignature = Callable[[bytes, "bytes | None"], str]


@frozen
class Limits:
    """What a bundle may ask of this machine: sizes in bytes, and how many times its own it may unpack to."""

    total: int = 32 * 1024**3
    file: int = 8 * 1024**3 - 1  # what eleven octal digits hold
    count: int = 100_000
    ratio: int = 1000
    always: int = (
        4 * 1024**3
    )  # total that is fine whatever the ratio: a log that repeats itself packs thousandfold
    manifest: int = 32 * 1024**2  # also of all names together, as the manifest has them all
    signature: int = 64 * 1024
    window: int = 8 * 1024**2  # what RFC 8878 recommends every decoder to support

    def total_for(self, compressed: int) -> int:
        """The most that a file of this size may unpack to."""
        return min(self.total, max(self.always, self.ratio * compressed))


LIMITS = Limits()


@frozen
class Member:
    """What to pack: a file on disk, or bytes with a `mode` and an `mtime` (seconds; without it, now).

    `stamp` is what size (bytes) and mtime (nanoseconds) the file has to have still.
    """

    name: str
    path: str | None = None
    data: bytes | None = field(default=None, repr=False)
    mode: int = 0o600
    mtime: int | None = None
    stamp: tuple[int, int] | None = None


@frozen
class File:
    """What a manifest says of one member: size in bytes, SHA-256 in hex digits, mtime in whole seconds."""

    size: int
    sha256: str
    mode: str
    mtime: int


@frozen
class Manifest:
    """What a bundle holds; `fields` is all that is neither format nor files."""

    fields: dict[str, Any]  # JSON, from anybody: see rules.fields_problem
    files: dict[str, File]
    raw: bytes = field(repr=False)
    signature: bytes | None = field(default=None, repr=False)
    signer: str = ""  # what the check of the signature returned; empty when there is none


@frozen
class Packed:
    """A bundle that was written, and its size in bytes."""

    manifest: Manifest
    size: int


@frozen
class Difference:
    """Names that only the second has, only the first has, or both have with other contents or modes."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def diff(before: Manifest, after: Manifest) -> Difference:
    """How the files of two bundles differ; times alone do not count."""
    a, b = before.files, after.files
    changed = (name for name in a.keys() & b.keys() if _content(a[name]) != _content(b[name]))
    return Difference(
        *(tuple(sorted(names)) for names in (b.keys() - a.keys(), a.keys() - b.keys(), changed))
    )


def _content(file: File) -> tuple[int, str, str]:
    return file.size, file.sha256, file.mode


# --- reading -----------------------------------------------------------------------------------------


class Bad(Exception):
    """What is wrong with the bundle, and the next step."""

    next_step = "Get it again from whoever made it."


class Damaged(Bad):
    """Its bytes are not what somebody packed."""


class LaterFormat(Bad):
    """A later rigger wrote the bundle: it is whole, but cannot be read here."""

    next_step = "Install that rigger or a later one; getting the same bundle again does not help."

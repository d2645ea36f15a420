"""Read and verify a bundle against its manifest, and extract it to a folder that appears only when whole."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from hashlib import sha256

from rigger import __version__
from rigger.bundles.extract import Folder
from rigger.bundles.format import (
    FORMAT,
    LIMITS,
    MANIFEST,
    SIGNATURE,
    Bad,
    CheckSignature,
    Damaged,
    File,
    LaterFormat,
    Limits,
    Manifest,
)
from rigger.bundles.names import Names, shown_name
from rigger.bundles.seal import checker
from rigger.bundles.stream import Stream
from rigger.bundles.tar import Entry, read_entry
from rigger.errors import Refused
from rigger.files import saying_what_failed
from rigger.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

    from rigger.bundles import damage
else:
    damage = later("rigger.bundles.damage")


def read_manifest(path: str, *, limits: Limits = LIMITS) -> Manifest:
    """What the bundle says of itself; neither its contents nor its signature are checked. Raises Refused."""
    with _refusing(path, limits):
        return _read(path, _Nowhere(), limits, hashing=False)


def verify(path: str, *, limits: Limits = LIMITS, check_signature: CheckSignature | None = None) -> Manifest:
    """Check all of a bundle and write nothing; raises Refused. See `extract` for `check_signature`."""
    with _refusing(path, limits):
        manifest = _read(path, _Nowhere(), limits)
        return _signed(manifest, check_signature)


def extract(
    path: str,
    into: str,
    *,
    limits: Limits = LIMITS,
    check_signature: CheckSignature | None = None,
    durable: bool = True,
) -> Manifest:
    """Unpack a bundle into a new folder, which is there, mode 0700, when all of it is right, or not at all.

    `check_signature` gets the manifest's bytes and its signature or None, returns who signed and raises
    Refused; without it a signature has to fit the key that it names. With `durable` the files are on the disk
    when this returns. Raises Refused for a bundle that is not acceptable, BadUsage when `into` exists or the
    bundle cannot be read, and NotReady when `into` cannot be written.
    """
    with _refusing(path, limits), saying_what_failed(into), Folder(into) as folder:
        manifest = _signed(_read(path, folder, limits), check_signature)
        folder.commit(durable)
        return manifest


def _signed(manifest: Manifest, check_signature: CheckSignature | None) -> Manifest:
    if check_signature is None:
        if manifest.signature is None:
            return manifest
        check_signature = checker()
    signer = check_signature(manifest.raw, manifest.signature)
    return Manifest(manifest.fields, manifest.files, manifest.raw, manifest.signature, signer)


@contextmanager
def _refusing(path: str, limits: Limits) -> Iterator[None]:
    """Say why a bundle is refused; of a damaged one, at which file inside."""
    try:
        yield
    except Bad as bad:
        most = limits.total_for(os.path.getsize(path)) if isinstance(bad, Damaged) else 0
        inside = damage.damaged_file(path, limits, most) if most else ""
        where = f", at {shown_name(inside)}" if inside else ""
        raise Refused(f"The bundle {path} was refused: {bad}{where}.", bad.next_step) from bad


def _read(path: str, sink: _Nowhere | Folder, limits: Limits, hashing: bool = True) -> Manifest:
    with Stream(path, limits) as stream:
        reader = _Reader(stream, sink, limits, hashing)
        manifest = reader.manifest()
    if hashing:
        _compare(manifest.files, reader.members())
    elif manifest.files.keys() != reader.sizes.keys():
        _compare_names(manifest.files.keys(), reader.sizes.keys())
    return manifest


class _Reader:
    """Takes the members from the stream, in the one order in which they may come."""

    def __init__(self, stream: Stream, sink: _Nowhere | Folder, limits: Limits, hashing: bool):
        self.sizes: dict[str, Entry] = {}
        self._stream, self._sink, self._limits, self._hashing = stream, sink, limits, hashing
        self._names = Names(limits)
        self._digests: dict[str, Callable[[], str]] = {}

    def manifest(self) -> Manifest:
        """Everything up to the end of the bundle."""
        entry = self._next()
        while entry and entry.name not in (MANIFEST, SIGNATURE):
            self._member(entry)
            entry = self._next()
        if entry is None or entry.name != MANIFEST:
            raise Bad("it has no manifest at its end")
        raw, signature = self._whole(entry, self._limits.manifest), None
        entry = self._next()
        if entry and entry.name == SIGNATURE:
            signature = self._whole(entry, self._limits.signature)
            entry = self._next()
        if entry:
            raise Bad(f"{shown_name(entry.name)} comes after the manifest")
        self._stream.expect_end()
        return _parse_manifest(raw, signature)

    def members(self) -> dict[str, File]:
        """The members that came, as a manifest has them."""
        return {
            name: File(entry.size, self._digests[name](), f"{entry.mode:04o}", entry.mtime)
            for name, entry in self.sizes.items()
        }

    def _next(self) -> Entry | None:
        block = self._stream.take(512)
        if block.count(0) == 512:
            return None
        entry = read_entry(self._stream, block)
        limit = min(self._limits.file, self._stream.most)
        if entry.size > limit:
            raise Bad(f"{shown_name(entry.name)} is larger than {limit} bytes")
        return entry

    def _member(self, entry: Entry) -> None:
        problem = self._names.take(entry.name)
        if problem:
            raise Bad(f"{shown_name(entry.name)}: {problem}")
        if self.sizes and next(reversed(self.sizes)) > entry.name:
            raise Bad(f"{shown_name(entry.name)} is not in its place in the order of names")
        self.sizes[entry.name] = entry
        digest = sha256()
        self._digests[entry.name] = digest.hexdigest
        update = digest.update if self._hashing else None
        with self._sink.file(entry) as write:
            for piece in self._stream.pieces(entry.size, update):
                write(piece)
        self._skip_padding(entry)

    def _whole(self, entry: Entry, limit: int) -> bytes:
        if entry.size > limit or entry.mode != 0o600:
            raise Bad(f"{shown_name(entry.name)} is larger than {limit} bytes or has a run bit")
        data = self._stream.take(entry.size)
        self._skip_padding(entry)
        return data

    def _skip_padding(self, entry: Entry) -> None:
        if any(self._stream.take(-entry.size % 512)):
            raise Bad(f"there are bytes between {shown_name(entry.name)} and the next file")


def _compare(listed: dict[str, File], members: dict[str, File]) -> None:
    _compare_names(listed.keys(), members.keys())
    for name, file in members.items():
        if listed[name] != file:
            raise Bad(f"{shown_name(name)} is not what the manifest says")


def _compare_names(listed: Set[str], members: Set[str]) -> None:
    for name in sorted(listed - members):
        raise Bad(f"{shown_name(name)} is in its manifest but missing")
    for name in sorted(members - listed):
        raise Bad(f"{shown_name(name)} is not in its manifest")


def _parse_manifest(raw: bytes, signature: bytes | None) -> Manifest:
    try:
        content = json.loads(
            raw.decode("ascii"),
            object_pairs_hook=_without_duplicates,
            parse_int=_short_int,
            parse_constant=_short_int,
        )
    except (ValueError, RecursionError) as error:
        raise Bad("its manifest is not JSON as rigger writes it") from error
    if not isinstance(content, dict):
        raise Bad("its manifest is not a JSON object")
    if type(content.get("format")) is not int or content["format"] != FORMAT:
        if type(content.get("format")) is int and content["format"] > FORMAT:
            raise LaterFormat(
                f"rigger {shown_name(str(content.get('rigger')))} wrote it in format {content['format']}, and this is "
                f"rigger {__version__}, which reads format {FORMAT}"
            )
        raise Bad(
            f"its format is {shown_name(str(content.get('format')))}, and this rigger reads format {FORMAT}"
        )
    files = content.get("files")
    if not isinstance(files, dict):
        raise Bad("its manifest lists no files")
    parsed = {name: _parse_file(name, entry) for name, entry in files.items()}
    fields = {key: value for key, value in content.items() if key not in ("format", "files")}
    return Manifest(fields, parsed, raw, signature)


_FILE_TYPES = {"size": int, "sha256": str, "mode": str, "mtime": int}


def _parse_file(name: str, entry: object) -> File:
    if not isinstance(entry, dict) or {key: type(value) for key, value in entry.items()} != _FILE_TYPES:
        raise Bad(f"its manifest does not say size, sha256, mode and mtime of {shown_name(name)}")
    return File(**entry)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _short_int(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number is too long")
    return int(digits)


# --- unpacking ---------------------------------------------------------------------------------------


class _Nowhere:
    """Takes files and forgets them."""

    @contextmanager
    def file(self, entry: Entry) -> Iterator[Callable[[memoryview], None]]:
        yield _forget


def _forget(piece: memoryview) -> None:
    pass

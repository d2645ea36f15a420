"""Where a bundle is damaged: the file inside that is not whole, as far as that can be told."""

from __future__ import annotations

import json
import tarfile

from rigger.bundles.format import MANIFEST
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.bundles.format import Limits

STEP = 512  # bytes that are unpacked at a time: what comes before the damage is had
PIECE = 1024 * 1024


class _Unpacked:
    """What a damaged file unpacks to, up to the damage."""

    def __init__(self, path: str, window: int, most: int):
        import zstandard

        self._file = open(path, "rb")  # noqa: SIM115 - closed by whoever reads to the end
        self._errors = zstandard.ZstdError
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()
        self._ready = b""
        self._left = most

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and self._left > 0 and (step := self._file.read(STEP)):
            try:
                more = self._unpacker.decompress(step)
            except self._errors:
                self._left = 0
                break
            self._ready += more
            self._left -= len(more)
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def close(self) -> None:
        self._file.close()


def damaged_file(path: str, limits: Limits, most: int) -> str:
    """Return the name of the file in a damaged bundle that is not as its manifest says, else of that where it breaks off.

    At most so many bytes are unpacked. Nothing where neither can be told.
    """
    digests: dict[str, str] = {}
    at, manifest = "", b""
    source = _Unpacked(path, limits.window, most)
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:  # type: ignore[call-overload]
            for member in tar:
                at, digest, file = str(member.name), sha256(), tar.extractfile(member)
                if file is None:
                    return at
                if at == MANIFEST and member.size <= limits.manifest:
                    manifest = file.read()
                while piece := file.read(PIECE):
                    digest.update(piece)
                digests[at] = digest.hexdigest()
        files = json.loads(manifest)["files"]
        listed = {str(name): str(one["sha256"]) for name, one in files.items()}
    except (tarfile.TarError, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError):
        return at
    finally:
        source.close()
    other = sorted(name for name, digest in listed.items() if digests.get(name) != digest)
    return other[0] if other else ""

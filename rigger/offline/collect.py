"""Bring what modules need into one folder: the one downloader for files, packages, wheels and images."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from hashlib import sha256

from rigger import __version__, download
from rigger.errors import NotReady, RiggerError
from rigger.files import PACKAGE, remove, temporary_folder
from rigger.offline import debian
from rigger.offline.programs import Failed, require, run
from rigger.offline.wanted import DEBIAN, FILE, IMAGE, PYTHON
from rigger.sha256 import digest_of_file
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rigger.offline.wanted import Wanted

EPOCH = "315532800"  # 1980, the first year that a zip file can name
LARGEST = 8 * 1024**3 - 1  # bytes of a file, as in bundles
SECONDS = 3600.0  # that one file may take
FOLDERS = {FILE: "files", DEBIAN: "debian", PYTHON: "python", IMAGE: "images"}
OCI_LAYOUT = {"imageLayoutVersion": "1.0.0"}  # of the OCI image specification, image-layout.md


def collect(wanted: Iterable[Wanted], folder: str, say: Callable[[str], None]) -> None:
    """Bring all that is wanted into a folder; raises NotReady that names each thing which cannot be had, and who asked."""
    problems = []
    every = list(wanted)
    with debian.Packages() as packages:
        bring: dict[str, Callable[[Wanted, str], None]] = {
            FILE: _file,
            PYTHON: _python,
            IMAGE: _image,
            DEBIAN: packages.bring,
        }
        for one in every:
            say(f"{one.value} for {one.module}")
            into = os.path.join(folder, FOLDERS[one.kind])
            os.makedirs(into, exist_ok=True)
            try:
                bring[one.kind](one, into)
            except Failed as problem:
                problems.append(f"{one} cannot be had: {problem}.")
    if problems:
        raise NotReady(
            f"{' '.join(problems)} Nothing was written.",
            ways(("Correct that, then try again", "rigger offline export")),
        )


def file_name(url: str) -> str:
    """Return the name that a file of a URL gets."""
    name = os.path.basename(re.split("[?#]", url)[0])
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name).strip(".") or "file"


def _file(one: Wanted, into: str) -> None:
    folder = os.path.join(into, one.sha256)
    path, digest = os.path.join(folder, file_name(one.value)), sha256()
    if os.path.exists(path):
        return
    os.makedirs(folder, exist_ok=True)
    try:
        with open(path, "wb") as file:

            def take(block: bytes) -> None:
                digest.update(block)
                file.write(block)

            download.fetch(one.value, take, LARGEST, SECONDS, verified=True)
        if digest.hexdigest() != one.sha256:
            raise Failed(f"its SHA-256 is {digest.hexdigest()}, not {one.sha256}")
    except RiggerError as problem:
        remove(folder)
        raise Failed(problem.message.rstrip(".")) from None
    except Failed:
        remove(folder)
        raise


def _python(one: Wanted, into: str) -> None:
    _wheels([one.value], into)


def _wheels(words: list[str], into: str) -> None:
    if any(word.startswith("-") for word in words):
        raise Failed("it would be an option of pip")
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-input", "--wheel-dir", into, *words]
    run(argv, {"SOURCE_DATE_EPOCH": EPOCH})  # of wheels that are made here: the same files are the same wheel


def rigger_itself(folder: str, say: Callable[[str], None]) -> None:
    """Bring the wheels of this rigger, and of all that it needs, into a folder; raises NotReady."""
    say(f"rigger {__version__}, with all that it needs")
    source = os.path.dirname(PACKAGE)
    is_source = os.path.isfile(os.path.join(source, "setup.cfg"))
    try:
        _wheels([source if is_source else f"rigger=={__version__}"], folder)
    except Failed as problem:
        raise NotReady(
            f"rigger {__version__} cannot be had: {problem}.",
            "Add --without-rigger where the other machine has it.",
        ) from None


def _image(one: Wanted, into: str) -> None:
    """Bring an image as an OCI layout of its own, byte for byte: its digest stays the one of the manifest."""
    program = require("skopeo", f"brings {one}")
    name, _, digest = one.value.partition("@sha256:")
    place = os.path.join(into, digest)
    if os.path.exists(place):
        return
    with temporary_folder("rigger-image-") as aside:
        copy = os.path.join(aside, "copy")
        plain = [] if not _on_loopback(name) else ["--src-tls-verify=false"]
        run([program, "copy", "--quiet", "--all", *plain, f"docker://{name}@sha256:{digest}", f"dir:{copy}"])
        _as_layout(copy, place, name, digest)


def _on_loopback(name: str) -> bool:
    return re.match(r"(localhost|127\.0\.0\.1)(:|/)", name) is not None


def _as_layout(copy: str, place: str, name: str, digest: str) -> None:
    """Make an OCI layout of what skopeo copied; it would write one itself, but with other digests for older images."""
    blobs = os.path.join(place, "blobs", "sha256")
    os.makedirs(blobs)
    for file in os.listdir(copy):
        if file == "version":
            continue
        path = os.path.join(copy, file)
        shutil.move(path, os.path.join(blobs, digest_of_file(path)))
    manifest = os.path.join(blobs, digest)
    if not os.path.isfile(manifest):
        remove(place)
        raise Failed(f"its registry gave no manifest of the digest {digest}")
    with open(manifest, encoding="utf-8") as opened:
        kind = json.load(opened).get("mediaType") or "application/vnd.oci.image.manifest.v1+json"
    entry = {
        "mediaType": kind,
        "digest": f"sha256:{digest}",
        "size": os.path.getsize(manifest),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }
    _write(os.path.join(place, "index.json"), {"schemaVersion": 2, "manifests": [entry]})
    _write(os.path.join(place, "oci-layout"), OCI_LAYOUT)


def _write(path: str, data: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file)

"""What an import gave: a folder with files, packages, wheels, images and modules, which scripts find as $RIGGER_MIRROR."""

from __future__ import annotations

import json
import os
import re
import shutil

from rigger.errors import Refused
from rigger.files import link_tree, unlink_if_there
from rigger.offline import bom, debian
from rigger.offline.programs import Failed, run
from rigger.sha256 import digest_of_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TOPS = ("files", "debian", "python", "images", "modules", "rigger", "bundles")
DERIVED = ("Packages", debian.SOURCES, "v1.yaml")  # made anew by each import


def files_of(folder: str) -> dict[str, str]:
    """Return all files below a folder: their paths in it, and their SHA-256 in hex."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = digest_of_file(path)
    return found


def complete(new: str, place: str, files: Mapping[str, str], earlier: Mapping[str, str]) -> None:
    """Add to an unpacked export what it leaves to earlier ones, and what others gave; raises Refused for what is missing.

    `files` and `earlier` are what it has and what it leaves out, path -> SHA-256.
    """
    for path, digest in earlier.items():
        old = os.path.join(place, path)
        if not os.path.isfile(old) or digest_of_file(old) != digest:
            raise Refused(
                f"It has only what an earlier export lacks, and {path} is not in {place} as it was there.",
                "Import the earlier export first, then this one.",
            )
    _require_bill(new, {**files, **earlier})
    for parent, _, names in os.walk(place):
        for name in names:
            path = os.path.join(parent, name)
            target = os.path.join(new, os.path.relpath(path, place))
            if name not in DERIVED and not os.path.lexists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                link_tree(path, target)


def _require_bill(new: str, files: Mapping[str, str]) -> None:
    """Raise Refused unless the bill of materials lists all of an export, each with its hash, and nothing else."""
    try:
        with open(os.path.join(new, bom.FILE), encoding="utf-8") as file:
            listed = {one["bom-ref"]: one["hashes"][0]["content"] for one in json.load(file)["components"]}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise Refused("Its bill of materials cannot be read.", "Get it again from whoever made it.") from None
    other = {path for path in {*listed, *files} - {bom.FILE} if listed.get(path) != files.get(path)}
    if other:
        raise Refused(
            f"{min(other)} is not what its bill of materials says.", "Get it again from whoever made it."
        )


def write_indexes(new: str, place: str) -> None:
    """Make what programs need to find their way in it: apt's index, and that of a repository of modules."""
    packages = os.path.join(new, "debian")
    if os.path.isdir(packages) and shutil.which("dpkg-deb"):
        try:
            debian.write_index(packages)
        except Failed as problem:
            raise Refused(f"One of its Debian packages is none: {problem}.") from None
        debian.write_sources(packages, os.path.join(place, "debian"))
    modules = os.path.join(new, "modules")
    lines = ["version: v1", "kind: Repository", "name: offline", "components:"]
    for name in sorted(os.listdir(modules)) if os.path.isdir(modules) else ():
        if os.path.isdir(os.path.join(modules, name)):
            lines += [f"  - name: {name}", "    versions:"]
            versions = sorted(os.listdir(os.path.join(modules, name)))
            lines += [
                f"      - {{version: {json.dumps(one)}, folder: {json.dumps(f'{name}/{one}')}}}"
                for one in versions
            ]
    if len(lines) > 4:
        with open(os.path.join(modules, "v1.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def images(place: str) -> dict[str, str]:
    """Return the images of a mirror: NAME@sha256:DIGEST, and the folder of its OCI layout."""
    folder, found = os.path.join(place, "images"), {}
    for digest in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        try:
            with open(os.path.join(folder, digest, "index.json"), encoding="utf-8") as file:
                name = json.load(file)["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            continue
        if re.fullmatch(r"[A-Za-z0-9][\w./:-]*", name):
            found[f"{name}@sha256:{digest}"] = os.path.join(folder, digest)
    return found


def load_image(image: str, layout: str, registry: str) -> str:
    """Give an image to a registry, else to podman where that is installed; return where it is now. Raises Failed."""
    name = image.partition("@")[0]
    if registry and shutil.which("skopeo"):
        path = name.partition("/")[2] if re.match("[^/]*[.:][^/]*/|localhost/", name) else name
        plain = ["--dest-tls-verify=false"] if re.match(r"(localhost|127\.0\.0\.1)(:|$)", registry) else []
        target = f"docker://{registry}/{_without_tag(path)}:rigger"
        run(["skopeo", "copy", "--quiet", "--all", "--preserve-digests", *plain, f"oci:{layout}", target])
        return f"{registry}/{path}@{image.partition('@')[2]}"
    if shutil.which("podman"):
        _into_podman(name, layout)
        return "podman"
    return ""


def _into_podman(name: str, layout: str) -> None:
    """Have podman read a layout; it names an image by its path, which it takes in lower-case letters alone."""
    link = os.path.join("/tmp", f"rigger-image-{os.urandom(8).hex()}")
    os.symlink(layout, link)
    try:
        identity = run(["podman", "pull", "--quiet", f"oci:{link}"]).strip()
        run(["podman", "tag", identity, f"{_without_tag(name)}:rigger"])
        run(["podman", "untag", identity, f"localhost{link}"])
    finally:
        unlink_if_there(link)


def _without_tag(name: str) -> str:
    top, slash, last = name.rpartition("/")
    return f"{top}{slash}{last.partition(':')[0]}"

"""Debian packages with everything they need, by an apt that has a state of its own: nothing of this machine is changed."""

from __future__ import annotations

import os
import re
import tempfile

from rigger.files import remove
from rigger.offline.programs import Failed, require, run
from rigger.sha256 import digest_of_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.offline.wanted import Wanted

SOURCES = "sources.list"


class Packages:
    """What apt can have; its lists are read when the first package is wanted."""

    def __init__(self) -> None:
        self._folder = ""
        self._why_not = ""

    def __enter__(self) -> Packages:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._folder:
            remove(self._folder)

    def bring(self, one: Wanted, into: str) -> None:
        """Bring a package and all that it needs, on a machine that has none of it; raises Failed or NotReady."""
        if not self._folder:
            self._begin(one)
        if self._why_not:
            raise Failed(self._why_not)
        if one.value.startswith("-"):
            raise Failed("it would be an option of apt-get")
        shown = self._apt("install", "--simulate", "--no-install-recommends", one.value)
        found = re.findall(r"^Inst (\S+) \((\S+) ", shown, re.M)
        # Installing them to the cache alone would leave those of a folder where they are.
        self._apt("download", *(f"{name}={version}" for name, version in found), cwd=into)

    def _begin(self, one: Wanted) -> None:
        require("apt-get", f"brings {one}")
        self._folder = tempfile.mkdtemp(prefix="rigger-apt-")
        for name in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self._folder, name))
        with open(os.path.join(self._folder, "status"), "w"):
            pass  # no package is installed there, so that everything is brought
        try:
            self._apt("update", "--error-on=any")
        except Failed as problem:
            self._why_not = f"apt-get update failed: {problem}"

    def _apt(self, *words: str, cwd: str | None = None) -> str:
        settings = {
            "Dir::State": os.path.join(self._folder, "state"),
            "Dir::State::status": os.path.join(self._folder, "status"),
            "Dir::Cache": os.path.join(self._folder, "cache"),
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return run(["apt-get", "-qq", *options, *words], {"DEBIAN_FRONTEND": "noninteractive"}, cwd=cwd)


def write_index(folder: str) -> None:
    """Make a folder of packages one that apt can read, with a file for its option Dir::Etc::SourceList; raises Failed."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".deb"))
    paragraphs = [_paragraph(folder, name) for name in names]
    with open(os.path.join(folder, "Packages"), "w", encoding="utf-8") as file:
        file.write("\n".join(paragraphs))


def write_sources(folder: str, place: str) -> None:
    """Write the file for apt of a folder that will be in another place."""
    with open(os.path.join(folder, SOURCES), "w", encoding="utf-8") as file:
        file.write(f"deb [trusted=yes] file:{place} ./\n")


def _paragraph(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    control = run(["dpkg-deb", "--field", path]).rstrip("\n")
    return f"{control}\nFilename: ./{name}\nSize: {os.path.getsize(path)}\nSHA256: {digest_of_file(path)}\n"

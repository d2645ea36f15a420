"""Repositories of add-ons that tests write: folders with an index, and git repositories of them."""

import os

from helpers.repositories import git, put
from rigger.trust.digests import digest

MANIFEST = "interface: 2\nname: {name}\nrole: addon\nversion: {version}\n{more}"


class Shelf:
    """A folder with modules and an index of them, which a test changes."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.entries = {}

    def write(self, name, version, more="description: A module\n", digested=True, **scripts):
        """Write a version of a module into a folder of its own, and the index with it."""
        folder = os.path.join(self.folder, name, version)
        put(folder, "rigger.yml", MANIFEST.format(name=name, version=version, more=more))
        for verb, body in {"apply": "", "destroy": "", **scripts}.items():
            put(folder, verb, f"#!/bin/sh\n{body}")
        self.entries.setdefault(name, {})[version] = {"folder": f"{name}/{version}"}
        if digested:
            self.entries[name][version]["digest"] = f"sha256:{digest(folder)}"
        self.write_index()
        return folder

    def write_index(self, name=""):
        lines = ["version: v1", "kind: Repository", *([f"name: {name}"] if name else []), "components:"]
        for component, versions in self.entries.items():
            lines += [f"  - name: {component}", "    versions:"]
            for version, fields in versions.items():
                rest = "".join(f", {key}: {value}" for key, value in fields.items())
                lines.append(f"      - {{version: {version}{rest}}}")
        put(self.folder, "v1.yaml", "\n".join(lines) + "\n")

    def commit(self, subject="More"):
        """Make a commit of all that is there, and return it; the folder becomes a git repository with the first."""
        if not os.path.exists(os.path.join(self.folder, ".git")):
            git(self.folder, "init", "-q", "-b", "main")
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", subject)
        return git(self.folder, "rev-parse", "HEAD")

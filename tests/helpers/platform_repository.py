"""The repository of a platform `oak`, with a provider of its own, and what rigger made of it."""

import os

from helpers.repositories import git, put
from rigger.envfile import file as envfile

PLATFORM = """\
interface: 2
name: oak
role: platform
description: A tree in a repository
versions: git-tags
questions:
  - {name: COLOUR, default: green, advanced: true}
  - {name: SHADE, default: dark, changes: none, advanced: true}
upgrades: {graceful: {description: bit by bit}}
suites: {smoke: {tests: [greets]}}
"""
PROVIDER = "interface: 2\nname: soil\nrole: provider\ndescription: The ground of the repository\n"
SAYS = '#!/bin/sh\n# Summary: Say what runs.\necho "$0 of $OAK_VERSION in $OAK_ROOT"\n'


class Repository:
    """The repository of the platform `oak`, with a provider of its own and some releases."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.url = f"file://{folder}"
        os.makedirs(self.folder)
        git(folder, "init", "-q", "-b", "main")
        git(folder, "config", "uploadpack.allowFilter", "true")
        self.write("rigger/rigger.yml", PLATFORM)
        self.write("rigger/lib/common.sh", "# shared\n")
        for verb in ("install", "deploy", "check", "undeploy", "upgrade-graceful", "tests/greets"):
            self.write(f"rigger/{verb}", SAYS)
        self.write("contrib/soil/rigger.yml", PROVIDER)
        for verb in ("install", "create", "check", "destroy"):
            self.write(f"contrib/soil/{verb}", SAYS)
        self.write(".gitignore", "build/\n")
        for tag in ("v1.9.0", "1.10.0-beta.1", "1.10.0-rc.1", "v1.10.0", "1.11.0-beta.1"):
            self.release(tag)
        git(folder, "branch", "next")
        self.commit("past all releases", more="yes\n")

    def write(self, name, content):
        put(self.folder, name, content)

    def commit(self, subject, **files):
        for name, content in files.items():
            self.write(name, content)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", subject)
        return git(self.folder, "rev-parse", "HEAD")

    def release(self, tag, **files):
        commit = self.commit(f"release {tag}", release=f"{tag}\n", **files)
        git(self.folder, "tag", *(["-a", "-m", tag] if "rc" in tag else []), tag)
        return commit


def vars_of(rigger, name="oak"):
    return envfile.read(rigger.path("environments", name, "vars"))


def checkout_of(rigger, name="oak"):
    return rigger.path("environments", name, "checkout")

"""Real git repositories for tests: one that offers versions, and programs that must never run."""

import os
import subprocess

from rigger.git import clone as git_clone
from rigger.git import remote as git_remote

NAME = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]


def git(folder, *words, check=True) -> str:
    """Run git in a folder and return what it printed."""
    said = subprocess.run(
        ["git", "-C", str(folder), *NAME, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert not check or said.returncode == 0, f"git {' '.join(map(str, words))}: {said.stderr}"
    return said.stdout.strip()


def put(folder, name, content):
    """Write a file into a folder; what begins with #! may be run."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)
    os.chmod(path, 0o755 if content.startswith("#!") else 0o644)


class Upstream:
    """A repository that others work on, with releases 1.9.0, 1.10.0-rc1 and 1.10.0, and a commit more on main."""

    def __init__(self, folder, filters=True):
        self.folder = str(folder)
        self.url = f"file://{folder}"
        os.makedirs(self.folder)
        git(folder, "init", "-q", "-b", "main")
        git(folder, "config", "uploadpack.allowFilter", str(filters).lower())
        self.commits = {}
        for tag in ("v1.9.0", "v1.10.0-beta.1", "v1.10.0-rc1", "1.10.0"):
            self.commits[tag] = self.commit(tag, file=tag, **{"contrib/soil/create": f"#!/bin/sh\n# {tag}\n"})
            annotated = ["-a", "-m", "a release"] if "rc" in tag else []
            git(folder, "tag", *annotated, tag)
        git(folder, "tag", "nightly")
        self.commits["main"] = self.commit("the newest", newest="yes")

    def commit(self, subject, **files) -> str:
        """Write files, commit them, and return the commit."""
        for name, content in files.items():
            put(self.folder, name, content)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", subject)
        return git(self.folder, "rev-parse", "HEAD")


class Canary:
    """A program that leaves a mark when it runs, however it is called."""

    def __init__(self, folder):
        self.mark = os.path.join(folder, "it-ran")
        self.program = os.path.join(folder, "canary")
        with open(self.program, "w") as file:
            file.write(f'#!/bin/sh\necho "$0 $*" >>{self.mark}\n')
        os.chmod(self.program, 0o755)

    def ran(self) -> str:
        """Return how it was called, nothing where it was not."""
        try:
            with open(self.mark) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def settle_in(self, folder) -> None:
        """Name the program wherever the settings of a repository can name one."""
        git_dir = os.path.join(folder, ".git")
        settings = {
            "core.fsmonitor": self.program,
            "core.hooksPath": os.path.join(git_dir, "hooks"),
            "core.sshCommand": self.program,
            "core.gitProxy": self.program,
            "core.pager": self.program,
            "core.editor": self.program,
            "core.askPass": self.program,
            "core.alternateRefsCommand": self.program,
            "credential.helper": f"!{self.program}",
            "diff.external": self.program,
            "diff.bad.textconv": self.program,
            "diff.bad.command": self.program,
            "merge.bad.driver": self.program,
            "filter.bad.clean": self.program,
            "filter.bad.smudge": self.program,
            "filter.bad.process": self.program,
            "filter.bad.required": "true",
            "gpg.program": self.program,
            "gpg.ssh.program": self.program,
            "log.showSignature": "true",
            "alias.status": f"!{self.program}",
            "alias.describe": f"!{self.program}",
            "uploadpack.packObjectsHook": self.program,
            "remote.origin.uploadpack": self.program,
            "remote.origin.vcs": "bad",
            "remote.origin.proxy": self.program,
            "pager.log": self.program,
            "interactive.diffFilter": self.program,
            "protocol.ext.allow": "always",
            "protocol.allow": "always",
            f"url.ext::{self.program} .insteadOf": "file:",
        }
        for name, value in settings.items():
            git(folder, "config", name, value)
        other = os.path.join(git_dir, "more")
        git(folder, "config", "--file", other, "core.fsmonitor", self.program)
        git(folder, "config", "include.path", other)
        hooks = os.path.join(git_dir, "hooks")
        os.makedirs(hooks, exist_ok=True)
        for hook in (
            "post-checkout pre-commit post-commit reference-transaction post-index-change fsmonitor-watchman "
            "post-merge post-rewrite pre-auto-gc pre-push proc-receive update"
        ).split():
            os.symlink(self.program, os.path.join(hooks, hook))
        attributes = os.path.join(git_dir, "info", "attributes")
        os.makedirs(os.path.dirname(attributes), exist_ok=True)
        with open(attributes, "w") as file:
            file.write("* filter=bad diff=bad merge=bad\n")


def update(upstream, folder, **asked):
    git_clone.update(folder, upstream.url, git_remote.resolve(upstream.url, **asked))


def write(folder, name, content="mine\n"):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def content(folder, name) -> str:
    with open(os.path.join(folder, name)) as file:
        return file.read()


def said(problem) -> str:
    return f"{problem.value.message} {problem.value.next_step}"

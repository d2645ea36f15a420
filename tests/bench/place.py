"""A folder with rigger installed in it (not editable, its bytecode compiled), as people have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNWANTED = (".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")

FOUR = """
interface: 2
name: four
role: platform
description: Four tests that do nothing
suites:
  four: {description: Four tests that do nothing, tests: [one, two, three, four]}
"""
TESTS = ("one", "two", "three", "four")


class Place:
    """Where a run of the bench works, with an environment that has nothing in it that would slow Python down."""

    def __init__(self, folder: str, rounds: int):
        self.folder = folder
        self.rounds = rounds
        self.python = self.file("venv", "bin", "python")
        self.rigger = self.file("venv", "bin", "rigger")
        self.home = self.file("home", ".rigger")
        self.memory = 0.0  # MB, that the command needed which ran last
        self.env = {
            "HOME": self.file("home"),
            "RIGGER_HOME": self.home,
            "RIGGER_PLATFORM_PATH": self.file("platforms"),
            "RIGGER_PROVIDER_PATH": self.file("providers"),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "USER": os.environ.get("USER", "root"),  # as a login has it
        }
        os.makedirs(self.env["HOME"])

    def file(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def write(self, path: str, text: str, mode: int = 0o644) -> str:
        path = self.file(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *argv: str) -> float:
        """Run a command to its end; return the seconds that it took. What it prints goes to a file, as in a log."""
        with open(self.file("output.log"), "wb") as output:
            begun = time.perf_counter()
            program = subprocess.Popen(
                argv, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            _, status, usage = os.wait4(program.pid, 0)
            took = time.perf_counter() - begun
        program.returncode = os.waitstatus_to_exitcode(status)
        self.memory = usage.ru_maxrss / 1024
        if program.returncode:
            with open(self.file("output.log"), errors="replace") as output:
                sys.exit(f"{' '.join(argv)} exited {program.returncode}:\n{output.read()[-4000:]}")
        return took

    def said(self) -> str:
        """Return what the command printed which ran last."""
        with open(self.file("output.log"), errors="replace") as output:
            return output.read()

    def rounds_of(self, *commands: Sequence[str] | Callable[[], float], rounds: int = 0) -> list[list[float]]:
        """Return the seconds of each command, round by round; they take turns, and a first turn only warms up."""
        turns = [
            [command() if callable(command) else self.run(*command) for command in commands]
            for _ in range((rounds or self.rounds) + 1)
        ]
        return [list(column) for column in zip(*turns[1:], strict=True)]

    def install(self) -> None:
        source = self.file("source")
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*UNWANTED))
        self.env.update({name: value for name, value in os.environ.items() if name.startswith("PIP_")})
        self.run(sys.executable, "-m", "venv", self.file("venv"))
        self.run(self.python, "-m", "pip", "install", "--quiet", "--use-pep517", source)
        self.run(self.python, "-m", "compileall", "-q", self.file("venv", "lib"))

    def configure(self, name: str, platform: str, provider: str = "noop") -> None:
        """Make an environment the current one, with every question's default."""
        chosen = ("--name", name, "--platform", platform, "--provider", provider)
        self.run(self.rigger, "configure", "--defaults", *chosen)

    def four(self) -> str:
        """Have an environment of four no-op tests, provisioned, as the current one; return the folder of the tests."""
        tests = self.file("platforms", "four", "tests")
        if not os.path.isdir(tests):
            self.platform("four", FOUR, tests={name: "" for name in TESTS})
            self.configure("four", "four")
            self.run(self.rigger, "provision")
        self.run(self.rigger, "use", "four")
        return tests

    def platform(self, name: str, manifest: str, tests: dict[str, str], **scripts: str) -> None:
        """Write a platform whose scripts do nothing, but for those that are given."""
        self.write(f"platforms/{name}/rigger.yml", manifest)
        for script in ("install", "deploy", "check", "undeploy"):
            self.write(f"platforms/{name}/{script}", f"#!/bin/sh\n{scripts.get(script, '')}", 0o755)
        for test, text in tests.items():
            self.write(f"platforms/{name}/tests/{test}", f"#!/bin/sh\n{text}", 0o755)

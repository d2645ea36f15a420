"""Scripts that are run the way rigger runs steps, in this process or in another Python."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid

import pexpect
import pytest
from conftest import ROOT

from rigger.process import capture, tree
from rigger.process import interrupts as process_interrupts
from rigger.process import step as step_process

PATH = "/usr/local/bin:/usr/bin:/bin"

linux = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")

DRIVER = """
import json, os, signal, sys
from rigger.process import spawn, step
from rigger.process.interrupts import Interrupts

options = json.loads(sys.argv[1])
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGCHLD"):
    ignored = signal.SIG_IGN if name in options.get("ignored", []) else signal.SIG_DFL
    signal.signal(getattr(signal, name), ignored)
for fd in options.get("closed", []):
    os.close(fd)
if options.get("closed"):
    spawn.ensure_standard_descriptors()
keep_open = []
if "lock" in options:
    import fcntl
    keep_open = [os.open(options["lock"], os.O_RDWR | os.O_CREAT)]
    fcntl.flock(keep_open[0], fcntl.LOCK_EX)
    os.set_inheritable(keep_open[0], False)
with Interrupts() as interrupts:
    outcome = step.run(
        [options["script"]], cwd=options["cwd"], env=options["env"], interrupts=interrupts,
        sink=lambda block: os.write(1, block), say=lambda sentence: os.write(1, (sentence + "\\n").encode()),
        tick=lambda: os.write(1, b"") if options.get("quiet") else None, keep_open=keep_open,
        **options.get("how", {}))
with open(options["report"] + ".new", "w") as report:
    json.dump({"exit_code": outcome.exit_code, "interrupted": outcome.interrupted, "killed": outcome.killed,
               "sink_error": str(outcome.sink_error), "requests": interrupts.count,
               "signal_name": interrupts.signal_name}, report)
os.rename(options["report"] + ".new", options["report"])
"""


class World:
    """A folder for scripts, and a mark in their environment by which their processes are found again."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.mark = "RIGGER_TEST_MARK=" + uuid.uuid4().hex
        self.env = dict([self.mark.split("=")], PATH=PATH, HERE=self.folder)
        self.said: list[str] = []
        self.output = bytearray()

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def script(self, text: str, name: str = "create", first: str = "#!/bin/bash", mode: int = 0o755) -> str:
        path = self.path(name)
        with open(path, "w") as script:
            script.write(first + ("\n" if first else "") + textwrap.dedent(text).lstrip())
        os.chmod(path, mode)
        return path

    def run(self, text: str, *, sink=None, interrupts=None, env=None, **how) -> step_process.Outcome:
        self.output.clear()
        return self.run_file(self.script(text), sink=sink, interrupts=interrupts, env=env, **how)

    def run_file(self, *argv: str, sink=None, interrupts=None, env=None, **how) -> step_process.Outcome:
        def collect(block: bytes) -> None:
            self.output += block
            if sink:
                sink(block)

        with process_interrupts.Interrupts() as own:
            how = {"cwd": self.folder, "say": self.said.append, "grace": 30, **how}
            env = {**self.env, **(env or {})}
            return step_process.run(argv, env=env, sink=collect, interrupts=interrupts or own, **how)

    def driver(self, script: str, **options) -> list[str]:
        """The command line of another Python that runs a script the way rigger does."""
        options |= {"script": script, "cwd": self.folder, "env": self.env, "report": self.path("report")}
        with open(self.path("driver.py"), "w") as driver:
            driver.write(DRIVER)
        return [sys.executable, self.path("driver.py"), json.dumps(options)]

    def start(self, script: str, stdout=subprocess.PIPE, **options) -> subprocess.Popen:
        return subprocess.Popen(self.driver(script, **options), stdout=stdout, env=self.driver_env())

    def dialogue(self, script: str, **options) -> pexpect.spawn:
        program, *arguments = self.driver(script, **options)
        return pexpect.spawn(program, arguments, env=self.driver_env(), timeout=30)

    def driver_env(self) -> dict[str, str]:
        return {**self.env, "PYTHONPATH": ROOT}

    def report(self) -> dict:
        with open(self.path("report")) as report:
            return json.load(report)

    def text(self, name: str) -> str:
        with open(self.path(name)) as file:
            return file.read()

    def living(self) -> list[int]:
        """The pids of all processes that carry the mark, this one and zombies aside."""
        pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                try:
                    with open(f"/proc/{entry}/environ", "rb") as environ:
                        if self.mark.encode() in environ.read():
                            pids.append(int(entry))
                except OSError:
                    pass
        return pids

    def clean_up(self) -> None:
        while pids := self.living():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


def when(word: bytes, action):
    """A sink that acts once, at the first block that holds the word."""
    waiting = [action]

    def sink(block: bytes) -> None:
        if word in block and waiting:
            waiting.pop()()

    return sink


def wait_until(condition, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def zombie_children() -> list[int]:
    return [p.pid for p in tree.all_processes().values() if p.parent == os.getpid() and p.state == "Z"]


HEEDS_NOBODY = """
    trap '' INT TERM
    (trap '' INT TERM; setsid sleep 300 &)
    setsid bash -c "trap '' INT TERM; while :; do sleep 300; done" &
    echo ready
    while :; do sleep 300; done
"""


def shell(text: str, **how) -> capture.Captured:
    return capture.capture(["/bin/bash", "-c", text], **how)

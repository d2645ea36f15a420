"""Functions of rigger's own that run as programs: nobody can tell them from a script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from rigger.errors import ProcessTimedOut
from rigger.process import capture


def test_it_has_what_a_script_has_and_nothing_else(world, monkeypatch):
    """Its folder, environment and session, an empty input, and of our descriptors the one that is passed."""
    monkeypatch.setenv("RIGGER_PASSPHRASE", "open sesame")
    lock = os.open(world.path("lock"), os.O_RDWR | os.O_CREAT)
    other = os.open(world.path("other"), os.O_RDWR | os.O_CREAT)

    def program():
        print(
            os.getcwd() == world.folder,
            dict(os.environ) == {**world.env, "BYTES": "\udcff"},
            sys.stdin.read() == "",
        )
        print(os.getsid(0) == os.getpid(), os.environb[b"BYTES"])
        print(sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")))
        subprocess.run(["sh", "-c", 'echo "sh has $BYTES"; echo error >&2'])
        return 7

    outcome = world.run_file("unused", inside=program, env={"BYTES": "\udcff"}, keep_open=[lock])
    os.close(lock)
    os.close(other)
    assert outcome.exit_code == 7
    assert bytes(world.output).splitlines() == [
        b"True True True",
        b"True b'\\xff'",
        f"[0, 1, 2, {lock}]".encode(),
        b"sh has \xff",
        b"error",
    ]
    assert os.environ["RIGGER_PASSPHRASE"] == "open sesame"


def test_what_rigger_has_still_to_write_is_written_once(world):
    """The copy has it as well, and leaves it to rigger."""
    code = """
import os, sys
from rigger.process.interrupts import Interrupts
from rigger.process.step import run

def program():
    print("of the copy")
    return 0

sys.stdout.write("of rigger\\n")  # to a pipe: it waits until there is more
with Interrupts() as interrupts:
    run(["unused"], cwd="/", env={}, sink=lambda block: os.write(2, block), interrupts=interrupts, inside=program)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("of rigger\n", "of the copy\n")


def test_an_error_is_an_exit_code_and_a_traceback(world):
    def program():
        raise LookupError("there is no such thing")

    assert world.run_file("unused", inside=program).exit_code == 1
    assert b"LookupError: there is no such thing" in world.output


def test_it_is_asked_to_stop_once_with_all_that_it_started(world):
    """It has ways of its own to stop; rigger's do not come along."""
    heard = []

    def program():
        signal.signal(signal.SIGINT, lambda *_: heard.append("stop"))
        with subprocess.Popen(
            ["sh", "-c", 'trap "echo asked; exit" INT; echo ready; while :; do sleep 0.05; done']
        ) as child:
            child.wait()
        print(*heard, flush=True)
        return 3

    def sink(block):
        if b"ready" in block:
            os.kill(os.getpid(), signal.SIGINT)

    outcome = world.run_file("unused", inside=program, sink=sink)
    assert (outcome.interrupted, outcome.exit_code, heard) == (True, 3, [])
    assert bytes(world.output).split() == [b"ready", b"asked", b"stop"]


def test_a_request_that_comes_at_once_ends_what_does_not_listen(world):
    begun = time.monotonic()
    outcome = world.run_file("unused", inside=lambda: time.sleep(30) or 0, timeout=0.0, patience=1)
    assert outcome.timed_out and outcome.signal == signal.SIGTERM and time.monotonic() - begun < 10


def test_what_it_prints_can_be_kept(world):
    def program():
        print("found", os.environ["HERE"])
        print("é", file=sys.stderr)
        return 4

    said = capture.capture(["unused"], cwd=world.folder, env=world.env, inside=program)
    assert (said.exit_code, said.output, said.errors) == (
        4,
        f"found {world.folder}\n".encode(),
        "é\n".encode(),
    )
    with pytest.raises(ProcessTimedOut):
        capture.capture(["unused"], timeout=0.2, inside=lambda: time.sleep(30) or 0)

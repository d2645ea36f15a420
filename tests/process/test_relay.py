"""A script's output outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from helpers.processes import below
from helpers.scripts import linux, wait_until

from rigger.process.relay import Relay

STARTS = """
import os, sys
from rigger.process import step
from rigger.process.interrupts import Interrupts
from rigger.process.relay import Relay

def keep(pipe, note):
    with open(note, "ab", buffering=0) as kept:
        while block := os.read(pipe, 65536):
            kept.write(block)

def sink(block):
    os.write(1, block)

with Interrupts() as interrupts, Relay(keep) as relay:
    for script in sys.argv[2:]:
        step.run([script], cwd=sys.argv[1], env=os.environ, interrupts=interrupts, sink=sink, relay=relay,
                 note=f"{script}.kept")
"""

PRINTS_ON = """
    echo before
    until [ -e "$HERE/killed" ]; do sleep 0.05; done
    seq 1 200000 && echo made >"$HERE/made"
"""


def start(world, *scripts) -> subprocess.Popen:
    command = [sys.executable, "-c", STARTS, world.folder, *scripts]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=world.driver_env())


@linux
def test_a_script_prints_on_when_rigger_is_killed(world):
    first = world.script("echo first; sleep 100 >&- 2>&- &", "first")
    rigger = start(world, first, world.script(PRINTS_ON))
    assert rigger.stdout.readline() == b"first\n" and rigger.stdout.readline() == b"before\n"
    rigger.kill()
    rigger.wait()
    assert rigger.stdout.read() == b"", "nothing else holds what rigger held"
    open(world.path("killed"), "w").close()
    assert wait_until(lambda: os.path.exists(world.path("made")))
    expected = "".join(f"{n}\n" for n in range(1, 200001))
    assert wait_until(lambda: world.text("create.kept") == expected)
    assert not os.path.exists(world.path("first.kept")), "what had ended is not read again"


@pytest.mark.slow
@linux
def test_it_heeds_no_request_to_stop_and_ends_with_the_script(world):
    rigger = start(world, world.script(PRINTS_ON))
    assert rigger.stdout.readline() == b"before\n"
    [relay] = filter(_is_copy, below(rigger.pid))
    rigger.kill()
    rigger.wait()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        os.kill(relay, signum)
    assert os.path.exists(f"/proc/{relay}")
    open(world.path("killed"), "w").close()
    assert wait_until(lambda: os.path.exists(world.path("made")))
    assert wait_until(lambda: not os.path.exists(f"/proc/{relay}"))


def _is_copy(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"Relay(keep)" in file.read()
    except FileNotFoundError:  # a sleep of the script's
        return False


def test_nothing_is_left_of_it_when_all_ends_well(world):
    kept = []
    with Relay(lambda pipe, note: kept.append(note)) as relay:
        ours, theirs = os.pipe()
        relay.hold(ours, "note")
        pid = relay._pid
        relay.release()
        os.close(ours)
        os.close(theirs)
    assert not os.path.exists(f"/proc/{pid}")
    with Relay(lambda pipe, note: None):
        pass  # no script, no process

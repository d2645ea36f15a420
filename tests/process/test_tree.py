"""Processes that are none of the step's, and systems without /proc."""

from __future__ import annotations

import os
import select
import subprocess
import textwrap

import pytest
from helpers.scripts import linux, open_files, zombie_children

from rigger.errors import StepFailed
from rigger.process import capture, tree
from rigger.process import interrupts as process_interrupts

# ---- processes that are none of the step's ---------------------------------------------------------------


@linux
def test_a_stop_spares_the_daemons_of_earlier_steps_and_their_children(world):
    daemon = """
        cat > "$HERE/daemon" <<'END'
        #!/bin/bash
        while ! [ -e "$HERE/fork" ]; do sleep 0.02; done
        sleep 300 & echo $! > "$HERE/grandchild.new"; mv "$HERE/grandchild.new" "$HERE/grandchild"
        wait
        END
        chmod +x "$HERE/daemon"
        setsid "$HERE/daemon" > /dev/null 2>&1 & echo $! > "$HERE/pid"
    """
    assert world.run(textwrap.dedent(daemon)).exit_code == 0
    script = 'touch "$HERE/fork"; while ! [ -e "$HERE/grandchild" ]; do sleep 0.02; done; sleep 300\n'
    assert world.run(script, timeout=1.5).timed_out
    expected = {int(world.text("pid")), int(world.text("grandchild"))}
    assert expected <= set(world.living())
    assert len(world.living()) == len(expected)


@linux
def test_orphans_that_ended_are_no_zombies(world):
    world.run("for i in 1 2 3 4 5; do (setsid true &); done; sleep 0.3\n")
    assert zombie_children() == []


@linux
def test_a_script_sees_its_orphan_gone_as_soon_as_it_has_ended(world, monkeypatch):
    """An orphan is rigger's child: it has to be cleared away at once, not at the next tick."""
    monkeypatch.setattr(process_interrupts, "TICK", 5.0)
    script = """
        (setsid sleep 300 > /dev/null 2>&1 & echo $! > "$HERE/pid")
        pid=$(cat "$HERE/pid")
        kill "$pid"
        while kill -0 "$pid" 2> /dev/null; do sleep 0.02; done
        echo gone
    """
    outcome = world.run(script, timeout=3)
    assert (outcome.exit_code, bytes(world.output)) == (0, b"gone\n")


@linux
def test_a_daemon_that_ends_during_a_later_step_is_no_zombie(world):
    world.run('setsid sleep 300 > /dev/null 2>&1 & echo $! > "$HERE/pid"\n')
    world.run(f"kill {int(world.text('pid'))}; sleep 0.3\n")
    assert zombie_children() == []


@linux
def test_the_exit_code_of_somebody_elses_child_is_not_stolen(world):
    others = subprocess.Popen(["/bin/sh", "-c", "exit 41"], start_new_session=True)
    world.run("(setsid true &); sleep 0.5\n")
    assert others.wait() == 41


@linux
def test_no_file_stays_open(world):
    failing = world.script("echo no shebang\n", name="failing", first="")
    world.run("true\n")
    before = open_files()
    for _ in range(5):
        world.run("echo hello; (sleep 0.05 &)\n")
        world.run("sleep 20\n", timeout=0.05)
        capture.capture(["cat"], input=b"x")
        with pytest.raises(StepFailed):
            world.run_file(failing)
        with pytest.raises(StepFailed):
            capture.capture([failing])
    assert open_files() == before


# ---- without /proc ---------------------------------------------------------------------------------------


def test_without_proc_the_process_group_is_stopped(world, monkeypatch):
    monkeypatch.setattr(tree, "has_proc", lambda: False)
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    script = "trap '' TERM\nsleep 300 & (trap '' TERM; sleep 300) & echo ready; while :; do sleep 300; done\n"
    outcome = world.run(script, timeout=0.5, patience=0.3)
    assert (outcome.timed_out, outcome.killed, outcome.signal) == (True, True, 9)
    assert not select.select([], [], [], 0.1)[0]
    assert world.living() == []
    assert world.run("exit 3\n").exit_code == 3

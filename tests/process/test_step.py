"""One script: its output, its end, its timeouts, and what it holds."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest
from helpers.scripts import HEEDS_NOBODY, linux, wait_until, when, zombie_children

from rigger.process import lookup

# ---- output and environment ------------------------------------------------------------------------------


def test_all_output_arrives_in_order(world):
    outcome = world.run("seq 1 1500000\n")
    assert outcome.exit_code == 0
    assert world.output == b"".join(b"%d\n" % n for n in range(1, 1_500_001))


def test_output_and_errors_come_in_the_order_in_which_they_were_written(world):
    world.run("for n in 1 2 3 4 5; do echo out $n; echo error $n >&2; done\n")
    assert world.output == b"".join(b"out %d\nerror %d\n" % (n, n) for n in range(1, 6))


def test_output_comes_while_the_script_runs(world):
    go_on = world.path("go-on")
    world.run(
        'echo first; while ! [ -e "$HERE/go-on" ]; do sleep 0.02; done; echo second\n',
        sink=when(b"first", lambda: open(go_on, "w").close()),
        timeout=20,
    )
    assert world.output == b"first\nsecond\n"


def test_values_of_any_bytes_reach_the_script(world):
    every_byte = bytes(range(1, 256))
    world.run('printf %s "$VALUE"\n', env={"VALUE": every_byte.decode("utf-8", "surrogateescape")})
    assert world.output == every_byte


def test_the_script_sees_the_given_environment_alone(world, monkeypatch):
    monkeypatch.setenv("LEAK", "yes")
    world.run("echo ${LEAK-none}\n")
    assert world.output == b"none\n"


def test_standard_input_is_at_its_end_whatever_riggers_own_is(world):
    command = world.driver(world.script("cat; echo done\n"), how={"timeout": 20})
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": world.driver_env()}
    with subprocess.Popen(command, **how) as rigger:
        assert rigger.stdout.read() == b"done\n"  # while our end of its input is still open


@linux
def test_the_script_leads_a_session_of_its_own(world):
    world.run("read -r _ _ _ _ group session _ < /proc/$$/stat; echo $$ $group $session\n")
    pid, group, session = world.output.split()
    assert pid == group == session


def test_the_clock_ticks_while_a_script_is_silent(world):
    ticks = []
    world.run("sleep 1\n", tick=lambda: ticks.append(1))
    assert ticks


# ---- how a script ends -----------------------------------------------------------------------------------


def test_the_exit_code_is_the_scripts(world):
    outcome = world.run("exit 7\n")
    assert (outcome.exit_code, outcome.signal) == (7, None)
    assert (outcome.interrupted, outcome.timed_out, outcome.killed) == (False, False, False)


def test_a_killed_script_ends_like_in_a_shell(world):
    outcome = world.run("kill -KILL $$\n")
    assert (outcome.exit_code, outcome.signal, outcome.interrupted) == (137, 9, False)


def test_a_script_that_closes_its_output_is_waited_for(world):
    assert world.run("exec >&- 2>&-; sleep 0.5; exit 3\n").exit_code == 3


@linux
def test_a_background_process_that_holds_the_output_lives_on(world):
    outcome = world.run('sleep 300 & echo $! > "$HERE/pid"; echo started\n', timeout=60)
    assert (outcome.exit_code, outcome.timed_out, world.output) == (0, False, b"started\n")
    assert lookup.process_start_time(int(world.text("pid"))) is not None


@linux
def test_a_background_process_that_never_stops_writing_holds_nothing_up(world):
    outcome = world.run("yes & echo started\n", timeout=60)
    assert (outcome.exit_code, outcome.timed_out) == (0, False)


def test_a_filter_that_a_script_writes_through_is_read_to_its_end(world):
    world.run("exec > >(sed s/^/+/) 2>&1; seq 1 1000\n")
    assert world.output == b"".join(b"+%d\n" % n for n in range(1, 1001))


@linux
def test_a_filter_that_is_late_is_waited_for(world):
    late = """
        import sys, time
        text = sys.stdin.read()
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        print(text)
    """
    world.script(late, name="late", first=f"#!{sys.executable}")
    world.run('exec > >("$HERE/late"); echo all of it\n')
    assert b"all of it" in world.output


def test_exit_codes_survive_a_parent_that_ignored_its_children(world):
    rigger = world.start(world.script("exit 4\n"), ignored=["SIGCHLD"])
    rigger.communicate(timeout=30)
    assert world.report()["exit_code"] == 4


# ---- timeouts --------------------------------------------------------------------------------------------


@linux
def test_after_a_timeout_a_script_may_still_save_its_state(world):
    script = "trap 'sleep 0.3; echo saved; exit 9' TERM\nwhile :; do sleep 0.1; done\n"
    outcome = world.run(script, timeout=0.5)
    assert (outcome.exit_code, outcome.timed_out, outcome.killed) == (9, True, False)
    assert world.output.endswith(b"saved\n")
    assert "not done after 0.5 s" in world.said[0]


@linux
def test_after_a_timeout_nothing_is_left(world):
    outcome = world.run(HEEDS_NOBODY, timeout=0.5, patience=0.3)
    assert (outcome.exit_code, outcome.signal, outcome.timed_out, outcome.killed) == (137, 9, True, True)
    assert outcome.survivors == ()
    assert world.living() == []
    assert zombie_children() == []


@linux
def test_a_script_that_breeds_is_stopped(world):
    script = """
        trap '' TERM
        if [ "$1" = child ]; then exec sleep 300; fi
        for child in {1..100}; do
            (sleep 0.05; setsid "$0" child &) &
            sleep 0.05
        done
    """
    assert world.run(script, timeout=0.5, patience=0.2).timed_out
    assert world.living() == []


@linux
def test_a_stopped_process_is_stopped_too(world):
    outcome = world.run("sleep 300 & kill -STOP $!; kill -STOP $$\n", timeout=0.5, patience=30)
    assert (outcome.timed_out, outcome.killed) == (True, False)
    assert world.living() == []


@linux
def test_a_script_that_ends_in_time_may_leave_daemons(world):
    assert world.run("setsid sleep 300 > /dev/null 2>&1 &\n", timeout=60).exit_code == 0
    assert len(world.living()) == 1


# ---- sinks that fail -------------------------------------------------------------------------------------


def test_a_closed_terminal_does_not_stop_a_script(world):
    reader, writer = os.pipe()
    rigger = world.start(world.script('seq 1 100000; echo done > "$HERE/done"\n'), stdout=writer)
    os.close(writer)
    os.close(reader)
    assert rigger.wait(30) == 0
    assert world.text("done") == "done\n"
    report = world.report()
    assert report["exit_code"] == 0
    assert "Broken pipe" in report["sink_error"]


@linux
def test_a_defect_of_riggers_own_stops_the_script_and_comes_through(world):
    def broken(block):
        raise LookupError("a defect")

    with pytest.raises(LookupError, match="a defect"):
        world.run("setsid sleep 300 & echo ready; sleep 300\n", sink=broken)
    assert world.living() == []


# ---- files that are handed over --------------------------------------------------------------------------


def is_locked(path: str) -> bool:
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@linux
def test_a_script_holds_the_lock_of_a_killed_rigger(world):
    lock = world.path("lock")
    script = 'echo $$; while ! [ -e "$HERE/end" ]; do sleep 0.05; done\n'
    rigger = world.start(world.script(script), lock=lock)
    pid = int(rigger.stdout.readline())
    rigger.kill()
    rigger.wait()
    assert is_locked(lock)
    assert (pid, "create") in lookup.processes_holding(lock)
    open(world.path("end"), "w").close()
    assert wait_until(lambda: not is_locked(lock))
    assert lookup.processes_holding(lock) == []

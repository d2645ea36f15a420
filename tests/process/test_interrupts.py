"""Ctrl-C and its kin: how a script is asked to stop, and then stopped."""

from __future__ import annotations

import os
import signal
import threading
import time

import pexpect
import pytest
from helpers.scripts import HEEDS_NOBODY, linux, open_files, wait_until, when

from rigger.process import interrupts as process_interrupts
from rigger.process import step as process_step
from rigger.process import tree as process_tree


def send_myself(*signals: int, pause: float = 0.0):
    def send() -> None:
        for signum in signals:
            os.kill(os.getpid(), signum)
            time.sleep(pause)

    return send


COUNTS_SIGINT = """
    n=0
    trap 'n=$((n+1)); echo "got $n"' INT
    echo ready
    for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done
    echo "in all $n"
    exit 4
"""


def test_the_script_gets_one_sigint_and_all_the_time_it_needs(world):
    outcome = world.run(COUNTS_SIGINT, sink=when(b"ready", send_myself(signal.SIGINT)))
    assert world.output == b"ready\ngot 1\nin all 1\n"
    assert (outcome.exit_code, outcome.interrupted, outcome.killed) == (4, True, False)
    assert "Press Ctrl-C again" in world.said[0]


def test_ctrl_c_at_a_terminal_reaches_the_script_once(world):
    terminal = world.dialogue(world.script(COUNTS_SIGINT))
    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.expect_exact("10 min to finish what it has begun. Press Ctrl-C again")
    terminal.expect_exact("in all 1")
    terminal.expect(pexpect.EOF)
    assert world.report() == {
        "exit_code": 4,
        "interrupted": True,
        "killed": False,
        "sink_error": "None",
        "requests": 1,
        "signal_name": "SIGINT",
    }


@linux
def test_ctrl_c_again_and_again_ends_everything(world):
    terminal = world.dialogue(world.script(HEEDS_NOBODY))
    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.expect_exact("Press Ctrl-C again")
    time.sleep(2 * process_interrupts.BURST)
    terminal.sendintr()
    terminal.expect_exact("Stopping all that the script started.")
    time.sleep(2 * process_interrupts.BURST)
    terminal.sendintr()
    terminal.expect_exact("Killing what is left of it.")
    terminal.expect(pexpect.EOF)
    report = world.report()
    assert (report["exit_code"], report["interrupted"], report["killed"]) == (137, True, True)
    assert world.living() == []


@linux
def test_the_second_request_terminates_what_the_first_one_did_not(world):
    script = """
        trap '' INT
        trap 'echo saved; exit 1' TERM
        setsid sleep 300 &
        echo ready
        while :; do sleep 0.1; done
    """
    insist = when(b"ready", send_myself(signal.SIGINT, signal.SIGINT, pause=2 * process_interrupts.BURST))
    outcome = world.run(script, sink=insist)
    assert (outcome.exit_code, outcome.interrupted, outcome.killed) == (1, True, False)
    assert b"saved" in world.output
    assert world.living() == []


@linux
def test_when_the_grace_is_over_everything_is_stopped(world):
    outcome = world.run(
        HEEDS_NOBODY, sink=when(b"ready", send_myself(signal.SIGINT)), grace=0.3, patience=0.3
    )
    assert (outcome.exit_code, outcome.interrupted, outcome.killed) == (137, True, True)
    assert world.living() == []


@linux
def test_a_script_that_stops_when_asked_leaves_nothing_behind(world):
    script = """
        sleep 300 &
        (setsid sleep 300 &)
        trap 'exit 130' INT
        echo ready
        while :; do sleep 0.1; done
    """
    outcome = world.run(script, sink=when(b"ready", send_myself(signal.SIGINT)), grace=60)
    assert (outcome.exit_code, outcome.interrupted, outcome.killed) == (130, True, False)
    assert world.living() == []
    assert len(world.said) == 1  # nobody had to insist


@linux
def test_what_is_stopped_goes_on_when_it_is_asked_to_stop(world):
    script = """
        trap 'echo saved; exit 3' INT
        bash -c 'kill -STOP $$; sleep 300'
    """

    def ask():
        stopped = any(
            (process := process_tree.process_of(pid)) and process.state == "T" for pid in world.living()
        )
        if stopped and not world.said:
            os.kill(os.getpid(), signal.SIGINT)

    outcome = world.run(script, tick=ask, grace=20)
    assert (outcome.exit_code, outcome.interrupted, outcome.killed) == (3, True, False)
    assert len(world.said) == 1  # nobody had to insist
    assert world.output == b"saved\n"


@linux
def test_a_program_outlives_its_shell_to_save_its_state(world):
    saver = world.script(
        """
        trap 'sleep 0.7; echo saved > "$HERE/state"; exit' INT
        echo ready
        while :; do sleep 0.1; done
        """,
        name="saver",
    )
    shell = world.script(f"{saver}\n: the shell waits\n", first="#!/bin/dash")
    outcome = world.run_file(shell, sink=when(b"ready", send_myself(signal.SIGINT)), grace=60)
    assert outcome.interrupted
    assert world.text("state") == "saved\n"


@linux
def test_what_a_script_starts_to_clean_up_is_let_be(world):
    script = """
        trap '' INT
        trap 'sleep 0.5 && echo cleaned; exit 1' TERM
        echo ready
        while :; do sleep 0.1; done
    """
    insist = when(b"ready", send_myself(signal.SIGINT, signal.SIGINT, pause=2 * process_interrupts.BURST))
    assert world.run(script, sink=insist).exit_code == 1
    assert b"cleaned" in world.output


def test_after_a_request_nothing_is_started(world):
    with process_interrupts.Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        assert wait_until(interrupts.requested)
        outcome = world.run('touch "$HERE/started"\n', interrupts=interrupts)
    assert (outcome.started, outcome.interrupted, outcome.exit_code) == (False, True, 143)
    assert not os.path.exists(world.path("started"))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_signal_around_the_start_is_not_lost(world, monkeypatch, moment):
    start = process_step.spawn

    def spawn(*args, **kwargs):
        if moment == "before":
            os.kill(os.getpid(), signal.SIGINT)
        proc = start(*args, **kwargs)
        if moment == "after":
            os.kill(os.getpid(), signal.SIGINT)
        return proc

    monkeypatch.setattr(process_step, "spawn", spawn)
    outcome = world.run("sleep 20\n", timeout=15)
    assert (outcome.interrupted, outcome.timed_out) == (True, False)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_term_hup_and_quit_ask_the_script_to_stop(world, name):
    rigger = world.start(world.script(COUNTS_SIGINT))
    assert rigger.stdout.readline() == b"ready\n"
    rigger.send_signal(getattr(signal, name))
    output, _ = rigger.communicate(timeout=30)
    assert output.endswith(b"in all 1\n")
    report = world.report()
    assert (report["interrupted"], report["signal_name"]) == (True, name)


def test_a_terminal_that_closes_asks_once_and_crashes_nothing(world):
    script = """
        trap 'sleep 0.5; echo cleaning up; echo saved > "$HERE/state"; exit 5' INT
        echo ready
        while :; do sleep 0.1; done
    """
    terminal = world.dialogue(world.script(script), quiet=True)
    terminal.expect_exact("ready")
    terminal.ptyproc.fileobj.close()
    assert wait_until(lambda: os.path.exists(world.path("report")))
    report = world.report()
    assert (report["exit_code"], report["requests"], report["signal_name"]) == (5, 1, "SIGHUP")
    assert "Input/output error" in report["sink_error"]
    assert world.text("state") == "saved\n"
    terminal.ptyproc.closed = True
    os.waitpid(terminal.pid, 0)


def test_signals_of_one_burst_are_one_request(world):
    outcome = world.run(COUNTS_SIGINT, sink=when(b"ready", send_myself(*[signal.SIGINT, signal.SIGTERM] * 3)))
    assert world.output == b"ready\ngot 1\nin all 1\n"
    assert outcome.exit_code == 4


def test_hanging_up_twice_does_not_insist():
    with process_interrupts.Interrupts() as interrupts:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(2 * process_interrupts.BURST)
        assert interrupts.count == 1


def test_under_nohup_a_closed_terminal_means_nothing(world):
    rigger = world.start(world.script(COUNTS_SIGINT), ignored=["SIGHUP"])
    assert rigger.stdout.readline() == b"ready\n"
    rigger.send_signal(signal.SIGHUP)
    assert rigger.communicate(timeout=30)[0] == b"in all 0\n"
    assert world.report()["requests"] == 0


def test_a_script_can_be_asked_even_when_rigger_was_started_deaf(world):
    rigger = world.start(world.script(COUNTS_SIGINT), ignored=["SIGINT"])
    assert rigger.stdout.readline() == b"ready\n"
    rigger.send_signal(signal.SIGTERM)
    assert rigger.communicate(timeout=30)[0].endswith(b"in all 1\n")


def test_handlers_are_put_back():
    def mine(signum, frame):
        pass

    previous = signal.signal(signal.SIGTERM, mine)
    try:
        before, files = signal.getsignal(signal.SIGINT), open_files()
        with process_interrupts.Interrupts():
            assert signal.getsignal(signal.SIGTERM) is not mine
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is before
        assert signal.set_wakeup_fd(-1) == -1
        assert open_files() == files
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_outside_the_main_thread_a_stop_is_requested_by_a_call(world):
    outcomes = []

    def work():
        with process_interrupts.Interrupts() as interrupts:
            ready = when(b"ready", interrupts.request)
            outcomes.append(world.run(COUNTS_SIGINT, sink=ready, interrupts=interrupts))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert world.output == b"ready\ngot 1\nin all 1\n"
    assert outcomes[0].interrupted

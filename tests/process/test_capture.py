"""Programs whose output is captured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from helpers.scripts import linux, shell, wait_until

from rigger.errors import StepFailed
from rigger.process import capture
from rigger.process import terminal as process_terminal

# ---- how a script ends -----------------------------------------------------------------------------------


def test_captured_exit_codes_survive_it_too():
    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert capture.capture(["/bin/sh", "-c", "exit 4"]).exit_code == 4
        assert process_terminal.interactive(["/bin/sh", "-c", "exit 4"]) == 4
    finally:
        signal.signal(signal.SIGCHLD, previous)


# ---- helper programs -------------------------------------------------------------------------------------


def test_capture_tells_output_errors_and_exit_code_apart():
    assert shell("echo out; echo err >&2; exit 3") == capture.Captured(3, b"out\n", b"err\n")
    assert shell("kill -TERM $$").exit_code == 143


def test_capture_feeds_and_reads_at_the_same_time():
    content = os.urandom(3_000_000)
    assert capture.capture(["cat"], input=content).output == content
    assert shell("head -c 10", input=content).output == content[:10]
    assert shell("cat").output == b""


def test_capture_is_not_stuck_with_a_program_that_writes_before_it_has_read_all():
    captured = shell("head -c 1000; head -c 1000000 /dev/zero; cat > /dev/null", input=bytes(3_000_000))
    assert captured.output == bytes(1_001_000)


def test_capture_does_not_wait_for_what_a_program_left_behind(world):
    captured = shell("sleep 300 & echo done", env=world.env)
    assert captured.output == b"done\n"


@linux
def test_capture_that_takes_too_long(world):
    with pytest.raises(StepFailed, match="did not end within 0.5 s"):
        shell("set -m; sleep 300 & sleep 300", timeout=0.5, env=world.env)
    assert world.living() == []


@linux
def test_capture_of_too_much(world):
    with pytest.raises(StepFailed, match="wrote more than 1000 bytes"):
        shell("yes", limit=1000, env=world.env)
    assert world.living() == []


def test_capture_of_a_missing_program():
    with pytest.raises(StepFailed, match="no-such-program is not on the PATH"):
        capture.capture(["no-such-program"])


@linux
@pytest.mark.parametrize("within", ["nothing", "Interrupts"])
def test_ctrl_c_ends_a_captured_program(world, within):
    program = world.script(
        f"""
        import contextlib, signal
        from rigger.process import capture, interrupts
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with {"interrupts.Interrupts()" if within == "Interrupts" else "contextlib.nullcontext()"}:
                capture.capture(["/bin/sh", "-c", "touch $HERE/ready; sleep 300"])
        except KeyboardInterrupt:
            print("interrupted")
        """,
        name="program.py",
    )
    rigger = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, env=world.driver_env())
    assert wait_until(lambda: os.path.exists(world.path("ready")))
    rigger.send_signal(signal.SIGINT)
    assert rigger.communicate(timeout=30)[0] == b"interrupted\n"
    assert world.living() == []

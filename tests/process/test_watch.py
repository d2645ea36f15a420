"""Waiting for output, for the end of a process and for signals, whichever comes first."""

import contextlib
import os
import signal
import subprocess
import time

import pytest
from helpers.scripts import linux, open_files

from rigger.process import watch as process_watch
from rigger.process.interrupts import Interrupts
from rigger.process.watch import Watch

LONG = 20.0  # seconds; no test waits that long


@contextlib.contextmanager
def watching(script):
    """Start a shell and watch it."""
    proc = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    with Interrupts() as interrupts:
        watch = Watch(proc, [proc.stdout.fileno()], interrupts)
        try:
            yield watch, proc, interrupts
        finally:
            watch.close()
            proc.kill()
            proc.wait()
            proc.stdin.close()
            proc.stdout.close()


@pytest.fixture(params=[True, False], ids=["with a pidfd", "without"])
def pidfd(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(process_watch, "_open_pidfd", lambda pid: None)
    return request.param


def until(watch, condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        watch.wait(LONG)


def test_output_is_told_by_its_descriptor(pidfd):
    with watching("echo hello; read line") as (watch, proc, _):
        out, found = proc.stdout.fileno(), []
        until(watch, lambda: found.extend(watch.wait(LONG)) or found)
        assert found == [out] and os.read(out, 100) == b"hello\n"
        assert not watch.ended


def test_silence_lasts_as_long_as_was_asked(pidfd):
    with watching("read line") as (watch, _, _):
        began = time.monotonic()
        assert watch.wait(0.03) == []
        assert 0.02 < time.monotonic() - began < LONG / 2


def test_the_end_of_a_silent_process_cuts_the_wait_short(pidfd):
    with watching("exec >/dev/null; read line") as (watch, proc, _):
        watch.forget(proc.stdout.fileno())
        proc.stdin.close()
        began = time.monotonic()
        until(watch, lambda: watch.ended if pidfd else proc.poll() is not None)
        assert time.monotonic() - began < LONG / 2
        assert watch.ended is pidfd, "without a pidfd only a look tells"


def test_outside_the_main_thread_where_no_signal_wakes_an_end_is_seen_soon(pidfd):
    proc = subprocess.Popen(["sleep", "0.05"])
    watch = Watch(proc, [], Interrupts())  # nobody entered it
    try:
        assert watch.wakeup is None
        began = time.monotonic()
        until(watch, lambda: proc.poll() is not None)
        assert time.monotonic() - began < LONG / 2
    finally:
        watch.close()
        proc.kill()
        proc.wait()


@linux
def test_an_end_is_told_once():
    with watching("exit 3") as (watch, proc, _):
        watch.forget(proc.stdout.fileno())
        until(watch, lambda: watch.ended)
        watch.woken()
        proc.wait()
        watch.wait(0.05)
        began = time.monotonic()
        assert watch.wait(0.05) == [] and time.monotonic() - began > 0.04


def test_a_signal_wakes_and_is_told_once(pidfd):
    with watching("read line") as (watch, _, interrupts):
        assert not watch.woken()
        os.kill(os.getpid(), signal.SIGTERM)
        until(watch, interrupts.requested)
        watch.wait(0)
        assert watch.woken() and not watch.woken()
        began = time.monotonic()
        assert watch.wait(0.03) == [] and time.monotonic() - began > 0.02
        assert interrupts.signal_name == "SIGTERM"


def test_after_the_end_only_output_counts():
    with watching("echo last; read line") as (watch, proc, interrupts):
        watch.heed_output_alone()
        assert watch.ended
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.wait(LONG) == [proc.stdout.fileno()]
        os.read(proc.stdout.fileno(), 100)
        began = time.monotonic()
        assert watch.wait(0.03) == [] and time.monotonic() - began > 0.02
        assert interrupts.requested() and not watch.woken()


def test_a_descriptor_that_was_forgotten_is_not_told_of():
    with watching("echo hello; read line") as (watch, proc, _):
        watch.forget(proc.stdout.fileno())
        assert watch.reading == set() and watch.wait(0.03) == []


@linux
def test_no_file_stays_open(pidfd):
    before = open_files()
    for script in ("true", "read line"):
        with watching(script) as (watch, _, _):
            watch.wait(0.01)
            watch.close()  # twice does no harm
    assert open_files() == before

"""Finding processes by their start, by files that they hold and by their environment."""

from __future__ import annotations

import os
import subprocess

from helpers.scripts import linux, wait_until

from rigger.process import lookup, tree


def test_the_start_time_tells_a_process_from_a_later_one_of_the_same_number():
    child = subprocess.Popen(["sleep", "300"])
    try:
        started = lookup.process_start_time(child.pid)
        assert started is not None
        assert lookup.process_start_time(child.pid) == started
        assert started >= lookup.process_start_time(os.getpid())
    finally:
        child.kill()
    assert wait_until(lambda: lookup.process_start_time(child.pid) is None)  # a zombie by now
    child.wait()
    assert lookup.process_start_time(child.pid) is None


@linux
def test_holders_of_a_file_are_found_under_any_name(world):
    path = world.path("lock")
    open(path, "w").close()
    with open(path) as file:
        child = subprocess.Popen(["sleep", "300"], stdin=file)
    os.rename(path, path + ".renamed")
    try:
        assert wait_until(lambda: lookup.processes_holding(path + ".renamed") == [(child.pid, "sleep")])
    finally:
        child.kill()
        child.wait()
    assert lookup.processes_holding(world.path("no-such-file")) == []


@linux
def test_process_names_may_hold_anything(world):
    strange = world.path("a) S (1 b")
    os.symlink("/bin/sleep", strange)
    child = subprocess.Popen([strange, "300"])
    try:
        assert wait_until(lambda: tree.process_of(child.pid).name == "a) S (1 b")
        assert tree.process_of(child.pid).parent == os.getpid()
    finally:
        child.kill()
        child.wait()

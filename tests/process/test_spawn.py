"""Scripts that cannot be started, and descriptors that are closed."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from rigger.errors import StepFailed

# ---- a script that cannot be started ---------------------------------------------------------------------


def refusal(world, *argv: str, **how) -> str:
    with pytest.raises(StepFailed) as caught:
        world.run_file(*argv, **how)
    return f"{caught.value.message} {caught.value.next_step}"


def test_no_shebang(world):
    script = world.script("echo hello\n", first="")
    assert f"{script} has no shebang line" in refusal(world, script)


def test_not_executable(world):
    script = world.script("echo hello\n", mode=0o644)
    assert f"{script} is not executable. Make it so: chmod +x {script}" in refusal(world, script)


def test_unknown_interpreter(world):
    script = world.script("echo hello\n", first="#!/opt/no such/shell -e")
    assert "/opt/no, which its first line names, does not exist" in refusal(world, script)


def test_interpreter_that_is_not_executable(world):
    interpreter = world.script("", name="interpreter", mode=0o644)
    script = world.script("echo hello\n", first=f"#!{interpreter}")
    assert f"no permission to execute {interpreter}" in refusal(world, script)


def test_windows_line_ends(world):
    script = world.script("echo hello\n", first="#!/bin/bash\r")
    assert f"{script} has Windows line ends. Save it with Unix line ends." in refusal(world, script)


def test_missing_script(world):
    assert f"{world.path('nowhere')} does not exist" in refusal(world, world.path("nowhere"))


def test_program_that_is_not_on_the_path(world):
    assert "no-such-program is not on the PATH" in refusal(world, "no-such-program")


def test_missing_folder(world):
    message = refusal(world, world.script("echo hello\n"), cwd=world.path("gone"))
    assert f"its folder {world.path('gone')} does not exist" in message


def test_vars_that_are_too_long(world):
    message = refusal(world, world.script("echo hello\n"), env={"BIG": "secret " * 1_000_000, "SMALL": "x"})
    assert "the vars are too long for the system" in message
    assert "BIG has 7000000" in message
    assert "secret" not in message


def test_a_nul_byte_in_a_value(world):
    assert "embedded null byte" in refusal(world, world.script("echo hello\n"), env={"NUL": "a\0b"})


# ---- files that are handed over --------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_standard_descriptors_that_are_closed(world, closed):
    script = 'cat; echo error >&2; echo done > "$HERE/done"\n'
    rigger = world.start(world.script(script), closed=closed, lock=world.path("lock"))
    rigger.communicate(timeout=30)
    assert (world.report()["exit_code"], world.text("done")) == (0, "done\n")


def test_reopened_standard_descriptors_are_passed_on(world):
    program = """
        import os, sys
        from rigger.process import spawn, terminal
        os.close(0)
        os.close(2)
        spawn.ensure_standard_descriptors()
        print(terminal.interactive(["/bin/sh", "-c", "cat && echo error >&2"]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=world.driver_env(), check=True)
    assert done.stdout == b"0\n"

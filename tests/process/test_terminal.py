"""Programs that have the terminal to themselves."""

from __future__ import annotations

import sys

import pexpect
import pytest

from rigger.errors import StepFailed
from rigger.process import terminal as process_terminal


@pytest.mark.slow
def test_an_interactive_program_has_the_terminal_and_ctrl_c_to_itself(world):
    editor = world.script(
        """
        trap 'echo editor was interrupted' INT
        echo editing
        read -r line; read -r line
        echo "read $line"
        exit 6
        """,
        name="editor",
    )
    program = world.script(
        f"""
        import signal
        from rigger.process import terminal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("exit code", terminal.interactive([{editor!r}]))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        print("handlers put back")
        """,
        name="program.py",
    )
    terminal = pexpect.spawn(sys.executable, [program], env=world.driver_env(), timeout=30, echo=False)
    terminal.expect_exact("editing")
    terminal.sendintr()
    terminal.expect_exact("editor was interrupted")
    terminal.send("first\nsecond\n")
    terminal.expect_exact("read ")
    terminal.expect_exact("exit code 6")
    terminal.expect_exact("handlers put back")
    terminal.expect(pexpect.EOF)


def test_an_interactive_program_that_is_missing():
    with pytest.raises(StepFailed, match="no-such-editor is not on the PATH"):
        process_terminal.interactive(["no-such-editor", "file"])

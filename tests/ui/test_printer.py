"""What a terminal, a log or a program gets to see of a command."""

import json
import os
import pty
import subprocess
import sys
import textwrap

import pytest
from conftest import ROOT

from rigger.modules.model import Module
from rigger.plans.model import Plan, Step
from rigger.ui.printer import Printer

HEAD = "import sys\nfrom rigger.ui.printer import Printer, prepare_streams, unwritten\nprepare_streams()\n"


def printed(body, stdout, **options):
    """Run a program that prints to a stream, and return how it ended."""
    code = HEAD + textwrap.dedent(body)
    env = {**os.environ, "PYTHONPATH": ROOT, **options.pop("env", {})}
    return subprocess.run([sys.executable, "-c", code], stdout=stdout, env=env, timeout=60, **options)


def on_a_terminal(body, **env) -> bytes:
    """Return what such a program draws on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    done = printed(body, theirs, stderr=theirs, env=env)
    os.close(theirs)
    drawn = b""
    try:
        while block := os.read(ours, 65536):
            drawn += block
    except OSError:  # Linux says so that nobody holds the other end
        pass
    os.close(ours)
    assert done.returncode == 0, drawn
    return drawn.replace(b"\r\n", b"\n")


# Into a file or a pipe


def test_lines_have_no_colours_where_there_is_no_terminal(capsys):
    printer = Printer()
    printer.heading("Nodes")
    printer.lines("one", "two")
    printer.warn("node-3 goes")
    assert capsys.readouterr().out == "Nodes\none\ntwo\n! node-3 goes\n"
    assert printer.streams and not printer.live


def test_a_table_has_columns_and_no_escape_of_a_cell(capsys):
    Printer().table([["node-1", "10.0.0.1"], ["a\x1b[2Jb", "日本"]], ["name", "address"])
    assert capsys.readouterr().out == "  NAME    ADDRESS\n  node-1  10.0.0.1\n  ab      日本\n"
    Printer().table([], ["name"])
    assert capsys.readouterr().out == ""
    Printer().table([["a", "b"]], indent="")
    assert capsys.readouterr().out == "a  b\n"


def test_a_difference_names_what_went_came_and_changed(capsys):
    Printer().difference({"A": "1", "B": "2", "C": "3"}, {"B": "2", "C": "4", "D": ""})
    assert capsys.readouterr().out == "- A=1\n- C=3\n+ C=4\n+ D=\n"


def test_json_leaves_standard_output_to_the_report(capsys):
    printer = Printer(json=True)
    printer.line("for people")
    printer.report({"good": True, "name": "café"})
    said = capsys.readouterr()
    assert said.err == "for people\n" and json.loads(said.out) == {"good": True, "name": "café"}


def test_a_plan_shows_each_step_its_reason_and_what_is_lost(capsys, tmp_path):
    module = Module("soil", "provider", str(tmp_path))
    steps = [Step(module, "install", "first time"), Step(module, "create", "NODES 2 -> 3")]
    Printer().plan(Plan("provision", (steps[1],), (steps[0],), ("node-3 goes with its data.",)))
    assert capsys.readouterr().out == (
        f"  1.  soil  create  NODES 2 -> 3  {steps[1].shown}\n"
        "  up to date: soil install\n"
        "! node-3 goes with its data.\n"
        "\n"
    )


def test_a_steps_output_is_streamed_as_it_is_and_its_end_stands_on_a_line_of_its_own(capfdbinary):
    printer = Printer()
    printer.step_started(1, 2, "soil create", "first time")
    printer.output(b"making\r\n\xff\x1b[31m no end")
    printer.step_finished("failed", 192.0, "exit 7", good=False)
    printer.step_started(2, 2, "soil check", "")
    printer.output(b"well\n")
    printer.step_finished("done", 0.25)
    assert capfdbinary.readouterr().out == (
        b"==> 1/2 soil create (first time)\n"
        b"making\r\n\xff\x1b[31m no end\n"
        b"    failed in 3m 12s  exit 7\n"
        b"==> 2/2 soil check\nwell\n    done in 0.2 s\n"
    )


def test_progress_is_for_those_who_watch(capsys):
    printer = Printer()
    printer.progress("3 of 9")
    printer.tick()
    printer.flush()
    assert capsys.readouterr().out == ""


# On a terminal


STEP = """
    printer = Printer(verbose={verbose})
    printer.step_started(1, 2, "soil create", "first time")
    printer.output(b"one\\nwarning: slow \\x1b[2Jdisk\\nlast ")
    printer.output(b"line")
    printer.step_finished({word!r}, 2.0, good={good})
"""


def test_a_terminal_sees_the_last_line_alone_and_then_the_end_and_warnings():
    drawn = on_a_terminal(STEP.format(verbose=False, word="done", good=True))
    live = [part for part in drawn.split(b"\r\x1b[K") if part]
    assert live[0] == b"  1/2 soil create  0:00  "
    assert b"  1/2 soil create  0:00  last line" in live
    assert live[-1] == b"  1/2 soil create  \x1b[32mdone\x1b[0m in 2.0 s\n\x1b[33m! slow disk\x1b[0m\n"
    assert b"\x1b[2J" not in drawn


def test_a_step_that_failed_shows_the_end_of_its_output():
    drawn = on_a_terminal(STEP.format(verbose=False, word="failed", good=False))
    assert drawn.endswith(
        b"\x1b[31mfailed\x1b[0m in 2.0 s\n"
        b"\x1b[2m    | one\x1b[0m\n\x1b[2m    | warning: slow disk\x1b[0m\n\x1b[2m    | last line\x1b[0m\n"
    )


def test_verbose_streams_on_a_terminal_too():
    drawn = on_a_terminal(STEP.format(verbose=True, word="done", good=True))
    assert b"\x1b[K" not in drawn and b"one\nwarning: slow" in drawn and b"last line\n    " in drawn


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}, {"TERM": "unknown"}])
def test_colours_can_be_refused(env):
    assert on_a_terminal('Printer().warn("careful")', **env) == b"! careful\n"


def test_an_empty_no_color_refuses_nothing():
    """See https://no-color.org: present, and not an empty string."""
    assert on_a_terminal('Printer().warn("careful")', NO_COLOR="") == b"\x1b[33m! careful\x1b[0m\n"


def test_a_live_line_is_no_wider_than_the_terminal():
    drawn = on_a_terminal("""
        printer = Printer()
        printer.step_started(1, 1, "soil create", "")
        printer.output(b"x" * 500 + b"\\n")
        printer.progress("y" * 500)
        printer.flush()
    """)
    parts = drawn.split(b"\r\x1b[K")
    assert max(map(len, parts)) == 79 and parts[-1] == b""


def test_the_scripts_path_stands_in_a_plan_where_there_is_room(tmp_path):
    body = """
        from rigger.plans.model import Plan, Step
        from rigger.modules.model import Module
        step = Step(Module("soil", "provider", "/m/providers/soil"), "create", "why " * {words})
        Printer().plan(Plan("provision", (step,)))
    """
    assert b"/create" in on_a_terminal(body.format(words=3))
    assert b"/create" not in on_a_terminal(body.format(words=16))


# Where nobody reads, or nothing can be written


def test_a_reader_that_has_gone_stops_nothing():
    ours, theirs = os.pipe()
    os.close(ours)
    body = """
        printer = Printer()
        for _ in range(3):
            printer.line("x")
            printer.output(b"y")
            printer.data(b"z")
        sys.stderr.write(f"went on, {printer.gone}, {unwritten}")
    """
    done = printed(body, theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"went on, True, []")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_remembered():
    body = """
        printer = Printer()
        printer.line("x")
        printer.report({})
        sys.stderr.write(f"{printer.gone} {unwritten}")
    """
    with open("/dev/full", "wb") as full:
        done = printed(body, full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"True ['No space left on device']")


def test_any_value_can_be_printed_in_any_locale():
    body = 'Printer().line("caf\\xe9 \\udce9 \\u65e5")'
    done = printed(body, subprocess.PIPE, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode == 0 and done.stdout.endswith(b"\\udce9 \\u65e5\n")


def test_streams_that_were_closed_are_nobody():
    code = HEAD + 'Printer().line("x"); Printer(json=True).line("y"); Printer().data(b"z")'
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&- 2>&-', sys.executable, code],
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert done.returncode == 0


WIDE = "printer.table([['n' * 30, 'v' * 60, 'w' * 30]], ['name', 'value', 'why'], rest={rest!r})"


def test_a_table_is_cut_where_a_command_shows_the_rest():
    drawn = on_a_terminal("printer = Printer()\n" + WIDE.format(rest="rigger all")).decode().splitlines()
    assert all(len(line) <= 80 for line in drawn[1:]) and drawn[1].count("…") == 2
    assert drawn[1].startswith("  " + "n" * 30 + "  vvv") and drawn[-1] == "    rigger all"
    whole = on_a_terminal("printer = Printer()\n" + WIDE.format(rest=""))
    assert b"v" * 60 in whole and "…".encode() not in whole


def test_a_table_is_never_cut_where_there_is_no_terminal(capsys):
    Printer().table([["n" * 90, "v" * 90]], rest="rigger all")
    assert capsys.readouterr().out == f"  {'n' * 90}  {'v' * 90}\n"

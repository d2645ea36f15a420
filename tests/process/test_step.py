"""Scripts that behave, misbehave, hang and multiply; and what rigger's hands on them do."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid

import pexpect
import pytest

from rigger import text as texts
from rigger.errors import StepFailed
from rigger.process import capture, lookup, tree
from rigger.process import interrupts as process_interrupts
from rigger.process import spawn as process_spawn
from rigger.process import step as step_process
from rigger.process import terminal as process_terminal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH = "/usr/local/bin:/usr/bin:/bin"

linux = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")

DRIVER = """
import json, os, signal, sys
from rigger.process import spawn, step
from rigger.process.interrupts import Interrupts

options = json.loads(sys.argv[1])
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD"):
    ignored = signal.SIG_IGN if name in options.get("ignored", []) else signal.SIG_DFL
    signal.signal(getattr(signal, name), ignored)
for fd in options.get("closed", []):
    os.close(fd)
if options.get("closed"):
    spawn.ensure_standard_descriptors()
keep_open = []
if "lock" in options:
    import fcntl
    keep_open = [os.open(options["lock"], os.O_RDWR | os.O_CREAT)]
    fcntl.flock(keep_open[0], fcntl.LOCK_EX)
    os.set_inheritable(keep_open[0], False)
with Interrupts() as interrupts:
    outcome = step.run(
        [options["script"]], cwd=options["cwd"], env=options["env"], interrupts=interrupts,
        sink=lambda block: os.write(1, block), say=lambda sentence: os.write(1, (sentence + "\\n").encode()),
        tick=lambda: os.write(1, b"") if options.get("quiet") else None, keep_open=keep_open,
        **options.get("how", {}))
with open(options["report"] + ".new", "w") as report:
    json.dump({"exit_code": outcome.exit_code, "interrupted": outcome.interrupted, "killed": outcome.killed,
               "sink_error": str(outcome.sink_error), "requests": interrupts.count,
               "signal_name": interrupts.signal_name}, report)
os.rename(options["report"] + ".new", options["report"])
"""


class World:
    """A folder for scripts, and a mark in their environment by which their processes are found again."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.mark = "RIGGER_TEST_MARK=" + uuid.uuid4().hex
        self.env = dict([self.mark.split("=")], PATH=PATH, HERE=self.folder)
        self.said: list[str] = []
        self.output = bytearray()

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def script(self, text: str, name: str = "create", first: str = "#!/bin/bash", mode: int = 0o755) -> str:
        path = self.path(name)
        with open(path, "w") as script:
            script.write(first + ("\n" if first else "") + textwrap.dedent(text).lstrip())
        os.chmod(path, mode)
        return path

    def run(self, text: str, *, sink=None, interrupts=None, env=None, **how) -> step_process.Outcome:
        self.output.clear()
        return self.run_file(self.script(text), sink=sink, interrupts=interrupts, env=env, **how)

    def run_file(self, *argv: str, sink=None, interrupts=None, env=None, **how) -> step_process.Outcome:
        def collect(block: bytes) -> None:
            self.output += block
            if sink:
                sink(block)

        with process_interrupts.Interrupts() as own:
            how = {"cwd": self.folder, "say": self.said.append, "grace": 30, **how}
            env = {**self.env, **(env or {})}
            return step_process.run(argv, env=env, sink=collect, interrupts=interrupts or own, **how)

    def driver(self, script: str, **options) -> list[str]:
        """The command line of another Python that runs a script the way rigger does."""
        options |= {"script": script, "cwd": self.folder, "env": self.env, "report": self.path("report")}
        with open(self.path("driver.py"), "w") as driver:
            driver.write(DRIVER)
        return [sys.executable, self.path("driver.py"), json.dumps(options)]

    def start(self, script: str, stdout=subprocess.PIPE, **options) -> subprocess.Popen:
        return subprocess.Popen(self.driver(script, **options), stdout=stdout, env=self.driver_env())

    def dialogue(self, script: str, **options) -> pexpect.spawn:
        program, *arguments = self.driver(script, **options)
        return pexpect.spawn(program, arguments, env=self.driver_env(), timeout=30)

    def driver_env(self) -> dict[str, str]:
        return {**self.env, "PYTHONPATH": ROOT}

    def report(self) -> dict:
        with open(self.path("report")) as report:
            return json.load(report)

    def text(self, name: str) -> str:
        with open(self.path(name)) as file:
            return file.read()

    def living(self) -> list[int]:
        """The pids of all processes that carry the mark, this one and zombies aside."""
        pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                try:
                    with open(f"/proc/{entry}/environ", "rb") as environ:
                        if self.mark.encode() in environ.read():
                            pids.append(int(entry))
                except OSError:
                    pass
        return pids

    def clean_up(self) -> None:
        while pids := self.living():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass


@pytest.fixture(autouse=True)
def hearing():
    """The tests send signals to themselves; a shell's background job would ignore some of them."""
    previous = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.clean_up()


def when(word: bytes, action):
    """A sink that acts once, at the first block that holds the word."""
    waiting = [action]

    def sink(block: bytes) -> None:
        if word in block and waiting:
            waiting.pop()()

    return sink


def send_myself(*signals: int, pause: float = 0.0):
    def send() -> None:
        for signum in signals:
            os.kill(os.getpid(), signum)
            time.sleep(pause)

    return send


def wait_until(condition, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def zombie_children() -> list[int]:
    return [p.pid for p in tree.all_processes().values() if p.parent == os.getpid() and p.state == "Z"]


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


def test_captured_exit_codes_survive_it_too():
    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert capture.capture(["/bin/sh", "-c", "exit 4"]).exit_code == 4
        assert process_terminal.interactive(["/bin/sh", "-c", "exit 4"]) == 4
    finally:
        signal.signal(signal.SIGCHLD, previous)


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


# ---- interrupts ------------------------------------------------------------------------------------------


COUNTS_SIGINT = """
    n=0
    trap 'n=$((n+1)); echo "got $n"' INT
    echo ready
    for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done
    echo "in all $n"
    exit 4
"""

HEEDS_NOBODY = """
    trap '' INT TERM
    (trap '' INT TERM; setsid sleep 300 &)
    setsid bash -c "trap '' INT TERM; while :; do sleep 300; done" &
    echo ready
    while :; do sleep 300; done
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
    start = process_spawn.spawn

    def spawn(*args, **kwargs):
        if moment == "before":
            os.kill(os.getpid(), signal.SIGINT)
        proc = start(*args, **kwargs)
        if moment == "after":
            os.kill(os.getpid(), signal.SIGINT)
        return proc

    monkeypatch.setattr(process_spawn, "spawn", spawn)
    outcome = world.run("sleep 20\n", timeout=15)
    assert (outcome.interrupted, outcome.timed_out) == (True, False)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_term_and_hup_ask_the_script_to_stop(world, name):
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


# ---- helper programs -------------------------------------------------------------------------------------


def shell(text: str, **how) -> capture.Captured:
    return capture.capture(["/bin/bash", "-c", text], **how)


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


# ---- looking at processes --------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "seconds, words",
    [(0.5, "0.5 s"), (45, "45 s"), (600.0, "10 min"), (3900, "1 h 5 min"), (3661, "1 h 1 min 1 s")],
)
def test_durations_in_words(seconds, words):
    assert texts.in_words(seconds) == words


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

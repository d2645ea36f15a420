"""A step of an add-on that is an image: one of its commands, in a container that sees what a script would see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

from rigger import sdk, templates
from rigger import text as texts
from rigger.containers import engine, shared
from rigger.containers.engine import LABEL, Engine
from rigger.containers.seen import bind, variables
from rigger.containers.work import Work, of_step
from rigger.errors import BadUsage, RiggerError, StepFailed
from rigger.files import unlink_if_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType


INTERRUPTED = 130


def run(work: Work) -> int:
    """Run a command of the image to its end, and return its exit code; raises StepFailed and NotReady."""
    program = engine.find(work.name, work.values)
    image = program.image(work.container, work.name)
    for left in engine.stop_left(work.values["RIGGER_ENVIRONMENT_ID"]):
        sdk.log(f"The container {left}, which a killed command had left running, is stopped.", "warning")
    unlink_if_there(work.id_file)
    shared.write(work)
    passed = variables(work)
    argv = [*_argv(work, program, image, passed), work.command.command, *_arguments(work)]
    code = _follow(work, program, argv, passed)
    unlink_if_there(work.id_file)
    if short := work.module.labels.get("short"):
        with suppress(OSError):  # where the instance's folder was put; it is empty, or another instance's
            os.rmdir(os.path.join(os.path.dirname(work.values["RIGGER_STATE_DIR"]), short))
    if code == 125:  # podman's and docker's own
        raise StepFailed(f"{program.name} could not run {work.container.image}; what it said is above.")
    if code in (0, 8):
        shared.take(work)
    return code


def _arguments(work: Work) -> Iterator[str]:
    for number, argument in enumerate(work.command.args, 1):
        yield templates.render(argument, work.values, f"argument {number} of {work.verb}")


def _argv(work: Work, program: Engine, image: str, passed: Mapping[str, str]) -> list[str]:
    """Return the beginning of the command line: no value of a variable is in it, which others could read there."""
    said = {
        LABEL: work.values["RIGGER_ENVIRONMENT_ID"],
        "rigger.module": work.name,
        "rigger.run": work.values.get("RIGGER_RUN", ""),
        "rigger.step": work.values.get("RIGGER_STEP", ""),
    }
    argv = [program.path, "run", "--rm", "--init", "--pull", "never", "--cidfile", work.id_file]
    argv += [f"--label={name}={value}" for name, value in said.items()]
    # The network is that of a script, which reaches the nodes; SELinux would keep the folders from the container.
    argv += ["--network", "host", "--security-opt", "label=disable"]
    if program.name == "docker" and os.getuid():
        argv += ["--user", f"{os.getuid()}:{os.getgid()}"]  # else root would own what it writes
    if work.container.workdir:
        argv += ["--workdir", work.container.workdir]
    argv += bind(work)
    for name in passed:
        argv += ["--env", name]
    return [*argv, *engine.own_arguments(work.values), image]


def _follow(work: Work, program: Engine, argv: list[str], passed: Mapping[str, str]) -> int:
    """Run the program that runs the container; whoever asks it to stop has the container stopped."""
    environ = {**work.values, **passed}
    encoded = {texts.encode(name): texts.encode(value) for name, value in environ.items()}
    stopped = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        _stop(work, program)

    # Ctrl-C reaches the program by itself, exactly once, and it passes it on.
    signal.signal(signal.SIGINT, lambda signum, frame: None)
    signal.signal(signal.SIGTERM, stop)
    try:  # the lock's descriptor is not passed on: a container may outlive the step
        child = subprocess.Popen(argv, env=encoded, stdin=subprocess.DEVNULL)
    except OSError as problem:
        raise StepFailed(f"{program.name} cannot be started: {problem.strerror}.") from None
    code = child.wait()
    if stopped or code < 0:
        _stop(work, program)
    return INTERRUPTED if stopped else 128 - code if code < 0 else code


def _stop(work: Work, program: Engine) -> None:
    with suppress(OSError, StepFailed), open(work.id_file, encoding="utf-8") as file:
        program.stop(file.read().strip())


def main(arguments: list[str]) -> int:
    """Run a command of the image in the environment of the script that called; return its exit code."""
    os.umask(0o077)
    try:
        if len(arguments) != 1:
            raise BadUsage("Usage: rigger-container VERB")
        return run(of_step(arguments[0]))
    except RiggerError as problem:
        lines = [f"error: {problem.message}", *([f"  {problem.next_step}"] if problem.next_step else [])]
        print(*lines, sep="\n", file=sys.stderr)
        return problem.exit_code

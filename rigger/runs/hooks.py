"""Programs that are told what is about to be done and what was: a person's own in RIGGER_HOME, and those of the modules.

They are named after the event: `pre-provision` is asked before a provision, and may refuse it; `post-provision` hears of
one that ended well, `failed` of any command that did not. Modules' hooks lie among their scripts, and are agreed to with
them.
"""

from __future__ import annotations

import json
import os
import time

from rigger.audit.events import HookFinished, HookStarted
from rigger.errors import Declined, NotReady, StepFailed
from rigger.later import later
from rigger.process.actor import actor
from rigger.redact.known import masked, masked_data
from rigger.runs.environment import CALLERS
from rigger.sha256 import digest_of_file
from rigger.text import last_line, plain
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.process import capture
    from rigger.runs.reporter import Reporter
else:
    capture = later("rigger.process.capture")

LIMIT = 60.0  # seconds that a hook has
LONGEST = 500  # characters of what it says


@frozen
class Hook:
    """A program that hears of an event; `problem` says why it cannot be run, if it cannot."""

    event: str
    path: str
    shown: str
    argv: tuple[str, ...]
    problem: str = ""


def folder_of(home: str) -> str:
    """Return the folder of a person's own hooks."""
    return os.path.join(home, "hooks")


def event_of(command: str) -> str:
    """Return the part of a hook's name that stands for a run's command: provision, test, module-remove."""
    first, *more = command.split()
    return "-".join((first, *more[:1])) if first == "module" else first


def find(environment: Environment, config: Config, event: str) -> Iterator[Hook]:
    """Yield the hooks of an event: the person's own first, then the modules'."""
    for name in (event, f"{event}.sh"):
        path = os.path.join(folder_of(environment.home), name)
        if os.path.isfile(path):
            problem = "" if os.access(path, os.X_OK) else f"is not executable: chmod +x {path}"
            yield Hook(event, path, path, (path,), problem)
            break
    for module in config.modules:
        if path := module.script(event) or "":
            problem = module.script_problem(path) or ""
            yield Hook(event, path, module.shown(path), tuple(module.argv(path)), problem)


def ask(
    environment: Environment, config: Config, command: str, told: Callable[[], Mapping[str, Any]]
) -> None:
    """Ask the hooks whether a command may begin; raises Declined with the sentence of the one that refuses.

    One that cannot be run, or does not end in time, refuses too.
    """
    for hook in find(environment, config, f"pre-{event_of(command)}"):
        if hook.problem:
            raise NotReady(f"{hook.shown} {hook.problem}.", "It is a hook: nothing was started without it.")
        code, said = _run(environment, hook, told, "")
        if code != 0:
            raise Declined(
                f"{hook.shown} refuses: {said.rstrip('.') or f'it exited {code}'}.", "Nothing was changed."
            )


def tell(
    environment: Environment,
    config: Config,
    event: str,
    told: Callable[[], Mapping[str, Any]],
    run: str,
    reporter: Reporter,
) -> None:
    """Tell the hooks what became of a run; one that fails is warned of, and changes nothing."""
    for hook in find(environment, config, event):
        try:
            problem = hook.problem
            if not problem:
                code, said = _run(environment, hook, told, run)
                problem = f"exited {code}: {said}".rstrip(": ") if code else ""
        except NotReady as failure:
            problem = f"was not run: {failure.message}"
        if problem:
            reporter.warn(f"{hook.shown} {problem.rstrip('.')}.")


def _run(
    environment: Environment, hook: Hook, told: Callable[[], Mapping[str, Any]], run: str
) -> tuple[int, str]:
    """Run a hook and return its exit code and the last line that it printed; 124 where it took too long."""
    started = HookStarted(hook=hook.event, script=hook.shown, sha256=digest_of_file(hook.path))
    environment.audit.append(started, run)
    call, began = environment.call, time.monotonic()
    who = {"by": actor(), "actor": call.actor, "reason": call.reason, "request": call.request}
    record = {"version": 1, "event": hook.event, "environment": environment.name, **who, **told()}
    own = {"RIGGER_HOME": environment.home, "RIGGER_ENVIRONMENT": environment.name}
    own["RIGGER_ENVIRONMENT_DIR"] = environment.path
    env = {name: value for name, value in os.environ.items() if name not in CALLERS}
    try:
        captured = capture.capture(
            hook.argv,
            cwd=os.path.dirname(hook.path),
            env={**env, **own},
            input=json.dumps(masked_data(record)).encode() + b"\n",
            timeout=LIMIT,
        )
        texts = (part.decode("utf-8", "replace") for part in (captured.errors, captured.output))
        code, said = captured.exit_code, last_line(*texts)
    except StepFailed as problem:
        code, said = 124, problem.message
    said = masked(plain(said))[:LONGEST]
    seconds = round(time.monotonic() - began, 3)
    finished = HookFinished(hook=hook.event, script=hook.shown, exit_code=code, seconds=seconds, said=said)
    environment.audit.append(finished, run)
    return code, said

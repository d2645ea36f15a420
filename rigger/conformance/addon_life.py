"""The life of an add-on: it is added to a cluster that is there, applied, looked at, changed, and goes."""

from __future__ import annotations

import json
import os
import sys

from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.process import capture
from rigger.text import last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.conformance.rehearsal import Rehearsal
    from rigger.process.capture import Captured

NAME = "rehearsed"  # what it is called in the sandbox, so that no script can go by its own name


def addon_life(rehearsal: Rehearsal) -> None:
    """Live an add-on's life with rigger's own commands; what it requires must be there in the sandbox, or it ends there."""
    if not _does(rehearsal, "provision", praise="the cluster that it is tried on is there", file=""):
        return
    rehearsal.making[rehearsal.environment.name] = rehearsal.environment
    values = [f"--set={name}={value}" for name, value in rehearsal.made_up.items()]
    module = rehearsal.module
    add = ("module", "add", module.folder, "--as", NAME, "--no-input", *values)
    if not _does(rehearsal, *add, praise="can be added", file="init" if module.script("init") else ""):
        return
    if module.script("init"):
        again = _run(rehearsal, *add)
        same = again.exit_code == 0 and not json.loads(again.output)["proposed"]
        rehearsal.expect(
            same, "proposes the same again", "proposes something else when nothing changed", "init"
        )
    if not _does(rehearsal, "provision", NAME, praise="succeeds, with all that it promises", file="apply"):
        return
    _applied(rehearsal)
    if not _does(rehearsal, "module", "remove", NAME, "-y", praise="removes it", file="destroy"):
        return
    _does(rehearsal, *add, praise="can be added again", file="")
    if _does(rehearsal, "provision", NAME, praise="succeeds after a destroy", file="apply"):
        _does(rehearsal, "destroy", "-y", praise="works while the whole cluster is destroyed", file="destroy")
        rehearsal.making.pop(rehearsal.environment.name, None)


def _applied(rehearsal: Rehearsal) -> None:
    """Try what can be tried on an add-on that is applied: nothing changed, so nothing must differ."""
    module = rehearsal.module
    if module.script("plan"):
        step = _step(_run(rehearsal, "provision", NAME), "plan")
        same = step is not None and step["exit_code"] == 0
        rehearsal.expect(
            same,
            "says that nothing would change",
            "says that something would change right after apply",
            "plan",
        )
    else:
        rehearsal.say(
            ADVICE,
            "there is no plan: nobody is told what an apply would change, nor who is influenced",
            "rigger.yml",
        )
    if module.script("audit"):
        _does(rehearsal, "audit", NAME, praise="finds nothing that was changed by hand", file="audit")
    _does(rehearsal, "provision", NAME, "--again", praise="can be repeated", file="apply")
    for verb in ("test", "scale"):
        if module.script(verb):
            _does(rehearsal, verb, NAME, praise="succeeds", file=verb)
    if module.script("backup"):
        path = os.path.join(rehearsal.sandbox.aside, "backup")
        if _does(rehearsal, "backup", NAME, "--file", path, praise="writes a backup", file="backup"):
            if module.script("restore"):
                _does(rehearsal, "restore", NAME, path, "-y", praise="puts the backup back", file="restore")
            else:
                rehearsal.say(FAIL, "there is no restore: a backup that nothing puts back is none", "backup")


def _does(rehearsal: Rehearsal, *words: str, praise: str, file: str) -> bool:
    """Run a command that has to succeed; say and return whether it did."""
    done = _run(rehearsal, *words)
    if done.exit_code == 0:
        rehearsal.say(PASS, praise, file)
        return True
    errors = done.errors.decode("utf-8", "replace")
    said = next((line for line in errors.splitlines() if line.startswith("rigger: ")), last_line(errors))
    rehearsal.say(FAIL, f"{said.removeprefix('rigger: ')} (wanted: {praise})", file)
    return False


def _run(rehearsal: Rehearsal, *words: str) -> Captured:
    argv = [sys.executable, "-m", "rigger", "-e", rehearsal.environment.name, *words, "-o", "json"]
    return capture.capture(argv, cwd=rehearsal.sandbox.root, timeout=3600)


def _step(done: Captured, verb: str) -> dict[str, Any] | None:
    """Return what a report says of a step."""
    try:
        steps: list[dict[str, Any]] = json.loads(done.output)["steps"]
    except (ValueError, KeyError):
        return None
    return next((step for step in steps if step["step"] == verb), None)

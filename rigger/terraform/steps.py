"""The steps of a provider that is a folder of .tf files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sys

from rigger import sdk
from rigger.errors import BadUsage, NotReady, RiggerError, StepFailed
from rigger.ssh.connections import patience
from rigger.terraform import backend, hcl
from rigger.terraform.backend import BACKEND_RECORD, require_same
from rigger.terraform.lost import JOURNAL, KEPT, Lost, forget, keep, lost, unsettled
from rigger.terraform.outputs import as_text, give_back
from rigger.terraform.preflight import preflight
from rigger.terraform.runner import MINIMUM, Terraform, call, interrupted, program_of
from rigger.terraform.state import (
    BACKUPS,
    GOOD,
    SEEN,
    UNSAVED,
    addresses,
    guard,
    guard_shared,
    kept,
    note_seen,
    seen,
    whole,
)
from rigger.terraform.workspace import STATE, Workspace, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

PLAN = "plan"
DRIFT = 8  # the exit code of `plan` and `audit` that says that something differs


def install(workspace: Workspace, say: Callable[[str], None] = print) -> None:
    """Find a Terraform or OpenTofu that will do, the user's own first, or download one."""
    try:
        program = program_of(workspace)
    except NotReady as problem:
        say(problem.message)
        minimum = workspace.module.terraform.minimum or MINIMUM
        if call(["rigger-install-terraform", minimum], workspace.module.folder, workspace.values):
            raise StepFailed(
                "Terraform could not be installed; the reason is above.",
                "Install Terraform or OpenTofu yourself, or name a mirror in TERRAFORM_DOWNLOAD_URL, "
                "or a zip in TERRAFORM_ARCHIVE.",
            ) from None
        program = program_of(workspace)
    say(f"{program.name} {program.version}: {program.path}")
    if notice := backend.ignored(workspace):
        sdk.log(notice, "warning")


def create(workspace: Workspace, say: Callable[[str], None] = print) -> None:
    """Make or change the machines: init, plan, apply of that very plan, outputs."""
    terraform = ready(workspace, say)
    _recover_lost(terraform)
    with _plan_file(workspace) as plan:
        if terraform.plan(out=plan):
            _apply_plan(terraform, plan)
        else:
            forget(workspace.file(JOURNAL))
            say("Everything is as it should be; nothing to change.")
    _note_shared(terraform)
    give_back(workspace, terraform.outputs())


def _apply_plan(terraform: Terraform, plan: str) -> None:
    """Carry a plan out; raises StepFailed, with what was being made if Terraform was killed reported."""
    workspace = terraform.workspace
    try:
        terraform.apply(plan)
    except StepFailed:
        known = {} if workspace.is_shared else _known_state(terraform) or {}
        _report(workspace, known, terraform.say)
        raise


def _report(workspace: Workspace, state: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Say what killed applies may have made, and have rigger keep on record what only a person can look for."""
    for item in lost(workspace, state):
        say(f"warning: {item}.")
    if items := unsettled(workspace, state):
        sdk.report_leftovers([str(item) for item in items], workspace.values)


def check(workspace: Workspace, say: Callable[[str], None] = print) -> None:
    """A plan that must be empty, and the module's own check if it has one."""
    if _nothing_made(workspace):
        say("Nothing was made yet.")
        _report(workspace, {}, say)
    else:
        terraform = ready(workspace, say)
        _report(workspace, _known_state(terraform) or {}, say)
        if terraform.plan():
            raise StepFailed(
                "Something differs from what is configured; the plan is above.",
                '"rigger provision --again" puts that right.',
            )
        say("Everything is as configured.")
    _look_at_nodes(workspace)
    _own_check(workspace)


def show_plan(workspace: Workspace, say: Callable[[str], None] = print) -> int:
    """Show what `create` would change; the exit code is 8 when it would change anything."""
    return DRIFT if ready(workspace, say).plan() else 0


def show_drift(workspace: Workspace, say: Callable[[str], None] = print) -> int:
    """Show what somebody changed by hand; the exit code is 8 when that is anything."""
    if _nothing_made(workspace):
        say("Nothing was made yet.")
        return 0
    return show_plan(workspace, say)


def destroy(workspace: Workspace, say: Callable[[str], None] = print) -> None:
    """Remove all that was made, also by an apply that failed half-way."""
    if _nothing_made(workspace) or _nothing_to_remove(workspace):
        say("Nothing was made.")
        keep(workspace, lost(workspace, {}))
        _report(workspace, {}, say)
        _end(workspace)
        return
    terraform = ready(workspace, say)
    unknown = _recover_lost(terraform)
    if _has_resources(
        _known_state(terraform)
    ):  # else there is nothing to plan, which files with a mistake forbid
        with _plan_file(workspace) as plan:
            if terraform.plan(destroy=True, out=plan):
                terraform.apply(plan)
    state = _note_shared(terraform)
    if left := ", ".join(addresses(state or {})):
        raise StepFailed(f"These are still there: {left}.", 'Type "rigger destroy" again.')
    forget(workspace.file(JOURNAL))
    if unknown:
        sdk.report_leftovers([str(item) for item in unknown], workspace.values)
    _end(workspace)
    say("All that the state knows is gone." if unknown else "All that was made is gone.")


def _end(workspace: Workspace) -> None:
    """Remove what a workspace can do without, and forget where its state, which knows nothing, is kept."""
    shutil.rmtree(workspace.data, ignore_errors=True)
    backend.forget(workspace)


def ready(workspace: Workspace, say: Callable[[str], None]) -> Terraform:
    """Return a Terraform that is initialised in a workspace whose state is whole and is the right one."""
    program = program_of(workspace)
    os.makedirs(workspace.folder, mode=0o700, exist_ok=True)
    require_same(workspace)
    for problem in hcl.unreadable(workspace.module.folder, workspace.cache):
        say(f"warning: {problem}")
    lay_out(workspace)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(workspace.passing(PLAN))  # of a run that was killed
    backend.write(workspace)
    guard(workspace, say)
    terraform = Terraform(workspace, program, say)
    if backend.recorded(workspace):
        backend.record(workspace)
    terraform.init()
    backend.record(workspace)
    if workspace.is_shared:
        guard_shared(workspace, terraform.pull())
    _save_unsaved(terraform)
    return terraform


def _known_state(terraform: Terraform) -> dict[str, Any] | None:
    workspace = terraform.workspace
    return terraform.pull() if workspace.is_shared else whole(workspace.file(STATE))


def _note_shared(terraform: Terraform) -> dict[str, Any] | None:
    """Keep the state in mind that a shared backend has now, and return it."""
    state = _known_state(terraform)
    if terraform.workspace.is_shared:
        note_seen(terraform.workspace, state)
    return state


def _save_unsaved(terraform: Terraform) -> None:
    """Save the state that Terraform could not write the last time, on a full disk or with a backend out of reach."""
    path = terraform.workspace.file(UNSAVED)
    if not os.path.exists(path):
        return
    with kept(terraform.workspace):
        terraform.push(path)
    os.makedirs(terraform.workspace.file(BACKUPS), mode=0o700, exist_ok=True)
    os.replace(path, terraform.workspace.file(BACKUPS, UNSAVED))
    terraform.say("warning: The last apply could not save its state; it is saved now.")


def _recover_lost(terraform: Terraform) -> list[Lost]:
    """Tell the state what killed applies had made; return, and keep in mind, what it still does not know."""
    workspace, unknown = terraform.workspace, []
    if not any(os.path.exists(workspace.file(name)) for name in (JOURNAL, KEPT)):
        return []
    state = _known_state(terraform) or {}
    recorded = set(addresses(state))
    for item in lost(workspace, state):
        if item.id and item.address not in recorded and _import(terraform, item):
            terraform.say(
                f"warning: {item.address} ({item.id}), made by a killed apply, is in the state now."
            )
        else:
            terraform.say(f"warning: {item}.")
            unknown.append(item)
    keep(workspace, unknown)
    return unknown


def _import(terraform: Terraform, item: Lost) -> bool:
    with kept(terraform.workspace):
        output = terraform.capture("import", item.address, item.id, input=False, no_color=terraform.flag)
    return output.returncode == 0


def bare(workspace: Workspace) -> Workspace:
    """Return a workspace with its folders, for a command that asks neither state nor plugins."""
    lay_out(workspace)
    backend.write(workspace)
    return workspace


def _nothing_made(workspace: Workspace) -> bool:
    """Return whether there is nothing to look at: never begun, or destroyed to the end."""
    if any(os.path.exists(workspace.file(name)) for name in (BACKEND_RECORD, JOURNAL, UNSAVED)):
        return False
    return seen(workspace).get("made") == 0 or not any(
        os.path.exists(workspace.file(n)) for n in (STATE, GOOD, SEEN)
    )


def _nothing_to_remove(workspace: Workspace) -> bool:
    """Return whether no apply got far enough to make anything, by a state that lies here and by what was seen."""
    if workspace.is_shared or backend.recorded(workspace) or seen(workspace).get("made"):
        return False
    if any(os.path.exists(workspace.file(name)) for name in (JOURNAL, UNSAVED)):
        return False
    for path in map(workspace.file, (STATE, GOOD)):
        state = whole(path)
        if _has_resources(state) or state is None and os.path.exists(path) and os.path.getsize(path):
            return False
    return True


def _has_resources(state: Mapping[str, Any] | None) -> bool:
    return any(True for _ in addresses(state or {}))


@contextlib.contextmanager
def _plan_file(workspace: Workspace) -> Iterator[str]:
    """A saved plan, which holds the values of secrets and is gone when it was used."""
    path = workspace.passing(PLAN)
    try:
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _look_at_nodes(workspace: Workspace) -> None:
    """Raise StepFailed where a machine of the inventory does not answer, as far as there is a way to it."""
    path, module = workspace.values.get("RIGGER_NODES_FILE", ""), workspace.module
    has_exec = any(os.path.exists(os.path.join(module.folder, name)) for name in ("exec", "exec.sh"))
    rows = open(path).read().splitlines() if os.path.exists(path) else []
    names = [row.split("\t")[0] for row in rows if has_exec or {*row.split("\t")[4:]} - {"-"}]
    if names and patience(module.ready):
        only = ["--only", " ".join(names)]
        if call(["rigger-node", "--all", *only, "--", "true"], module.folder, workspace.values):
            raise StepFailed("Not every machine answers; why is above.")


def _own_check(workspace: Workspace) -> None:
    for name in ("check", "check.sh"):
        path = os.path.join(workspace.module.folder, name)
        if os.path.isfile(path):
            code = call([path], workspace.module.folder, workspace.values)
            if code:
                raise StepFailed(f"{workspace.module.name}'s own check exited {code}; what it said is above.")
            return


def _preflight(workspace: Workspace) -> int:
    return preflight(workspace, print)


def _apply(workspace: Workspace) -> None:
    create(workspace)


def _output(workspace: Workspace, *names: str) -> None:
    outputs = ready(workspace, print).outputs()
    if names and names[0] not in outputs:
        raise BadUsage(f"There is no output {names[0]!r}.")
    print(as_text(outputs[names[0]]["value"]) if names else json.dumps(outputs, indent=2))


def _state(workspace: Workspace) -> None:
    """Print the state as JSON, wherever it is kept; {} before anything was made."""
    if _nothing_made(workspace):
        print("{}")
        return
    terraform = ready(workspace, lambda line: print(line, file=sys.stderr))
    _recover_lost(terraform)
    print(json.dumps(_known_state(terraform) or {}, indent=2))


def _leftovers(workspace: Workspace) -> None:
    """Print what a killed apply may have made, a line each, by what lies here: whoever asks wants to make it again."""
    state = None if workspace.is_shared else whole(workspace.file(STATE)) or whole(workspace.file(GOOD))
    for item in unsettled(workspace, state or {}):
        print(item)


STEPS: dict[str, Callable[..., int | None]] = {
    "preflight": _preflight,
    "install": install,
    "create": create,
    "apply": _apply,
    "check": check,
    "destroy": destroy,
    "leftovers": _leftovers,
    "plan": show_plan,
    "audit": show_drift,
    "output": _output,
    "state": _state,
}


def main(arguments: list[str]) -> int:
    """Run one of Terraform's steps in the environment of the script that called; return its exit code."""
    # Ctrl-C reaches Terraform by itself, exactly once: this process waits for it to save its state.
    signal.signal(signal.SIGINT, lambda signum, frame: interrupted.set())
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        if not arguments or arguments[0] not in STEPS:
            raise BadUsage(f"Usage: rigger-terraform {'|'.join(STEPS)}")
        return STEPS[arguments[0]](Workspace.of_step(), *arguments[1:]) or 0
    except RiggerError as problem:
        lines = [f"error: {problem.message}", *([f"  {problem.next_step}"] if problem.next_step else [])]
        print(*lines, sep="\n", file=sys.stderr)
        return problem.exit_code

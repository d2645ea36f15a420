"""The steps of a provider that is a folder of .tf files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping

from rigger.errors import BadUsage, NotReady, RiggerError, StepFailed
from rigger.terraform import backend
from rigger.terraform.backend import BACKEND_RECORD, require_same
from rigger.terraform.runner import MINIMUM, Terraform, call, interrupted, program_of
from rigger.terraform.state import (
    BACKUPS,
    GOOD,
    JOURNAL,
    SEEN,
    UNSAVED,
    Lost,
    addresses,
    guard,
    guard_shared,
    kept,
    lost,
    note_seen,
    seen,
    whole,
)
from rigger.terraform.workspace import STATE, Place, lay_out

PLAN = "plan"
DRIFT = 8  # the exit code of `plan` and `audit` that says that something differs


def install(place: Place, say: Callable[[str], None] = print) -> None:
    """Find a Terraform or OpenTofu that will do, the user's own first, or download one."""
    try:
        program = program_of(place)
    except NotReady as problem:
        say(problem.message)
        minimum = place.module.terraform.minimum or MINIMUM
        if call(["rigger-install-terraform", minimum], place.module.folder, place.values):
            raise StepFailed(
                "Terraform could not be installed; the reason is above.",
                "Install Terraform or OpenTofu yourself, or name a mirror in TERRAFORM_DOWNLOAD_URL, "
                "or a zip in TERRAFORM_ARCHIVE.",
            ) from None
        program = program_of(place)
    say(f"{program.name} {program.version}: {program.path}")


def create(place: Place, say: Callable[[str], None] = print) -> None:
    """Make or change the machines: init, plan, apply of that very plan, outputs."""
    terraform = ready(place, say)
    _recover_lost(terraform)
    with _plan_file(place) as plan:
        if terraform.plan(out=plan):
            terraform.apply(plan)
        else:
            _forget_journal(place)
            say("Everything is as it should be; nothing to change.")
    _note_shared(terraform)
    give_back(place, terraform.outputs())


def check(place: Place, say: Callable[[str], None] = print) -> None:
    """A plan that must be empty, and the module's own check if it has one."""
    if _nothing_made(place):
        say("Nothing was made yet.")
    else:
        terraform = ready(place, say)
        for item in lost(place, _known_state(terraform) or {}):
            say(f"warning: {item}.")
        if terraform.plan():
            raise StepFailed(
                "Something differs from what is configured; the plan is above.",
                '"rigger provision --again" puts that right.',
            )
        say("Everything is as it is configured.")
    _own_check(place)


def show_plan(place: Place, say: Callable[[str], None] = print) -> int:
    """Show what `create` would change; the exit code is 8 when it would change anything."""
    return DRIFT if ready(place, say).plan() else 0


def show_drift(place: Place, say: Callable[[str], None] = print) -> int:
    """Show what somebody changed by hand; the exit code is 8 when that is anything."""
    if _nothing_made(place):
        say("Nothing was made yet.")
        return 0
    return show_plan(place, say)


def destroy(place: Place, say: Callable[[str], None] = print) -> None:
    """Remove all that was made, also by an apply that failed half-way."""
    if _nothing_made(place):
        say("Nothing was made.")
        return
    terraform = ready(place, say)
    unknown = _recover_lost(terraform)
    with _plan_file(place) as plan:
        if terraform.plan(destroy=True, out=plan):
            terraform.apply(plan)
    state = _note_shared(terraform)
    if left := ", ".join(addresses(state or {})):
        raise StepFailed(f"These are still there: {left}.", 'Type "rigger destroy" again.')
    _forget_journal(place)
    if made := [str(item) for item in unknown if item.id]:
        # The form that rigger-leftover goes on with.
        _append(place, "RIGGER_OUTPUT", ["\n".join(["LEFTOVERS<<LEFTOVERS_END", *made, "LEFTOVERS_END", ""])])
    shutil.rmtree(place.data, ignore_errors=True)
    backend.forget(place)
    say("All that the state knows is gone." if unknown else "All that was made is gone.")


def ready(place: Place, say: Callable[[str], None]) -> Terraform:
    """Return a Terraform that is initialised in a place whose state is whole and is the right one."""
    program = program_of(place)
    os.makedirs(place.folder, mode=0o700, exist_ok=True)
    require_same(place)
    lay_out(place)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.passing(PLAN))  # of a run that was killed
    backend.write(place)
    guard(place, say)
    terraform = Terraform(place, program, say)
    if backend.recorded(place):
        backend.record(place)
    terraform.init()
    backend.record(place)
    if place.is_shared:
        guard_shared(place, terraform.pull())
    _save_unsaved(terraform)
    return terraform


def _known_state(terraform: Terraform) -> dict | None:
    place = terraform.place
    return terraform.pull() if place.is_shared else whole(place.file(STATE))


def _note_shared(terraform: Terraform) -> dict | None:
    """Keep the state in mind that a shared backend has now, and return it."""
    state = _known_state(terraform)
    if terraform.place.is_shared:
        note_seen(terraform.place, state)
    return state


def _save_unsaved(terraform: Terraform) -> None:
    """Save the state that Terraform could not write the last time, on a full disk or with a backend out of reach."""
    path = terraform.place.file(UNSAVED)
    if not os.path.exists(path):
        return
    with kept(terraform.place):
        terraform.push(path)
    os.makedirs(terraform.place.file(BACKUPS), mode=0o700, exist_ok=True)
    os.replace(path, terraform.place.file(BACKUPS, UNSAVED))
    terraform.say("warning: The last apply could not save its state; it is saved now.")


def _recover_lost(terraform: Terraform) -> list[Lost]:
    """Tell the state what an apply that was killed had made; return what it still does not know."""
    if not os.path.exists(terraform.place.file(JOURNAL)):
        return []
    state = _known_state(terraform) or {}
    known, unknown = set(addresses(state)), []
    for item in lost(terraform.place, state):
        if item.id and item.address not in known and _import(terraform, item):
            terraform.say(
                f"warning: {item.address} ({item.id}), made by a killed apply, is in the state now."
            )
        else:
            terraform.say(f"warning: {item}.")
            unknown.append(item)
    return unknown


def _import(terraform: Terraform, item: Lost) -> bool:
    with kept(terraform.place):
        said = terraform.capture("import", item.address, item.id, input=False, no_color=terraform.flag)
    return said.returncode == 0


def _forget_journal(place: Place) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.file(JOURNAL))


def bare(place: Place) -> Place:
    """Return a place with its folders, for a command that asks neither state nor plugins."""
    lay_out(place)
    backend.write(place)
    return place


def _nothing_made(place: Place) -> bool:
    """Return whether there is nothing to look at: never begun, or destroyed to the end."""
    if any(os.path.exists(place.file(name)) for name in (BACKEND_RECORD, JOURNAL, UNSAVED)):
        return False
    return seen(place).get("made") == 0 or not any(os.path.exists(place.file(n)) for n in (STATE, GOOD, SEEN))


@contextlib.contextmanager
def _plan_file(place: Place) -> Iterator[str]:
    """A saved plan, which holds the values of secrets and is gone when it was used."""
    path = place.passing(PLAN)
    try:
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _own_check(place: Place) -> None:
    for name in ("check", "check.sh"):
        path = os.path.join(place.module.folder, name)
        if os.path.isfile(path):
            code = call([path], place.module.folder, place.values)
            if code:
                raise StepFailed(f"{place.module.name}'s own check exited {code}; what it said is above.")
            return


def give_back(place: Place, outputs: Mapping[str, Mapping]) -> None:
    """Give Terraform's outputs to rigger: vars, secrets, and the inventory, as the manifest maps them."""
    settings = place.module.terraform
    nodes = settings.inventory or next((name for name in ("nodes", "inventory") if name in outputs), "")
    chosen = {question.name for question in place.module.questions if question.type == "checkbox"}
    plain, secret = [], []
    for output, about in outputs.items():
        name = settings.outputs.get(output, "" if settings.outputs else output.replace("-", "_").upper())
        if output == nodes or not name:
            continue
        value = about.get("value")
        text = ",".join(map(str, value)) if name in chosen and isinstance(value, list) else _as_text(value)
        (secret if about.get("sensitive") else plain).append(_entry(name, text))
    _append(place, "RIGGER_OUTPUT", plain)
    _append(place, "RIGGER_SECRETS_OUTPUT", secret)
    if nodes:
        if nodes not in outputs:
            raise StepFailed(f"There is no output {nodes!r}, which the manifest names as the inventory.")
        machines = outputs[nodes].get("value") or []
        _append(place, "RIGGER_INVENTORY_OUTPUT", [json.dumps(machine) + "\n" for machine in _list(machines)])


def _list(machines) -> list:
    """Return the nodes of an output that is a list, or a map of name -> node."""
    if isinstance(machines, dict):
        return [{"name": name, **machine} for name, machine in machines.items()]
    return list(machines)


def _as_text(value) -> str:
    if isinstance(value, bool) or isinstance(value, (dict, list)):
        return json.dumps(value)
    return "" if value is None else str(value)


def _entry(name: str, value: str) -> str:
    end = f"END_{name}"
    while end in value:
        end += "_"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append(place: Place, channel: str, entries: list[str]) -> None:
    if entries:
        with open(place.values[channel], "ab") as file:
            file.write("".join(entries).encode("utf-8", "surrogateescape"))


def _apply(place: Place) -> None:
    create(place)


def _output(place: Place, *names: str) -> None:
    found = ready(place, print).outputs()
    if names and names[0] not in found:
        raise BadUsage(f"There is no output {names[0]!r}.")
    print(_as_text(found[names[0]]["value"]) if names else json.dumps(found, indent=2))


def _state(place: Place) -> None:
    """Print the state as JSON, wherever it is kept; {} before anything was made."""
    if _nothing_made(place):
        print("{}")
        return
    terraform = ready(place, lambda line: print(line, file=sys.stderr))
    _recover_lost(terraform)
    print(json.dumps(_known_state(terraform) or {}, indent=2))


STEPS: dict[str, Callable] = {
    "install": install,
    "create": create,
    "apply": _apply,
    "check": check,
    "destroy": destroy,
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
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        if not arguments or arguments[0] not in STEPS:
            raise BadUsage(f"Usage: rigger-terraform {'|'.join(STEPS)}")
        return STEPS[arguments[0]](Place.of_step(), *arguments[1:]) or 0
    except RiggerError as problem:
        said = [f"error: {problem.message}", *([f"  {problem.next_step}"] if problem.next_step else [])]
        print(*said, sep="\n", file=sys.stderr)
        return problem.exit_code

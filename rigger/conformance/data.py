"""A platform's data: backed up, changed, put back."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.nodes import Files, Machines
from rigger.conformance.rehearsal import How, Rehearsal
from rigger.conformance.tries import is_well
from rigger.text import listed

CHANGE = 'for file; do echo "changed by rigger module check" >>"./$file"; done'


def back_up_and_restore(rehearsal: Rehearsal, before: Mapping[str, Files]) -> bool:
    """Back up, change the data, restore; return whether the platform still is as it should be."""
    platform = rehearsal.module
    if not platform.script("backup"):
        return True
    path = os.path.join(rehearsal.sandbox.aside, "backup")
    how = How(environ={"RIGGER_BACKUP_FILE": path})
    if not rehearsal.looks(platform, "backup", "writes a file and changes nothing", how):
        return False
    if not os.path.isfile(path):
        return False
    if not platform.script("restore"):
        return True
    machines = rehearsal.machines()
    held = changed = machines.files()
    if not rehearsal.traces.processes():  # what runs writes itself, and nobody could tell whose a change is
        _change_data(machines, held, before)
        changed = machines.files()
    if not _restored(rehearsal, how, machines, held, changed):
        return False
    return _into_a_new_one(rehearsal, how)


def _change_data(machines: Machines, held: Mapping[str, Files], before: Mapping[str, Files]) -> None:
    """Write into every file that came with the platform."""
    for name, files in held.items():
        if new := sorted(set(files) - set(before.get(name, {}))):
            machines.run(name, ["sh", "-c", CHANGE, "sh", *new])


def _restored(
    rehearsal: Rehearsal,
    how: How,
    machines: Machines,
    held: Mapping[str, Files],
    changed: Mapping[str, Files],
) -> bool:
    """Restore over changed data: something of it must be as it was, and all of it right after a deploy."""
    platform = rehearsal.module
    result = rehearsal.must(platform, "restore", "succeeds", how)
    if result is None:
        return False
    back = _came_back(machines, held, changed)
    if changed != held and not back:
        rehearsal.say(
            FAIL,
            "puts nothing back: of what was changed after the backup, no file is as it was",
            rehearsal.file(result),
        )
        return False
    if changed != held:
        rehearsal.say(PASS, "puts back what was changed after the backup", rehearsal.file(result))
        for file, (there, elsewhere) in _in_part(back, held).items():
            text = f"puts {file} back on {listed(there)}, but not on {listed(elsewhere)}"
            rehearsal.say(ADVICE, text, rehearsal.file(result))
    rehearsal.must(platform, "restore", "can be repeated", how)
    if changed != held:
        rehearsal.must(platform, "deploy", "succeeds after restore")
    return is_well(rehearsal, "after restore")


def _came_back(
    machines: Machines, held: Mapping[str, Files], changed: Mapping[str, Files]
) -> dict[str, list[str]]:
    """Return the files that were changed and are as before, each with its nodes."""
    now, back = machines.files(), dict[str, list[str]]()
    for name, files in held.items():
        for file, sums in files.items():
            if changed[name].get(file) != sums == now[name].get(file):
                back.setdefault(file, []).append(name)
    return back


def _in_part(
    back: Mapping[str, list[str]], held: Mapping[str, Files]
) -> dict[str, tuple[list[str], list[str]]]:
    """Return the files that came back on some of the nodes that had them, with those nodes and the others."""
    had = {file: [name for name, files in held.items() if file in files] for file in back}
    return {
        file: (there, [name for name in had[file] if name not in there])
        for file, there in back.items()
        if len(there) < len(had[file])
    }


def _into_a_new_one(rehearsal: Rehearsal, how: How) -> bool:
    """Restore into a cluster that was made anew, as `rigger resume` does."""
    platform = rehearsal.module
    steps = ("undeploy", "install", "deploy")
    if not all(
        [rehearsal.must(platform, verb, "succeeds before a restore into a new cluster") for verb in steps]
    ):
        return False
    if not rehearsal.must(platform, "restore", "succeeds in a new cluster", how):
        return False
    return is_well(rehearsal, "after a restore into a new cluster")

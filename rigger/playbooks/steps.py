"""The steps of an add-on that is a playbook: plan and audit in check mode, apply, and destroy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.errors import BadUsage, RiggerError, StepFailed
from rigger.modules import manifest
from rigger.modules.instance import instance
from rigger.playbooks.runner import play, programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DRIFT = 8
PLAYBOOKS = {
    "plan": "entrypoint.yml",
    "audit": "entrypoint.yml",
    "apply": "entrypoint.yml",
    "destroy": "destroy.yml",
}
LOOKS = ("plan", "audit")
PROJECT = "project"


def run(verb: str, values: Mapping[str, str]) -> int:
    """Run the playbook of a verb and return the step's exit code; raises NotReady and StepFailed."""
    name = os.path.basename(values["RIGGER_STATE_DIR"])
    # In the run's folder, and fresh: of an older one the runner would keep the words of the command line.
    folder = f"{os.path.splitext(values['RIGGER_OUTPUT'])[0]}.ansible"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder, 0o700)
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda signum, frame: stop.set())
    try:
        played = play(
            name,
            folder,
            os.path.join(values["RIGGER_MODULE_DIR"], PROJECT),
            PLAYBOOKS[verb],
            _write_inventory(folder, name, values),
            _environ(values),
            check=verb in LOOKS,
            say=print,
            cancelled=stop.is_set,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if stop.is_set():
        return 130
    if played.code or played.failed:
        raise StepFailed(
            f"The playbook failed at: {', '.join(sorted(played.failed)) or 'its beginning'}; why is above."
        )
    if verb == "apply":
        _give(played.given, values["RIGGER_STATE_OUTPUT"])
    if verb in LOOKS and played.changed:
        print(f"Would change: {', '.join(sorted(played.changed))}.")
        return DRIFT
    return 0


def _environ(values: Mapping[str, str]) -> dict[str, str]:
    own = os.path.join(values["RIGGER_STATE_DIR"], "ansible")
    kept = {name: value for name, value in values.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "PATH": os.pathsep.join([programs(), values.get("PATH", os.defpath)]),
        "ANSIBLE_HOME": own,
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",  # found on the node, without a warning each time
        "ANSIBLE_SSH_CONTROL_PATH_DIR": values.get("RIGGER_CONNECTIONS") or os.path.join(own, "cp"),
    }


def _write_inventory(folder: str, name: str, values: Mapping[str, str]) -> str:
    """Write the nodes, with the add-on's own vars for all of them, for nobody else to read; return the file's path."""
    said = subprocess.run(
        ["rigger-nodes", "ansible"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=_encoded(values),
        check=False,
    )
    if said.returncode:
        raise StepFailed(
            f"The nodes cannot be told to Ansible: {texts.last_line(texts.decode(said.stderr))}."
        )
    inventory: dict[str, Any] = json.loads(said.stdout)
    own = {**_vars(name, values), "rigger_state_dir": values["RIGGER_STATE_DIR"]}
    path = os.path.join(folder, "hosts.yml")
    with open(path, "x", encoding="utf-8") as file:
        file.write(
            f'{{"all": {{"hosts": {json.dumps(inventory["all"]["hosts"])}, "vars": {{{_unsafe(own)}}}}}}}\n'
        )
    return path


def _unsafe(values: Mapping[str, str]) -> str:
    """Return values as YAML that Ansible takes as they are: one that looks like a template is marked as none.

    The others are not marked: Ansible would make numbers of them.
    """
    marks = {name: "!unsafe " if "{" in value else "" for name, value in values.items()}
    return ", ".join(
        f"{json.dumps(name)}: {marks[name]}{json.dumps(value)}" for name, value in values.items()
    )


def _vars(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the vars of an add-on as a playbook names them: SIZE is size."""
    module = manifest.load(
        values["RIGGER_MODULE_DIR"], os.path.join(values["RIGGER_HOME"], "cache", "manifests")
    )
    start = f"{instance(module, name).prefix}_"
    names = {question.name for question in module.questions} | {*module.vars, *module.outputs}
    for file in ("vars", "secrets"):
        path = os.path.join(values["RIGGER_ENVIRONMENT_DIR"], file)
        if os.path.exists(path):
            own = (one for one in envfile.read(path) if one.startswith(start))
            names |= {one.removeprefix(start) for one in own}
    return {one.lower(): values[one] for one in sorted(names) if one in values}


def _encoded(values: Mapping[str, str]) -> dict[bytes, bytes]:
    return {texts.encode(name): texts.encode(value) for name, value in values.items()}


def _give(given: Mapping[str, Any], path: str) -> None:
    """Give what the playbook set with set_stats, where no task wrote an output itself."""
    if given and not (os.path.exists(path) and os.path.getsize(path)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(given, file)


def main(arguments: list[str]) -> int:
    """Run a step in the environment of the script that called; return its exit code."""
    os.umask(0o077)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    try:
        if len(arguments) != 1 or arguments[0] not in PLAYBOOKS:
            raise BadUsage(f"Usage: rigger-ansible {'|'.join(PLAYBOOKS)}")
        environ = {texts.decode(n): texts.decode(v) for n, v in os.environb.items()}
        if "RIGGER_STATE_DIR" not in environ:
            raise BadUsage("RIGGER_STATE_DIR is not set: this works only in a script that rigger runs.")
        return run(arguments[0], environ)
    except RiggerError as problem:
        lines = [f"error: {problem.message}", *([f"  {problem.next_step}"] if problem.next_step else [])]
        print(*lines, sep="\n", file=sys.stderr)
        return problem.exit_code

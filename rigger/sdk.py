"""What a provider's or platform's Python scripts say to rigger, in the words of its contract with scripts.

A script is a file that starts Python by the name that rigger gives it; the file, not `-m`, so that no current folder
gets in the way::

    #!/bin/sh
    # Summary: Make the machines.
    exec "$RIGGER_PYTHON" "${0%/*}/lib/create.py"

and `lib/create.py` reads the answers, says what it does, and gives back what it made::

    import sys

    from rigger import sdk


    def create(values: sdk.Answers) -> None:
        if values["REGION"] == "moon":
            raise sdk.StepFailed("There are no machines on the moon.", "Choose another REGION.")
        sdk.say(f"Making a machine in {values['REGION']}")
        sdk.save_vars({"DOMAIN": "example.com"})
        sdk.write_nodes([{"name": "node-1", "address": "192.0.2.7"}])


    sys.exit(sdk.run(create))

A program that lists the choices of a question, or checks an answer, is written in the same way: it calls
`list_choices`, or raises StepFailed. Everything here may be used by whoever writes a module; no other part of the
package `rigger` should be, as the others change without notice.

Exit codes: a script that exits 0 has succeeded, and with any other code it has failed, upon which rigger itself exits
5. `audit` and `plan` exit 8 (raise DifferencesFound) when they have found that something differs.
"""

from __future__ import annotations

import json
import os
import sys

from rigger import files, templates
from rigger.errors import DifferencesFound, RiggerError, StepFailed
from rigger.process.capture import Captured, capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

__all__ = [
    "DIFFERS",
    "FAILED",
    "SUCCEEDED",
    "Answers",
    "Captured",
    "DifferencesFound",
    "RiggerError",
    "StepFailed",
    "answers",
    "capture",
    "is_step",
    "list_choices",
    "log",
    "read_nodes",
    "render",
    "report_leftovers",
    "run",
    "save_secrets",
    "save_vars",
    "say",
    "write_file",
    "write_nodes",
    "write_nodes_file",
]

SUCCEEDED, FAILED, DIFFERS = 0, 1, DifferencesFound.exit_code

LEFTOVERS = "LEFTOVERS"  # the var that rigger takes for a list of what is left over


class Answers(dict[str, str]):
    """The values that a script got in its environment; one that is missing is named in a sentence."""

    def __missing__(self, name: str) -> str:
        raise StepFailed(f"{name} has no answer, and this depends on it.")


def answers() -> Answers:
    """Return the answers to the questions, the vars and secrets, and what rigger itself says (RIGGER_...)."""
    return Answers(os.environ)


def is_step() -> bool:
    """Return whether this is a step of a run, not the program of a question."""
    return bool(os.environ.get("RIGGER_STEP"))


def run(program: Callable[[Answers], object]) -> int:
    """Run a script's function with its answers; return the exit code, with an error said in a sentence."""
    try:
        program(answers())
    except RiggerError as problem:
        sentence = f"{problem.message} {problem.next_step}".rstrip()
        # The wizard has words of its own before what is wrong with an answer.
        print(f"error: {sentence}" if is_step() else sentence, file=sys.stderr)
        return DIFFERS if isinstance(problem, DifferencesFound) else FAILED
    return SUCCEEDED


# What a person reads


def say(text: str) -> None:
    """Tell the person who watches a step, on standard output."""
    print(text, flush=True)


def log(text: str, level: str = "info") -> None:
    """Tell it with a level (debug, info, warning, error), on standard error, as rigger-log does."""
    print(text if level == "info" else f"{level}: {text}", file=sys.stderr, flush=True)


def list_choices(choices: Iterable[tuple[str, str]]) -> None:
    """Print the choices of a question: each one's value, and what is said beside it."""
    for value, description in choices:
        print(f"{value}\t{description}")


# What rigger reads


def save_vars(values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Give vars back, byte for byte: they stand in the environment of every later step."""
    _append("RIGGER_OUTPUT", environ, (_block(name, value) for name, value in values.items()))


def save_secrets(values: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> None:
    """Give secrets back: as vars, but kept apart, and hidden in what is shown and logged."""
    _append("RIGGER_SECRETS_OUTPUT", environ, (_block(name, value) for name, value in values.items()))


def write_nodes(nodes: Iterable[Mapping[str, Any]], environ: Mapping[str, str] = os.environ) -> None:
    """Add nodes to the inventory: each a `name`, an `address` and what else the contract says of a node."""
    _append("RIGGER_INVENTORY_OUTPUT", environ, (json.dumps(node) + "\n" for node in nodes))


def report_leftovers(items: Iterable[str], environ: Mapping[str, str] = os.environ) -> None:
    """Report all that a destroy could not remove; `rigger destroy` lists it and exits 5. The last call counts."""
    lines = "\n".join(" ".join(item.splitlines()) for item in items)
    # The end that the program rigger-leftover looks for, when it has something to add.
    _append("RIGGER_OUTPUT", environ, [f"{LEFTOVERS}<<{LEFTOVERS}_END\n{lines}\n{LEFTOVERS}_END\n"])


def _block(name: str, value: str) -> str:
    end = f"END_{name}"
    while end in value:
        end += "_"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append(output: str, environ: Mapping[str, str], entries: Iterable[str]) -> None:
    data = "".join(entries).encode("utf-8", "surrogateescape")
    if not data:
        return
    path = environ.get(output)
    if not path:
        raise StepFailed(f"{output} is not set: this works only in a script that rigger runs.")
    with open(path, "ab") as file:
        file.write(data)


# The inventory


def read_nodes(environ: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Return the nodes of the inventory, none before there is one; raises StepFailed where it cannot be read."""
    path = environ.get("RIGGER_INVENTORY", "")
    try:
        with open(path, encoding="utf-8") as file:
            nodes = json.load(file)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as problem:
        raise StepFailed(f"{path} cannot be read as an inventory: {problem}.") from None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise StepFailed(f"{path} is not a list of nodes.")
    return nodes


def write_nodes_file(path: str, nodes: Iterable[Mapping[str, Any]]) -> None:
    """Write nodes as RIGGER_NODES_FILE has them, so that rigger-node knows them before the inventory does."""
    write_file(path, "".join(_row(node) for node in nodes).encode("utf-8", "surrogateescape"))


def _row(node: Mapping[str, Any]) -> str:
    ssh = node.get("ssh") or {}
    cells = [node["name"], node["address"], node.get("private_address"), str(node.get("port_offset") or 0)]
    cells += [ssh.get(name) for name in ("user", "port", "key", "jump", "host")]
    return "\t".join(str(cell or "-") for cell in cells) + "\n"


# Files and templates


def write_file(path: str, data: bytes) -> None:
    """Replace a file, such as one of RIGGER_STATE_DIR, so that a crash leaves the old one or the new one whole."""
    files.write_bytes(path, data)


def render(path: str, values: Mapping[str, Any], name: str = "") -> str:
    """Return a Jinja2 template with values filled in; an error calls the template `name`, or its path."""
    with open(path, encoding="utf-8") as file:
        return templates.render(file.read(), values, name or path)

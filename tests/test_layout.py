"""Who may import whom: the rooms of the house, from the roof down, and no circle anywhere."""

from __future__ import annotations

import ast
import os

import pytest

import rigger

PACKAGE = os.path.dirname(os.path.abspath(rigger.__file__))

# The rooms from the roof down; a room imports from lower lines only, and rooms on one line do not know each other.
ROOMS = """
__main__
commands
cli
operations
conformance
runs
plans bundles
configuration
sources
trust
interface1 terraform
modules ui
questions
environments redact
git ssh envfile
audit sdk
process templates
files
errors text versions
"""
LINES = [line.split() for line in ROOMS.strip().splitlines()]
RANK = {room: len(LINES) - number for number, line in enumerate(LINES) for room in line}
DATA = {"libexec", "platforms", "scaffolds", "providers", "bin"}  # programs and folders that steps use


def files() -> dict[str, str]:
    """Return every module of the package: its name and its file."""
    found = {}
    for folder, folders, names in os.walk(PACKAGE):
        if folder == PACKAGE:
            folders[:] = [name for name in folders if name not in DATA]
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                module = os.path.relpath(path, os.path.dirname(PACKAGE))[:-3].replace(os.sep, ".")
                found[module.removesuffix(".__init__")] = path
    return found


FILES = files()


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def imports(path: str) -> set[str]:
    """Return the modules of the package that a file imports: also inside of functions, also for types alone."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in FILES}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & FILES.keys() or {node.module} & FILES.keys()
    return found - {"rigger"}


GRAPH = {module: imports(path) for module, path in FILES.items()}


def test_every_room_has_a_line():
    rooms = {room(module) for module in FILES if module != "rigger"}
    assert rooms == RANK.keys()


@pytest.mark.parametrize("module", sorted(FILES))
def test_no_import_runs_upwards(module):
    own = room(module)
    upwards = {name for name in GRAPH[module] if room(name) != own and RANK[room(name)] >= RANK.get(own, 99)}
    assert not upwards


def test_no_circle():
    """No file imports itself by way of others, lazy imports counted."""
    seen: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in seen:
            for name in sorted(GRAPH[module]):
                visit(name, (*path, module))
            seen[module] = 1

    for module in sorted(GRAPH):
        visit(module, ())


# Who never speaks to a person: an operation and all below it is called by programs too, and says what it has to say to
# a Reporter, asks a Consent, and returns its result.
QUIET = {room for room in RANK if RANK[room] <= RANK["operations"] and room != "ui"}
FOR_PEOPLE = {"click", "questionary", "prompt_toolkit"}
PROGRAMS = {  # what they print is the output of a step
    "rigger.sdk",  # what the Python of providers' scripts says to rigger
    "rigger.terraform.steps",  # libexec/rigger-terraform
    *(module for module in FILES if room(module) == "aws"),  # the scripts of the provider aws
}


def mentions(path: str) -> set[str]:
    """Return the outside libraries and the names by which a file may speak to a person."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Name) and node.id == "print":  # called, or passed on to be called
            found.add("print()")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "input":
            found.add("input()")
        elif isinstance(node, ast.Attribute) and node.attr in ("write", "writelines", "buffer"):
            found.add(ast.unparse(node))
    return found


@pytest.mark.parametrize("module", sorted(name for name in FILES if room(name) in QUIET))
def test_what_programs_call_knows_no_terminal(module):
    rooms = {room(name) for name in GRAPH[module]} & {"ui", "cli", "commands"}
    words = mentions(FILES[module])
    libraries = words & FOR_PEOPLE
    said = {word for word in words if word.startswith(("print(", "input(", "sys.stdout.", "sys.stderr."))}
    assert not rooms | libraries | (set() if module in PROGRAMS else said)

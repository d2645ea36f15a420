"""The rooms of the house: who may import whom, no circle anywhere, and how long a file and a function may be."""

from __future__ import annotations

import ast
import os
import re

import pytest
from conftest import ROOT

import rigger

PACKAGE = os.path.dirname(os.path.abspath(rigger.__file__))


def rooms() -> list[list[str]]:
    """Return the rooms as the table in CONTRIBUTING.rst has them, from the roof down; those of one line together.

    A room imports from lower lines only, and rooms on one line do not know each other.
    """
    with open(os.path.join(ROOT, "CONTRIBUTING.rst"), encoding="utf-8") as file:
        table = file.read().partition("The rooms\n")[2].partition("Beside them")[0]
    rows = re.findall(r"^   [*] - (``.*)$", table, re.M)
    return [
        [name.removesuffix("/").removesuffix(".py") for name in re.findall("``(.*?)``", row)] for row in rows
    ]


LINES = [["__main__"], *rooms()]
RANK = {room: len(LINES) - number for number, line in enumerate(LINES) for room in line}
DATA = {
    "addons",
    "libexec",
    "platforms",
    "scaffolds",
    "providers",
    "bin",
}  # programs and folders that steps use


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
    assert {room(module) for module in FILES if module != "rigger"} == RANK.keys()


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


def lazy_imports(path: str) -> set[str]:
    """Return the modules of the package that a file imports inside of a function."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    imports = (
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)
    )
    return {node.module for node in imports if node.module and node.module.partition(".")[0] == "rigger"}


@pytest.mark.parametrize(
    "module", sorted(FILES.keys() - {"rigger.__main__"})
)  # which answers --help without imports
def test_our_own_modules_are_imported_at_the_top(module):
    assert not lazy_imports(FILES[module]), (
        "only outside libraries are heavy enough to be imported where they are used"
    )


@pytest.mark.parametrize("module", sorted(FILES))
def test_typing_is_imported_for_types_alone(module):
    """It takes longer to import than most commands take to run; TYPE_CHECKING is a constant, which mypy knows."""
    with open(FILES[module], encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in found}
    assert "typing" not in names, "say `TYPE_CHECKING = False`, and import it below `if TYPE_CHECKING:`"


# Who never speaks to a person: an operation and all below it is called by programs too, and says what it has to say to
# a Reporter, asks a Consent, and returns its result.
QUIET = {room for room in RANK if RANK[room] <= RANK["operations"] and room != "ui"}
FOR_PEOPLE = {"click", "questionary", "prompt_toolkit"}
PROGRAMS = {  # what they print is the output of a step
    "rigger.sdk",  # what the Python of providers' scripts says to rigger
    "rigger.terraform.steps",  # libexec/rigger-terraform
    "rigger.containers.steps",  # libexec/rigger-container
    "rigger.playbooks.steps",  # libexec/rigger-ansible
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


# How long things may be: a longer file says in the docstring why it is "one file".
FILE_LINES = 400
FUNCTION_LINES = 40


def all_files() -> dict[str, str]:
    """Return every Python file of the package and of the providers: its dotted path and its file."""
    found = {}
    for top in (PACKAGE, os.path.join(ROOT, "providers")):
        for folder, _, names in os.walk(top):
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    found[os.path.relpath(path, ROOT)[:-3].replace(os.sep, ".")] = path
    return found


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has from its `def` on, its docstring not counted."""
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value
    docstring = first.end_lineno - first.lineno + 1 if isinstance(text, str) else 0
    return function.end_lineno - function.lineno + 1 - docstring


def functions(tree: ast.AST, path: str) -> dict[str, int]:
    """Return all functions of a file, those within others and in classes too: their dotted names and lines."""
    found = {}
    for node in ast.iter_child_nodes(tree):
        inner = path
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{path}.{node.name}"
            if not isinstance(node, ast.ClassDef):
                found[inner] = lines_of(node)
        found |= functions(node, inner)
    return found


def parsed() -> dict[str, tuple[str, ast.Module]]:
    found = {}
    for name, path in all_files().items():
        with open(path, encoding="utf-8") as file:
            text = file.read()
        found[name] = text, ast.parse(text)
    return found


def says_why(tree: ast.Module) -> bool:
    return "one file" in (ast.get_docstring(tree) or "").replace("\n", " ")


@pytest.mark.slow
def test_a_long_file_says_why():
    long = {
        name
        for name, (text, tree) in parsed().items()
        if text.count("\n") > FILE_LINES and not says_why(tree)
    }
    assert not long, f"over {FILE_LINES} lines without a word why"


def test_no_function_is_long():
    long = {
        function
        for name, (_, tree) in parsed().items()
        for function, lines in functions(tree, name).items()
        if lines > FUNCTION_LINES
    }
    assert not long, f"over {FUNCTION_LINES} lines"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    pass\n", {"m.f": 2}),
        ('def f():\n    """One."""\n    pass\n', {"m.f": 2}),
        ('def f():\n    """One.\n\n    Two.\n    """\n    x = """a\n    b"""\n', {"m.f": 3}),
        ("class A:\n    @x\n    async def f(self,\n            y):\n        pass\n", {"m.A.f": 3}),
        ("def f():\n    if x:\n        def g():\n            pass\n", {"m.f": 4, "m.f.g": 2}),
    ],
)
def test_how_lines_are_counted(source, lines):
    assert functions(ast.parse(source), "m") == lines

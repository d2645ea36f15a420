"""Nobody steers by what an error says in English: errors have types, and fields for what others need to know of them."""

from __future__ import annotations

import ast
import errno
import os

import pytest

from rigger import errors
from tests.test_layout import FILES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORDS = {"message", "complaint", "next_step", "reason"}  # what an error holds for people
LOOKING = {"startswith", "endswith", "partition", "rpartition", "find", "index", "count"}
SEARCHING = {"search", "match", "fullmatch", "findall", "finditer"}
CHANGING = {
    "lower",
    "upper",
    "casefold",
    "strip",
    "rstrip",
    "lstrip",
    "encode",
}  # and then looking is looking still


class Steering(ast.NodeVisitor):
    """Finds what looks into an error's words, and errors that have no type of their own."""

    def __init__(self) -> None:
        self.errors: list[str] = []  # the names of the errors that are being handled
        self.words: set[str] = set()  # and of what their words were given to
        self.found: list[tuple[int, str]] = []

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.errors.append(node.name or "")
        self.generic_visit(node)
        self.errors.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        if self.is_words(node.value):
            self.words |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before, self.words = self.words, set()
        self.generic_visit(node)
        self.words = before

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            looks_in = isinstance(operator, (ast.In, ast.NotIn)) and self.is_words(right)
            equal = isinstance(operator, (ast.Eq, ast.NotEq)) and (
                self.is_words(left) or self.is_words(right)
            )
            if looks_in or equal:
                self.found.append((node.lineno, "compares an error's words"))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in LOOKING and self.is_words(node.func.value):
                self.found.append((node.lineno, f"calls {node.func.attr}() of an error's words"))
            if node.func.attr in SEARCHING and any(map(self.is_words, node.args)):
                self.found.append((node.lineno, "searches an error's words"))
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(error, ast.Name) and error.id in ("RuntimeError", "Exception", "BaseException"):
            self.found.append((node.lineno, f"raises a bare {error.id}"))
        self.generic_visit(node)

    def is_words(self, node: ast.expr) -> bool:
        """Whether this is an error's text: str(problem), problem.message, a name that was given it, or a form of it."""
        match node:
            case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]):
                return name in self.errors
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in CHANGING:
                return self.is_words(inner)
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                return name in self.errors and attr in WORDS or attr == "message"
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="args")):
                return name in self.errors
            case ast.Name(id=name):
                return name in self.words
        return False


def steering(text: str) -> list[tuple[int, str]]:
    visitor = Steering()
    visitor.visit(ast.parse(text))
    return visitor.found


@pytest.mark.parametrize("module", sorted(FILES))
def test_nobody_steers_by_an_error_s_words(module: str) -> None:
    with open(FILES[module], encoding="utf-8") as file:
        found = steering(file.read())
    assert not found, "\n".join(f"{FILES[module]}:{line} {what}" for line, what in found)


@pytest.mark.parametrize(
    "line",
    [
        "if 'ambiguous' in str(problem): pass",
        "if 'did not end' in problem.message: pass",
        "said = str(problem).partition(': ')[2] or problem",
        "while problem.message.lower().startswith('x'): pass",
        "several = re.search('shallow|filter', str(problem))",
        "said = problem.message\n    if 'shallow' in said: pass",
        "known = problem.message == 'gone'",
        "if problem.args[0].endswith('x'): pass",
        "raise RuntimeError('it did not end')",
    ],
)
def test_steering_is_found(line: str) -> None:
    assert steering(f"try:\n    work()\nexcept OSError as problem:\n    {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "raise NotReady(f'{folder}: {problem.message}') from None",
        "said = problem.message.rstrip('.')",
        "if problem.message not in explained: explained.add(problem.message)",
        "if problem.errno == errno.ENOENT: pass",
        "if isinstance(problem, NothingLeftOut): pass",
    ],
)
def test_telling_what_happened_is_no_steering(line: str) -> None:
    assert not steering(f"try:\n    work()\nexcept OSError as problem:\n    {line}\n")


def test_every_kind_has_its_own_exit_code_but_for_disks():
    codes = [kind.exit_code for kind in (errors.RiggerError, *errors.RiggerError.__subclasses__())]
    assert len(codes) == len(set(codes)) and 0 not in codes
    assert errors.Unwritable.exit_code == errors.NotReady.exit_code


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, errors.Unwritable),
        (errno.EROFS, errors.Unwritable),
        (errno.EACCES, errors.Unwritable),
        (errno.ENOENT, errors.InvalidConfig),
        (errno.EISDIR, errors.InvalidConfig),
    ],
)
def test_no_room_is_not_the_fault_of_a_file(number, kind):
    problem = errors.not_written(OSError(number, os.strerror(number)), "x cannot be written.", "Make room.")
    assert type(problem) is kind
    assert (problem.message, problem.next_step) == ("x cannot be written.", "Make room.")


def test_what_was_done_goes_along():
    assert errors.StepFailed("It failed.").with_result(["one step"]).result == ["one step"]
    assert errors.StepFailed("It failed.").result is None

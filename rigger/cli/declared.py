"""What a verb takes from the command line, as plain data: `parser` reads words by it, `clicked` makes click of it.

A command line that is right is read without click, which takes longer to import than most commands take to run. Help, and
whatever is not plainly right, is click's.
"""

from __future__ import annotations

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])


@frozen
class Option:
    """An option: its names ("-f", "--file"; "--no-..." are in `off`), and how its words become a value.

    A flag is True or False, or None as long as nobody said; one that may be repeated is a tuple of texts; any other is a
    text, one of `choices` if there are some. One that may stand `alone` takes a value only behind "=".
    """

    name: str
    names: tuple[str, ...]
    off: tuple[str, ...] = ()
    metavar: str | None = None
    flag: bool = False
    multiple: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None
    hidden: bool = False
    help: str = ""
    alone: str | None = None  # its value where none stands behind it


@frozen
class Argument:
    """A word without an option's name; `many` takes all that are left, as a tuple."""

    name: str
    metavar: str | None = None
    required: bool = True
    many: bool = False
    raw: bool = False  # words of another program's


Parameter = Option | Argument


@frozen
class Words:
    """The help of a verb: its line of `rigger --help`, if it has one, and a docstring for what is more."""

    summary: str
    docstring: str

    def text(self) -> str:
        """Return both, without the indentation that the docstring has in its file."""
        from inspect import cleandoc  # slow to import

        return "\n\n".join(part for part in (self.summary, cleandoc(self.docstring)) if part)


@frozen
class Verb:
    """A command: `run` gets the environment that was named before it, or None, and a value for each of its parameters."""

    name: str
    run: Callable[..., int]
    words: Words
    parameters: tuple[Parameter, ...]
    interspersed: bool = True  # options may stand behind arguments
    foreign_options: bool = False  # options that it does not know are arguments

    @property
    def help(self) -> str:
        return self.words.text()

    @property
    def options(self) -> list[Option]:
        return [one for one in self.parameters if isinstance(one, Option)]

    @property
    def arguments(self) -> list[Argument]:
        return [one for one in self.parameters if isinstance(one, Argument)]


@frozen
class Group:
    """A command that has commands of its own."""

    name: str
    words: Words
    verbs: dict[str, Verb]

    @property
    def help(self) -> str:
        return self.words.text()

    def add_command(self, verb: Verb) -> Verb:
        """Add a command to it; to be used as a decorator."""
        self.verbs[verb.name] = verb
        return verb


def option(
    *names: str,
    is_flag: bool = False,
    multiple: bool = False,
    choices: Sequence[str] = (),
    default: Any = None,
    metavar: str | None = None,
    hidden: bool = False,
    help: str = "",
    alone: str | None = None,
) -> Callable[[Function], Function]:
    """Declare an option of the function that follows: "-f", "--file", and the function's name for it if it is another.

    "--this/--no-this" is a flag that is None as long as nobody said.
    """
    flags = [name for name in names if name.startswith("-")]
    own = [name for name in names if not name.startswith("-")]
    on = tuple(name.partition("/")[0] for name in flags)
    off = tuple(name.partition("/")[2] for name in flags if "/" in name)
    flag = is_flag or bool(off)
    if flag and not off:
        default = bool(default)
    longest = max(on, key=len)
    name = own[0] if own else longest.lstrip("-").replace("-", "_")
    declared = Option(name, on, off, metavar, flag, multiple, tuple(choices), default, hidden, help, alone)
    return lambda function: _declare(function, declared)


def argument(
    name: str, *, required: bool = True, many: bool = False, raw: bool = False, metavar: str | None = None
) -> Callable[[Function], Function]:
    """Declare an argument of the function that follows."""
    declared = Argument(name, metavar, required, many, raw)
    return lambda function: _declare(function, declared)


def _declare(function: Function, parameter: Parameter) -> Function:
    """Note a parameter; decorators are called from the last to the first."""
    function.__dict__["parameters"] = (parameter, *declared(function))
    return function


def declared(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the parameters that were declared of a function, in the order in which they stand."""
    return tuple(function.__dict__.get("parameters", ()))


ENVIRONMENT = Option(
    "environment", ("-e", "--environment"), metavar="NAME", help="Work with this environment."
)

"""Values: classes of named fields, said as dataclasses are, that cost little to declare.

A dataclass has its methods generated and compiled whenever its module is imported, 0.4 ms a class, and `dataclasses` itself
brings `inspect`. A command meets some eighty classes before it does anything, so that values share their methods instead:
`@frozen` says the same as `@dataclass(frozen=True)`, `@mutable` as `@dataclass`; `field`, `replace` and `asdict`
are those of dataclasses in what they take and give.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import asdict, field, replace
    from typing import Any, NoReturn, TypeVar

    from typing_extensions import dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    def frozen(cls: type[T]) -> type[T]: ...

    @dataclass_transform(field_specifiers=(field,))
    def mutable(cls: type[T]) -> type[T]: ...


__all__ = [
    "MISSING",
    "Field",
    "FrozenInstanceError",
    "asdict",
    "declare",
    "field",
    "fields_of",
    "frozen",
    "has_usual",
    "is_frozen",
    "is_usual",
    "mutable",
    "replace",
]


class FrozenInstanceError(AttributeError):
    """Something tried to change a value."""


class _Missing:
    """No default."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


class Field:
    """A field of a value. What `repr` is False for is not shown; what `compare` is False for makes no two differ."""

    __slots__ = ("compare", "default", "default_factory", "name", "repr", "type")

    def __init__(self, default: Any, default_factory: Callable[[], Any], repr: bool, compare: bool):
        self.name, self.type = "", ""
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare

    def usual(self, owner: object) -> Any:
        """Return its default; raises TypeError where there is none."""
        if self.default_factory is not MISSING:
            return self.default_factory()
        if self.default is MISSING:
            raise TypeError(f"{type(owner).__name__} has no value for {self.name!r}")
        return self.default


def _init(self: Any, *given: Any, **named: Any) -> None:
    """Take the fields by position or by name, as a dataclass does; raises TypeError as that does."""
    fields, values = self.__fields__, self.__dict__
    if given:
        taken = dict(zip(fields, given))  # noqa: B905 - what is too much is counted below
        taken.update(named)
    else:
        taken = named
    values.update(self.__usual__)
    values.update(taken)
    for name in self.__needed__:
        if name not in taken:
            values[name] = fields[name].usual(self)
    if len(taken) < len(given) + len(named) or len(values) > len(fields):
        more = ", ".join(name for name in named if name not in fields) or "by position"
        raise TypeError(f"{type(self).__name__} was given too much: {more}")


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in self.__fields__.values() if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(self.__dict__[one.name] for one in self.__fields__.values() if one.compare)


def _eq(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _unchangeable(self: Any, name: str, *value: Any) -> NoReturn:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


SHARED = {"__init__": _init, "__repr__": _repr, "__eq__": _eq}
FROZEN = {**SHARED, "__hash__": _hash, "__setattr__": _unchangeable, "__delattr__": _unchangeable}
MUTABLE = {**SHARED, "__hash__": None}


def declare(cls: Any, methods: dict[str, Any]) -> None:
    """Work out the fields of a class, those of its bases first, and give it the methods that it has not itself."""
    own = set(cls.__dict__)
    declared: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        declared.update(base.__dict__.get("__fields__", ()))
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = cls.__dict__.get(name, MISSING)
        one = default if isinstance(default, Field) else Field(default, MISSING, True, True)
        one.name, one.type = name, annotation
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif one is default:
            delattr(cls, name)
        declared[name] = one
    cls.__fields__ = declared
    cls.__usual__ = {name: one.default for name, one in declared.items()}
    cls.__needed__ = [name for name, one in declared.items() if one.default is MISSING]
    setattr(cls, "__match_args__", tuple(declared))  # noqa: B010 - mypy takes it for its own
    for name, method in methods.items():
        if name not in own or (name == "__hash__" and cls.__dict__[name] is None):
            setattr(cls, name, method)


def is_frozen(cls: type) -> bool:
    """Return whether nothing can change what is of a class."""
    return cls.__setattr__ is _unchangeable


def has_usual(cls: Any) -> bool:
    """Return whether a value of a class is made by the names of its fields, and what is not named is as usual."""
    return cls.__init__ is _init


def is_usual(cls: Any, name: str, value: object) -> bool:
    """Return whether a field would have that value where it is not named."""
    one = cls.__fields__.get(name) if has_usual(cls) else None
    if one is None or (one.default is MISSING and one.default_factory is MISSING):
        return False
    usual = one.usual(cls)
    return type(usual) is type(value) and usual == value


def fields_of(cls: Any) -> tuple[Field, ...]:
    """Return the fields of a value, or of its class, in their order; none of what is no value."""
    return tuple(getattr(cls, "__fields__", {}).values())


if not TYPE_CHECKING:

    def frozen(cls):
        """Make a class a value that cannot be changed; methods that it has itself stay."""
        declare(cls, FROZEN)
        return cls

    def mutable(cls):
        """Make a class a value whose fields may be set; methods that it has itself stay."""
        declare(cls, MUTABLE)
        return cls

    def field(*, default=MISSING, default_factory=MISSING, repr=True, compare=True):
        """Say more of a field than its type."""
        return Field(default, default_factory, repr, compare)

    def replace(value, /, **changes):
        """Return the same value with other fields; raises TypeError for one that it has not."""
        fields = {name: value.__dict__[name] for name in value.__fields__}
        fields.update(changes)
        return type(value)(**fields)

    def asdict(value):
        """Return the fields as a dict, and so those of values within, in lists, tuples and dicts too."""
        return {name: _plain(value.__dict__[name]) for name in value.__fields__}


def _plain(value: Any) -> Any:
    if fields_of(type(value)):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value

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
    "own_fields",
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

    def usual(self) -> Any:
        """Return its default, MISSING where there is none."""
        return self.default if self.default_factory is MISSING else self.default_factory()


def _init(self: Any, *given: Any, **named: Any) -> None:
    """Take the fields by position or by name, as a dataclass does; raises TypeError as that does."""
    fields, values = self.__fields__, self.__dict__
    if not named and len(given) == len(fields):
        values.update(zip(fields, given, strict=True))
        return
    if given:
        taken = dict(zip(fields, given))  # noqa: B905 - what is too much is counted below
        taken.update(named)
    else:
        taken = named
    values.update(self.__usual__)
    values.update(taken)
    for name, make in self.__needed__:
        if name not in taken:
            if make is MISSING:
                raise TypeError(f"{type(self).__name__} has no value for {name!r}")
            values[name] = make()
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
    cls.__needed__ = [(name, one.default_factory) for name, one in declared.items() if one.default is MISSING]
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


def own_fields(value: Any) -> dict[str, Any]:
    """Return the fields of a value, or all that any other object has, without what was worked out of them since."""
    values, fields = value.__dict__, value.__fields__ if has_usual(type(value)) else ()
    return {name: values[name] for name in fields} if 0 < len(fields) < len(values) else values


def is_usual(cls: Any, name: str, value: object) -> bool:
    """Return whether a field would have that value where it is not named."""
    if not has_usual(cls) or name not in cls.__fields__:
        return False
    usual = cls.__fields__[name].usual()
    return type(usual) is type(value) and usual == value and usual is not MISSING


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
        kind, fields = type(value), own_fields(value)
        if not has_usual(kind):
            return kind(**{**{name: fields[name] for name in value.__fields__}, **changes})
        if changes.keys() - fields.keys():
            return kind(**{**fields, **changes})  # which says what is too much
        other = object.__new__(kind)
        other.__dict__.update(fields)
        other.__dict__.update(changes)
        return other

    def asdict(value):
        """Return the fields as a dict, and so those of values within, in lists, tuples and dicts too."""
        return {name: _plain(value.__dict__[name]) for name in value.__fields__}


def _plain(value: Any) -> Any:
    if fields_of(type(value)):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value

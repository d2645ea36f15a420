"""Values: frozen dataclasses that cost little to declare.

A dataclass has its methods generated and compiled whenever its module is imported, 0.4 ms a class. A command meets some
sixty classes before it does anything, so that values share their methods instead: `@frozen` says the same as
`@dataclass(frozen=True)`, and `fields`, `replace` and `asdict` of dataclasses work with it.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    def frozen(cls: type[T]) -> type[T]: ...


T = TypeVar("T")


def _init(self: Any, *given: Any, **named: Any) -> None:
    """Take the fields by position or by name, as a dataclass does; raises TypeError as that does."""
    left, values = iter(given), self.__dict__
    for name, one in self.__dataclass_fields__.items():
        for value in left:
            values[name] = value
            break
        else:
            values[name] = named.pop(name) if name in named else _default(self, name, one)
    if named or any(True for _ in left):
        raise TypeError(f"{type(self).__name__} was given too much: {', '.join(named) or 'by position'}")


def _default(self: Any, name: str, one: Any) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    if one.default is MISSING:
        raise TypeError(f"{type(self).__name__} has no value for {name!r}")
    return one.default


def _repr(self: Any) -> str:
    fields = self.__dataclass_fields__.values()
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(tuple(self.__dict__[name] for name in self.__dataclass_fields__))


def _unchangeable(self: Any, name: str, *value: Any) -> NoReturn:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _unchangeable,
    "__delattr__": _unchangeable,
}

if not TYPE_CHECKING:

    def frozen(cls):
        """Make a class a value; methods that it has itself stay."""
        own = {name for name in METHODS if name in cls.__dict__}
        dataclass(init=False, repr=False, eq=False)(cls)
        for name, method in METHODS.items():
            if name not in own:
                setattr(cls, name, method)
        return cls

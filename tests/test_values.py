"""Values behave as frozen dataclasses do, whose words they are declared with."""

from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.values import frozen


def declared(decorate):
    """Return a class with every kind of field, made by one decorator or by the other."""

    @decorate
    class Machine:
        """A machine."""

        name: str
        secret: str = field(repr=False)
        port: int = 22
        labels: dict = field(default_factory=dict)

        @property
        def shown(self) -> str:
            return f"{self.name}:{self.port}"

    Machine.__qualname__ = "Machine"
    return Machine


Value, Usual = declared(frozen), declared(dataclass(frozen=True))
NAMES = ("name", "secret", "port", "labels")


def made(kind, positional, named):
    """Return what comes of a call: the values, or that it is refused."""
    try:
        machine = kind(*positional, **named)
    except TypeError:
        return TypeError
    return list(vars(machine).items()), repr(machine), asdict(machine), machine.shown


@given(
    st.lists(st.integers(0, 9), max_size=6),
    st.dictionaries(st.sampled_from((*NAMES, "other")), st.integers(0, 9)),
)
def test_every_call_makes_what_a_dataclass_makes(positional, named):
    assert made(Value, positional, named) == made(Usual, positional, named)


def test_equal_values_are_equal_and_have_one_hash():
    one, same, other = Value("a", "s", 1, ()), Value("a", "s", 1, ()), Value("b", "s", 1, ())
    assert one == same and hash(one) == hash(same) and one != other
    assert one != Usual("a", "s", 1, ()) and one != "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Value("a", "s"))


def test_nothing_can_be_changed_or_taken_away():
    machine = Value("a", "s")
    for change in (lambda: setattr(machine, "port", 1), lambda: delattr(machine, "port")):
        with pytest.raises(FrozenInstanceError):
            change()
    assert machine.port == 22


def test_the_functions_of_dataclasses_work():
    machine = Value("a", "s")
    assert replace(machine, port=80) == Value("a", "s", 80) and machine.port == 22
    assert tuple(one.name for one in fields(Value)) == NAMES
    assert Value("a", "s").labels is not Value("a", "s").labels


def test_methods_of_its_own_stay():
    @frozen
    class Shy:
        name: str

        def __repr__(self) -> str:
            return "Shy"

    assert repr(Shy("x")) == "Shy" and Shy("x") == Shy("x")

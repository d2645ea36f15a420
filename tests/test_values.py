"""Values behave as frozen dataclasses do, whose words they are declared with."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger import values
from rigger.values import FrozenInstanceError, asdict, field, fields_of, frozen, mutable, replace


def declared(decorate, field):
    """Return a class with every kind of field, made by one library or by the other."""

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


Value, Usual = declared(frozen, field), declared(dataclasses.dataclass(frozen=True), dataclasses.field)
NAMES = ("name", "secret", "port", "labels")


def made(kind, asdict, positional, named):
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
    own, usual = made(Value, asdict, positional, named), made(Usual, dataclasses.asdict, positional, named)
    assert own == usual


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


def test_values_are_copied_with_changes_and_know_their_fields():
    machine = Value("a", "s")
    assert replace(machine, port=80) == Value("a", "s", 80) and machine.port == 22
    assert tuple(one.name for one in fields_of(Value)) == NAMES
    assert Value.__match_args__ == Usual.__match_args__ == NAMES
    with pytest.raises(TypeError, match="colour"):
        replace(machine, colour="red")
    assert Value("a", "s").labels is not Value("a", "s").labels


def test_methods_of_its_own_stay():
    @frozen
    class Shy:
        name: str

        def __repr__(self) -> str:
            return "Shy"

    assert repr(Shy("x")) == "Shy" and Shy("x") == Shy("x")


def test_values_within_values_become_plain_too():
    inner = Value("a", "s")
    outer = Value("b", [inner], {"x": inner}, (inner, 1))
    plain = {"name": "a", "secret": "s", "port": 22, "labels": {}}
    assert asdict(outer) == {"name": "b", "secret": [plain], "port": {"x": plain}, "labels": (plain, 1)}


def test_fields_of_a_base_come_first_and_may_have_another_default():
    @frozen
    class Base:
        name: str
        port: int = 22

    @frozen
    class Derived(Base):
        colour: str = "red"
        port: int = 80

    assert Derived("a") == Derived("a", 80, "red") != Base("a")
    assert [one.name for one in fields_of(Derived)] == ["name", "port", "colour"]


def test_what_does_not_count_makes_no_two_differ():
    @mutable
    class Step:
        name: str
        problem: str = field(default="", compare=False)

    step = Step("a", "b")
    assert step == Step("a")
    step.name = "c"
    assert step != Step("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(step)


def test_a_field_without_a_default_is_no_attribute_of_the_class():
    assert not hasattr(Value, "secret") and Value.port == 22
    assert repr(values.MISSING) == "MISSING"

"""Selectors and the order that follows from them, against a brute-force reading of the same words."""

import itertools
import random

import pytest

from rigger.modules.order import in_order
from rigger.modules.selectors import Expression, Group, Requirement, Requires, influenced, typed

KEYS = ("kind", "version", "zone")
TEXTS = ("a", "infrastructure")
VERSIONS = ("1.9", "2.10", "2.5.1", "2.5", "3", "3.0", "10.0.1")


# The oracle: the words of the design, one by one, with versions as tuples of numbers


def numbers(text):
    """Return a version's numbers without zeros at the end, None for what is none."""
    parts = text.split(".")
    if not all(part.isdigit() for part in parts):
        return None
    found = [int(part) for part in parts]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def expression_holds(key, operator, values, labels):
    if operator == "exists":
        return key in labels
    if operator == "absent":
        return key not in labels
    if operator in ("eq", "in"):
        return any(key in labels and labels[key] == value for value in values)
    if operator in ("ne", "notin"):
        return not any(key in labels and labels[key] == value for value in values)
    if key not in labels or numbers(labels[key]) is None:
        return False
    one, two = numbers(labels[key]), numbers(values[0])
    return {">": one > two, "<": one < two, ">=": one > two or one == two, "<=": one < two or one == two}[
        operator
    ]


def met(group, labels):
    return all(expression_holds(e.key, e.operator, e.values, labels) for e in group.expressions)


def requirement_met(requirement, name, made, labels):
    return any(met(group, labels[other]) for group in requirement.groups for other in made if other != name)


def makeable(labels, requires):
    """Return the largest set of modules that can be made one after another, by trying every order."""
    meets = {
        name: [
            {o for o in labels if requirement_met(one, name, [o], labels)} for one in requires[name].strong
        ]
        for name in labels
    }
    best = set()
    for order in itertools.permutations(labels):
        made = set()
        for name in order:
            if not all(made & others for others in meets[name]):
                break
            made.add(name)
        best = max(best, made, key=len)
        if len(best) == len(labels):
            break
    return best


# What is generated


def some_expression(dice):
    key = dice.choice(KEYS)
    operator = dice.choice(("eq", "eq", "ne", "in", "notin", "exists", "absent", ">=", ">", "<=", "<"))
    known = VERSIONS if operator in (">=", ">", "<=", "<") or key == "version" else TEXTS
    count = {"exists": 0, "absent": 0, "in": dice.randint(1, 3), "notin": dice.randint(1, 3)}.get(operator, 1)
    return Expression(key, operator, tuple(dice.choice(known) for _ in range(count)))


def some_group(dice):
    return Group(tuple(some_expression(dice) for _ in range(dice.choice((1, 1, 2)))))


def some_modules(dice):
    labels, requires = {}, {}
    for number in range(dice.choice((1, 2, 3, 4, 4, 5))):
        name = f"m{number}"
        chosen = [key for key in KEYS if dice.random() < 0.7]
        labels[name] = {key: dice.choice(VERSIONS if key == "version" else TEXTS) for key in chosen}
        strong = [
            Requirement(tuple(some_group(dice) for _ in range(dice.randint(1, 2))))
            for _ in range(dice.choice((0, 1, 1, 1, 2)))
        ]
        weak = [some_group(dice) for _ in range(dice.choice((0, 0, 1)))]
        requires[name] = Requires(tuple(strong), tuple(weak))
    return labels, requires


@pytest.mark.slow
def test_ten_thousand_sets_of_modules_are_ordered_as_trying_every_order_says():
    dice = random.Random(20261120)
    met_with = {"missing": 0, "circle": 0, "whole": 0}
    for _ in range(10_000):
        labels, requires = some_modules(dice)
        order = in_order(labels, requires)
        assert set(order.names) == makeable(labels, requires)
        for position, name in enumerate(order.names):
            before = order.names[:position]
            assert all(requirement_met(one, name, before, labels) for one in requires[name].strong)
        assert_the_rest_is_explained(order, labels, requires)
        assert_weak_ones_come_first(order, labels, requires)
        met_with["circle" if order.circle else "missing" if order.missing else "whole"] += 1
    assert min(met_with.values()) > 300, met_with


def assert_the_rest_is_explained(order, labels, requires):
    waiting = [name for name in labels if name not in order.names]
    nowhere = {
        (name, one)
        for name in waiting
        for one in requires[name].strong
        if not requirement_met(one, name, labels, labels)
    }
    assert set(order.missing) == nowhere
    assert bool(waiting) == bool(order.missing or order.circle)
    for name, following in zip(order.circle, order.circle[1:] + order.circle[:1], strict=True):
        unmet = [one for one in requires[name].strong if not requirement_met(one, name, order.names, labels)]
        assert any(requirement_met(one, name, [following], labels) for one in unmet)


def assert_weak_ones_come_first(order, labels, requires):
    """Where some order has every module behind all that it selects, the order is such a one."""
    groups = {n: [*r.weak, *(group for one in r.strong for group in one.groups)] for n, r in requires.items()}
    behind = {
        name: {o for o in labels if o != name and any(met(group, labels[o]) for group in groups[name])}
        for name in labels
    }
    for wanted in itertools.permutations(labels):
        if all(behind[name] <= set(wanted[:position]) for position, name in enumerate(wanted)):
            made = set(order.names)
            assert all(behind[n] & made <= set(order.names[:p]) for p, n in enumerate(order.names))
            return


@pytest.mark.slow
def test_ten_thousand_groups_select_what_their_words_say():
    dice = random.Random(7)
    for _ in range(10_000):
        labels, _ = some_modules(dice)
        group = some_group(dice)
        said = [name for name, own in labels.items() if name != "m0" and met(group, own)]
        assert group.selected(labels, "m0") == said
        assert influenced([group], labels, "m0") == said


@pytest.mark.parametrize(
    "text, expected",
    [
        ("kind=monitoring", ("kind", "eq", ("monitoring",))),
        ("kind = a, b", ("kind", "in", ("a", "b"))),
        ("kind!=a", ("kind", "ne", ("a",))),
        ("kind!=a,b", ("kind", "notin", ("a", "b"))),
        ("provides-kafka>=2.10", ("provides-kafka", ">=", ("2.10",))),
        ("provides-kafka<3", ("provides-kafka", "<", ("3",))),
        ("kind", ("kind", "exists", ())),
        ("!kind", ("kind", "absent", ())),
    ],
)
def test_what_somebody_types_is_an_expression(text, expected):
    assert typed(text) == Expression(*expected)


@pytest.mark.parametrize("text", ["", "=a", "kind~a", "kind in (a)", "kind="])
def test_what_is_no_expression_is_none(text):
    assert typed(text) is None


def test_a_version_that_is_none_is_said():
    assert "no version" in typed("version>=soon").problem()
    assert typed("version>=2.10").problem() == ""

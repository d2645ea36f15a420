"""What steps gave: which values of an environment are outputs, and the answers that some of them hide."""

from __future__ import annotations

from rigger.envfile.names import is_name
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any


@frozen
class Given:
    """A value that a step gave under the name of an answer."""

    step: str  # role/module/verb
    value: str = field(repr=False)
    over: str | None = field(repr=False, default=None)  # the answer that held then, a default too


@frozen
class Hidden:
    """An answer under whose name steps gave something else; the last of them is what the vars file says."""

    answer: str | None = field(repr=False)  # None: nobody has answered, a default holds
    given: tuple[Given, ...]  # the last one counts
    # What the vars file said before: a killed rigger may have left it so.
    was: str | None = field(repr=False, default=None)

    @property
    def value(self) -> str:
        return self.given[-1].value

    def values(self) -> list[str | None]:
        """Return the answer, and all that was given in its place."""
        return [self.answer, *(one.value for one in self.given)]


@frozen
class Outputs:
    """The outputs among an environment's values: name -> the step that gave it, and the answers that they hide."""

    steps: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, Hidden] = field(repr=False, default_factory=dict)

    def in_force(self, values: Mapping[str, str]) -> Outputs:
        """Return what still holds: whoever wrote another value into the vars file has answered."""
        hidden = {
            n: one for n, one in self.hidden.items() if n in values and values[n] in (one.value, one.was)
        }
        steps = {
            name: step
            for name, step in self.steps.items()
            if name in values and (name in hidden or name not in self.hidden)
        }
        return Outputs(steps, hidden)

    def answers(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the values of an environment with every answer as somebody gave it."""
        answers = {name: value for name, value in values.items() if name not in self.hidden}
        return answers | {name: one.answer for name, one in self.hidden.items() if one.answer is not None}

    def over(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Return answers as they are stored: hidden by what steps gave."""
        return {**answers, **{name: one.value for name, one in self.hidden.items()}}

    def answered(self, answers: Mapping[str, str], values: Mapping[str, str]) -> Outputs:
        """Return the outputs where other answers were given; `values` are those of before.

        An output under the name of an answer stays until the next provision: it is what the cluster was made with. Any
        other that somebody sets or takes away is none any more.
        """
        hidden = {name: replace(one, answer=answers.get(name)) for name, one in self.hidden.items()}
        steps = {
            name: step
            for name, step in self.steps.items()
            if name in hidden or answers.get(name) == values.get(name)
        }
        return Outputs(steps, hidden)

    def give(
        self,
        step: str,
        new: Mapping[str, str],
        *,
        seen: Mapping[str, str],
        held: Mapping[str, str],
        before: Mapping[str, str],
        asked: Collection[str],
    ) -> Outputs:
        """Return the outputs once a step has given values.

        The step had the values `seen`; `held` are the answers with their defaults, `before` the values that were stored,
        and `asked` the names that belong to answers.
        """
        steps, hidden = {**self.steps, **dict.fromkeys(new, step)}, {**self.hidden}
        for name, value in new.items():
            if name not in asked:
                continue
            stored = None if name in self.steps else before.get(name)
            old = hidden.pop(name, None) or Hidden(stored, ())
            given = tuple(one for one in old.given if one.step != step)
            if value != seen.get(name) or old.answer is None:  # a default stands in no vars file
                given = (*given, Given(step, value, held.get(name)))
            if given:
                hidden[name] = replace(old, given=given, was=before.get(name))
                steps[name] = given[-1].step
            else:
                del steps[name]
        return Outputs(steps, hidden)

    def fresh(self, held: Mapping[str, str]) -> Outputs:
        """Return the outputs without those that were made of another answer than the one that holds now."""
        hidden = {}
        for name, one in self.hidden.items():
            if given := tuple(each for each in one.given if each.over == held.get(name)):
                hidden[name] = replace(one, given=given)
        gone = {*self.hidden} - {*hidden}
        steps = {name: step for name, step in self.steps.items() if name not in gone}
        return Outputs(steps | {name: one.given[-1].step for name, one in hidden.items()}, hidden)

    def without(self, names: Collection[str]) -> Outputs:
        return Outputs(
            {name: step for name, step in self.steps.items() if name not in names},
            {name: one for name, one in self.hidden.items() if name not in names},
        )

    def moved(self, move: Callable[[str], str]) -> Outputs:
        """Return the outputs with each value as `move` gives it: paths into a folder that lies elsewhere now."""

        def moved(value: str | None) -> str | None:
            return value if value is None else move(value)

        hidden = {
            name: Hidden(
                moved(one.answer),
                tuple(Given(each.step, move(each.value), moved(each.over)) for each in one.given),
                moved(one.was),
            )
            for name, one in self.hidden.items()
        }
        return replace(self, hidden=hidden)

    def parts(self, secret_names: Collection[str]) -> tuple[Outputs, Outputs]:
        """Return the part that may be read by anybody, and the part that holds secrets."""
        secret = {name: one for name, one in self.hidden.items() if name in secret_names}
        return replace(self, hidden=self.without(secret).hidden), Outputs({}, secret)

    def secrets(self, secret_names: Collection[str]) -> list[str]:
        """Return every secret among the answers that are hidden and what hides them."""
        hidden = (self.hidden[name] for name in secret_names if name in self.hidden)
        return [value for one in hidden for value in one.values() if value]

    def as_dict(self) -> dict[str, Any]:
        hidden = {
            name: {
                "answer": one.answer,
                "was": one.was,
                "given": [[each.step, each.value, each.over] for each in one.given],
            }
            for name, one in self.hidden.items()
        }
        return {"steps": dict(self.steps), "hidden": hidden}


def parsed(content: Any) -> Outputs:
    """Return the outputs that `as_dict` wrote; raises ValueError for anything else."""
    try:
        steps = {_name(name): _text(step) for name, step in content["steps"].items()}
        hidden = {
            _name(name): Hidden(
                _text_or_none(one["answer"]),
                tuple(
                    Given(_text(step), _text(value), _text_or_none(over))
                    for step, value, over in one["given"]
                ),
                _text_or_none(one["was"]),
            )
            for name, one in content["hidden"].items()
        }
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a record of outputs: {problem}") from None
    if not all(one.given for one in hidden.values()):
        raise ValueError("an answer that nothing hides")
    return Outputs(steps, hidden)


def _name(value: Any) -> str:
    if isinstance(value, str) and is_name(value):
        return value
    raise ValueError("something that is not a name")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("something that is not a text")


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)

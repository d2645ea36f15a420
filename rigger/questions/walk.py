"""Which questions apply: a script of questions read from its start, as far as the answers lead."""

from __future__ import annotations

from rigger.errors import Refused
from rigger.later import later
from rigger.questions.order import names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rigger import templates
    from rigger.questions.model import Question
else:
    templates = later("rigger.templates")


def met(
    script: Callable[[Mapping[str, str]], Sequence[Question]], value_of: Callable[[Question], str | None]
) -> list[Question]:
    """Return the questions that apply; `value_of` returns None for one that has no answer, and is passed over."""
    walk = Walk(script, lambda question: value_of(question) or "")
    while question := walk.next():
        if value_of(question) is not None:
            walk.take(question)
    return walk.met()


class Walk:
    """The questions that were met so far, and the values of those that have an answer.

    An answer may bring, change or withdraw questions. A condition that did not hold is looked at again when a name in
    it gets a value, and all of them when the script says something else: each question costs the same, however many
    there are. `meant` returns the value of an answered question.
    """

    def __init__(
        self,
        script: Callable[[Mapping[str, str]], Sequence[Question]],
        meant: Callable[[Question], str],
    ):
        self._script = script
        self._meant = meant
        self.taken: dict[
            str, str
        ] = {}  # the values of all answers that were met, of questions withdrawn since too
        self._met: set[str] = set()
        self.at: Question | None = None  # the question that was met last, while it has no answer
        self._read(script(self.taken))

    def _read(self, questions: Sequence[Question]) -> None:
        """Begin at the start of a script; what was met before stays met."""
        self._questions = questions
        self._first: dict[str, Question] = {}
        # Whether questions are met in the order in which they are asked: of two of one name, the first one is asked.
        self.in_order = True
        for question in questions:
            if self._first.setdefault(question.name, question) is not question:
                self.in_order = self.in_order and not self._first[question.name].when
        self.values = {name: self._meant(self._first[name]) for name in self.taken if name in self._first}
        self._next = 0
        self._again: list[int] = []  # positions of conditions to look at again, the first one at the end
        self._waiting: dict[
            str, set[int]
        ] = {}  # the positions of conditions that did not hold, by the names in them

    def is_current(self) -> bool:
        """Return whether the script still says what it said: some depend on more than values."""
        return self._is_same(self._script(self.taken))

    def _is_same(self, questions: Sequence[Question]) -> bool:
        if questions is self._questions:
            return True
        same = questions == self._questions
        if same:  # what the script says from now on is compared at no cost
            self._questions = questions
        return same

    def take(self, question: Question) -> None:
        """Go on with the answer of a question that was met."""
        self.taken[question.name] = self._meant(question)
        questions = self._script(self.taken)
        if not self._is_same(questions):
            self._read(questions)
            return
        self.values[question.name] = self._meant(self._first[question.name])
        if waiting := self._waiting.pop(question.name, None):
            self._again = sorted(waiting.union(self._again), reverse=True)

    def next(self) -> Question | None:
        """Return the next question that applies, None where there is no other."""
        while self._again or self._next < len(self._questions):
            if self._again:
                position = self._again.pop()
            else:
                position, self._next = self._next, self._next + 1
            question = self._questions[position]
            if question.name in self._met:
                continue
            if question.when and not self._holds(question):
                for name in names_in(question.when):
                    self._waiting.setdefault(name, set()).add(position)
                continue
            self._met.add(question.name)
            return question
        return None

    def met(self) -> list[Question]:
        """Return the questions that apply as the script has them now, in its order."""
        return [question for name, question in self._first.items() if name in self._met]

    def in_script(self, question: Question) -> Question:
        """Return the question of that name which is asked."""
        return self._first[question.name]

    def _holds(self, question: Question) -> bool:
        """Return whether a condition holds; one that needs an answer not given yet does not."""
        try:
            return templates.is_true(question.when, self.taken, f"{question.origin}, when of {question.name}")
        except Refused:
            if any(name in self._first and name not in self.taken for name in names_in(question.when)):
                return False
            raise

"""Which questions apply: the same as when they are read from the start after each answer, at the cost of reading once."""

import random
import sys

import pytest
from helpers.interviews import interview

from rigger.errors import Refused
from rigger.questions.interview import Interview
from rigger.questions.model import BadAnswer, Question
from rigger.questions.sources import Sources
from rigger.templates import is_true

NAMES = "ABCDEFGH"


def random_script(chance):
    """Return a script of questions whose conditions name others, before and behind them, and that its values change."""
    conditions = ("{{ %s }}", "{{ %s == '1' }}", "{{ %s is defined }}", "{{ %s | default('0') == '0' }}")

    def question(name):
        when = chance.choice(conditions) % chance.choice(NAMES) if chance.random() < 0.5 else ""
        return Question(
            name, "?", when=when, optional=chance.random() < 0.3, default=chance.choice((None, "", "0"))
        )

    scripts = [[question(name) for name in chance.choices(NAMES, k=8)] for _ in range(2)]
    decisive = chance.choice(NAMES)
    return lambda values: scripts[values.get(decisive) == "1"]


def read_from_start(script, answers):
    """Return what applies, in the plainest way: from the start again after each answer."""
    values, met = {}, set()
    while True:
        for question in script(values):
            if question.name not in met and holds(question, values, script):
                met.add(question.name)
                if question.name in answers:
                    values[question.name] = answers[question.name].value
                    break
        else:
            first = {}
            for question in script(values):
                if question.name in met:
                    first.setdefault(question.name, question)
            return list(first.values())


def holds(question, values, script):
    try:
        return not question.when or is_true(question.when, values, "")
    except Refused:
        if all(other.name in values or other.name not in question.when for other in script(values)):
            raise
        return False


@pytest.mark.parametrize("seed", range(60))
def test_what_applies_is_what_a_reading_from_the_start_finds(seed):
    chance = random.Random(seed)
    script = random_script(chance)
    talk = Interview(script, Sources(), take_defaults=chance.random() < 0.5)
    for _ in range(12):
        try:
            question = talk.advance()
            expected = read_from_start(script, talk.answers)
            assert talk.applicable() == expected
            assert talk.values() == {
                q.name: talk.answers[q.name].value for q in expected if q.name in talk.answers
            }
            unsettled = (q for q in expected if q.name not in {*talk.answers, *talk.unanswered})
            assert question == next(unsettled, None)
            if question is None or chance.random() < 0.3:
                talk.forget(chance.choice(expected).name)
            else:
                talk.answer(question, chance.choice("01"))
        except BadAnswer as problem:  # it brings a condition on what no question asks for
            assert "is undefined" in str(problem)
            return
        except Refused:
            with pytest.raises(Refused):
                read_from_start(script, talk.answers)
            return


def work(run):
    """Return how many bytecodes a function takes."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def plain(number):
    return Question(f"Q{number}", "?", default="x")


def first_decides(number):
    return Question(f"Q{number}", "?", default="x", when="{{ Q0 == 'x' }}" if number else "")


def never(number):
    return Question(f"Q{number}", "?", default="x", when="{{ Q0 == 'y' }}" if number else "")


def optional(number):
    return Question(f"Q{number}", "?", optional=True)


@pytest.mark.parametrize("kind", (plain, first_decides, never, optional))
def test_four_times_the_questions_are_four_times_the_work(kind, monkeypatch):
    monkeypatch.setattr("rigger.templates.is_true", lambda when, values, where: "'x'" in when)

    def resolve(count):
        talk = interview(*map(kind, range(count)), take_defaults=True)
        assert talk.missing() == []
        talk.values(), talk.applicable(), talk.secret_names()

    resolve(2)
    assert work(lambda: resolve(400)) < 4.2 * work(lambda: resolve(100))


@pytest.mark.parametrize("kind", (first_decides, never))
def test_a_condition_is_evaluated_once(kind, monkeypatch):
    seen = []
    monkeypatch.setattr("rigger.templates.is_true", lambda *given: seen.append(given) or is_true(*given))
    talk = interview(*map(kind, range(100)), take_defaults=True)
    assert talk.missing() == []
    assert len(seen) == 99


class Told(tuple):
    """What a script says, that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Told.compared += 1
        return tuple(self) == tuple(other)

    __hash__ = tuple.__hash__


def test_a_script_that_says_the_same_in_another_copy_is_compared_once(monkeypatch):
    monkeypatch.setattr(Told, "compared", 0)
    questions = [Question(f"Q{number}", "?", default="1") for number in range(50)]
    first, then = Told(questions), Told(questions)
    asked = Interview(lambda values: then if values else first, Sources(), take_defaults=True)
    assert asked.advance() is None and len(asked.values()) == 50
    assert Told.compared <= 2

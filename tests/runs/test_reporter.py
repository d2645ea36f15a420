"""Who hears what is being done."""

import inspect

from helpers.without_terminal import Listener

from rigger.plans.model import Plan
from rigger.runs.reporter import Reporter, Silent
from rigger.ui.printer import Printer

WORDS = {
    name: member for name, member in vars(Reporter).items() if inspect.isfunction(member) and name[0] != "_"
}


def test_everybody_hears_every_word_in_the_same_form():
    for kind in (Silent, Printer, Listener):
        for name, word in WORDS.items():
            heard = inspect.signature(getattr(kind, name)).parameters
            wanted = inspect.signature(word).parameters
            assert [*heard] == [*wanted], f"{kind.__name__}.{name}"
            assert [heard[each].default for each in heard] == [wanted[each].default for each in wanted], name


def test_a_silent_one_says_nothing(capfd):
    silent = Silent()
    silent.line("a")
    silent.heading("a")
    silent.warn("a")
    silent.table([["a"]], ["b"])
    silent.plan(Plan("check", ()))
    silent.difference({"A": "1"}, {})
    silent.progress("a")
    silent.step_started(1, 2, "a", "b")
    silent.output(b"a")
    silent.pass_on(b"a")
    silent.tick()
    silent.step_finished("done", 1.0)
    silent.flush()
    assert capfd.readouterr() == ("", "") and not silent.live

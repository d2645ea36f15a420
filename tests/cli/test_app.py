"""How a function becomes a command, and what every command works with."""

import importlib
import json
import os

import pytest
from helpers.without_terminal import Person

from rigger.cli import help
from rigger.cli.app import App, command, group
from rigger.cli.main import call, run_in
from rigger.environments.home import Home
from rigger.errors import BadUsage, InvalidConfig, StepFailed
from rigger.operations.result import Data

COMMANDS = help.summaries()


def run(verb, *arguments, before=None):
    """Call a command as the command line does, and return its exit code."""
    return call(verb, before, [*arguments], "rigger")


def looker(**settings):
    """Return a command that returns the App it was given, and the list that it comes in."""
    seen = []

    @command("look", **settings)
    def look(app):
        seen.append(app)

    return look, seen


@pytest.fixture
def home(private_home):
    home = Home()
    for name in ("one", "two"):
        home.create(name, {}, {})
    home.use("two")
    return home


# Its words


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_words_of_a_verb_stand_once(name):
    module = importlib.import_module(f"rigger.commands.{name.replace('-', '_')}")
    verb = getattr(module, name.replace("-", "_"))
    assert verb.words.summary is COMMANDS[name]  # the very same text
    assert COMMANDS[name].rstrip(".") not in verb.words.docstring
    assert verb.help.startswith(COMMANDS[name])


def test_a_verb_of_a_group_has_its_docstring_alone():
    @group("trees")
    def trees():
        """Look after trees."""

    @command("status")
    def status(app):
        """Say how a tree is."""

    trees.add_command(status)
    assert (trees.help, status.help) == ("Look after trees.", "Say how a tree is.")


@pytest.mark.parametrize(
    "settings, shared",
    [
        ({}, set()),
        ({"asks": True}, {"yes"}),
        ({"reports": True}, {"report"}),
        ({"streams": True}, {"verbose"}),
        ({"asks": True, "reports": True, "streams": True}, {"yes", "report", "verbose"}),
    ],
)
def test_a_command_has_the_options_that_it_says(settings, shared, home):
    look, _ = looker(**settings)
    assert {option.name for option in look.parameters} == {"environment", *shared}
    if "yes" not in shared:
        with pytest.raises(BadUsage, match="--yes"):
            run(look, "--yes")


def test_what_was_said_is_in_the_app(home):
    look, seen = looker(asks=True, reports=True, streams=True)
    run(look)
    run(look, "-y", "-o", "json", "-v")
    assert [(app.yes, app.json, app.verbose) for app in seen] == [(False, False, False), (True, True, True)]


# Which environment it is about


def test_the_name_after_the_verb_counts_before_the_one_in_front_and_that_before_the_variable(
    home, monkeypatch
):
    look, seen = looker()
    run(look)
    monkeypatch.setenv("RIGGER_ENVIRONMENT", "one")
    run(look)
    run(look, before="two")
    run(look, "-e", "one", before="two")
    assert [app.environment().name for app in seen] == ["two", "one", "two", "one"]


def test_a_group_hands_its_environment_on(home):
    @group("trees")
    def trees():
        """Look after trees."""

    look, seen = looker()
    trees.add_command(look)
    run_in(trees, None, ["-e", "one", "look"], "rigger trees")
    run_in(trees, "two", ["-e", "one", "look"], "rigger trees")
    run_in(trees, None, ["-e", "one", "look", "-e", "two"], "rigger trees")
    assert [app.name for app in seen] == ["one", "one", "two"]


def test_an_environment_that_is_none_is_an_error(home):
    look, seen = looker()
    run(look, "-e", "three")
    with pytest.raises(InvalidConfig, match="no environment named 'three'"):
        seen[0].environment()


# What is shown of it


def told(printer, result):
    printer.line(f"told: {result.as_dict()}")


def failed(printer, result):
    printer.line(f"until then: {result.as_dict()}")


def ends(how, **settings):
    """Return a command that ends with a value, or by raising an error."""

    @command("end", reports=True, show=told, show_failed=failed, **settings)
    def end(app):
        if isinstance(how, Exception):
            raise how
        return how

    return end


@pytest.mark.parametrize(
    "returned, code, out", [(7, 7, ""), (None, 0, ""), (Data({"a": 1}), 0, "told: {'a': 1}\n")]
)
def test_a_result_is_told_and_a_number_is_the_exit_code(home, capsys, returned, code, out):
    assert run(ends(returned)) == code and capsys.readouterr() == (out, "")


def test_as_json_a_result_is_its_report_alone(home, capsys):
    assert run(ends(Data({"a": [1, "é"]})), "-o", "json") == 0
    said = capsys.readouterr()
    common = {"version": 1, "outcome": "done", "exit_code": 0}
    assert json.loads(said.out) == {**common, "a": [1, "é"]} and said.err == ""


def test_what_was_done_until_something_failed_is_told_too(home, capsys):
    """As JSON it is one report with the error, by whoever catches that."""
    problem = StepFailed("soil/create exited 3.").with_result(Data({"steps": 2}))
    with pytest.raises(StepFailed):
        run(ends(problem))
    assert capsys.readouterr().out == "until then: {'steps': 2}\n"
    with pytest.raises(StepFailed):
        run(ends(problem), "-o", "json")
    assert capsys.readouterr().out == ""


def test_json_may_be_asked_for_in_another_way(private_home, capsys):
    app = App(None)
    app.report_as_json(False)
    assert not app.json
    app.report_as_json(True)
    app.show(Data({"a": 1}), told)
    assert json.loads(capsys.readouterr().out)["a"] == 1


def test_a_person_is_asked_on_a_terminal_alone(private_home, monkeypatch):
    person = Person()
    monkeypatch.setattr("rigger.ui.wizard.Wizard", lambda: person)
    consent = App(None, yes=True).consent(trust=True)
    assert (consent.yes, consent.trust, consent.can_ask) == (True, True, False)
    master, slave = os.openpty()
    with open(slave, "r+b", buffering=0) as terminal, open(master, "rb", buffering=0):
        for name in ("sys.stdin", "sys.stdout"):
            monkeypatch.setattr(name, terminal)
        asking = App(None).consent()
        assert asking.can_ask and asking.ask() is person
        monkeypatch.undo()

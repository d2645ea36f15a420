"""An environment's values, edited as a text, from Python."""

import os

import pytest
from helpers.without_terminal import Listener, Person

from rigger.errors import Declined, InvalidConfig, NotReady
from rigger.operations.edit import edit
from rigger.operations.editor import Editor
from rigger.process.terminal import interactive


def editor(change) -> Editor:
    """Return an editor that changes the text of a file as a function does."""

    def run(words):
        with open(words[-1]) as file:
            text = file.read()
        with open(words[-1], "w") as file:
            file.write(change(text))
        return 0

    return Editor("EDITOR", ("a-function",), run)


def configured_by(environment) -> list:
    return [r["changed"] for r in environment.audit.records() if r.get("by") == "rigger config"]


def test_an_edited_text_is_saved_and_its_difference_shown(wood):
    heard = Listener()
    result = edit(wood, heard, editor=editor(lambda text: text + 'export COLOUR="red"\n'))
    assert result.changed == ("COLOUR",) and result.next == ("rigger provision",)
    assert wood.vars()["COLOUR"] == "red"
    [(before, after)] = heard.differences
    assert "COLOUR" not in before and after["COLOUR"] == "red"
    assert not os.path.exists(wood.file("vars.edit"))


def test_a_text_that_stays_as_it_is_changes_nothing(wood):
    assert edit(wood, editor=editor(lambda text: text)).changed == ()
    assert configured_by(wood) == []


def test_a_person_may_refuse_to_save(wood):
    person = Person(False)
    edited = edit(wood, None, person.consent(), editor(lambda text: text + 'export COLOUR="red"\n'))
    assert person.asked == ["Save this?"] and edited.changed == () and "COLOUR" not in wood.vars()


def test_an_invalid_text_is_kept_where_nobody_can_be_asked(wood):
    heard, broken = Listener(), editor(lambda text: text + 'export NODES="many"\n')
    with pytest.raises(InvalidConfig, match="What was edited is not valid") as caught:
        edit(wood, heard, editor=broken)
    assert "NODES" in heard.warnings[0] and wood.file("vars.edit") in caught.value.next_step
    assert "NODES" not in wood.vars()
    right = editor(lambda text: text.replace("many", "3"))
    assert edit(wood, heard, editor=right).changed == ("NODES",)
    assert "Going on with your text of last time, which was not saved." in heard.lines


def test_a_person_goes_back_to_the_editor(wood):
    person, values = Person(True, True), ["many", "3"]

    def another_value(text):
        kept = [line for line in text.splitlines(True) if "NODES" not in line]
        return "".join([*kept, f'export NODES="{values.pop(0)}"\n'])

    assert edit(wood, None, person.consent(), editor(another_value)).changed == ("NODES",)
    assert person.asked == ["Go back to the editor?", "Save this?"] and wood.vars()["NODES"] == "3"


def test_a_damaged_file_is_mended(wood):
    with open(wood.vars_file) as file:
        whole = file.read()
    with open(wood.vars_file, "w") as file:
        file.write('export PLATFORM="tree\n')
    heard = Listener()
    result = edit(wood, heard, editor=editor(lambda text: whole + 'export COLOUR="red"\n'))
    assert result.mended and result.next == ("rigger status",) and "COLOUR" in result.changed
    assert "move it away" in heard.warnings[0] and wood.vars()["COLOUR"] == "red"


def test_an_editor_that_fails_changes_nothing(wood):
    with pytest.raises(Declined, match="a-function exited 3; nothing was changed"):
        edit(wood, editor=Editor("EDITOR", ("a-function",), lambda words: 3))
    with pytest.raises(NotReady, match=r"The editor \(EDITOR\) cannot be started"):
        edit(wood, editor=Editor("EDITOR", ("/nowhere/editor",), interactive))
    assert not os.path.exists(wood.file("vars.edit"))

"""Values, got, set, unset, compared and edited from Python."""

import os

import pytest
from helpers.without_terminal import Listener, Person

from rigger.errors import BadUsage, Interrupted, InvalidConfig, NotReady
from rigger.operations.edit import edit
from rigger.operations.editor import Editor, find_editor
from rigger.operations.provision import provision
from rigger.operations.values import compare_values, get_value, list_values, set_values, unset_values
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


# get


def test_a_value_and_where_it_comes_from(wood):
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert get_value(wood, "COLOUR").as_dict() == {"COLOUR": "red"}
    assert (get_value(wood, "COLOUR").source, get_value(wood, "NODES").source) == ("set", "default")
    rows = {row["name"]: row for row in list_values(wood).as_dict()}
    assert rows["COLOUR"] == {"name": "COLOUR", "value": "red", "source": "set"}
    assert rows["TOKEN"]["value"] == "***"


def test_a_secret_is_shown_to_whom_asks_for_it_alone(wood):
    set_values(wood, {"TOKEN": "a-secret-token"})
    with pytest.raises(BadUsage, match="TOKEN is a secret"):
        get_value(wood, "TOKEN")
    shown = get_value(wood, "TOKEN", show_secrets=True)
    assert shown.value == "a-secret-token" and "a-secret-token" not in repr(shown)
    everything = list_values(wood, show_secrets=True)
    assert "a-secret-token" in str(everything.as_dict()) and "a-secret-token" not in repr(everything)


def test_what_has_no_value(wood):
    with pytest.raises(BadUsage, match="COLUOR has no value") as caught:
        get_value(wood, "COLUOR")
    assert "COLOUR" in caught.value.next_step


# set, unset, compare


def test_set_says_what_changed_and_what_carries_it_out(wood):
    result = set_values(wood, {"COLOUR": "red", "NODES": "2", "TOKEN": "a-secret-token"})
    assert result.as_dict() == {
        "environment": "wood",
        "changed": ["COLOUR", "NODES", "TOKEN"],
        "next": ["rigger provision"],
    }
    assert wood.vars()["COLOUR"] == "red" and wood.secrets() == {"TOKEN": "a-secret-token"}
    assert configured_by(wood) == [["COLOUR", "NODES", "TOKEN"]]
    assert set_values(wood, {"COLOUR": "red"}).changed == ()
    assert configured_by(wood) == [["COLOUR", "NODES", "TOKEN"]]


def test_an_invalid_value_changes_nothing(wood):
    before = wood.values()
    with pytest.raises(BadUsage, match="NODES"):
        set_values(wood, {"COLOUR": "red", "NODES": "many"})
    assert wood.values() == before and configured_by(wood) == []


def test_unset_takes_values_back(wood):
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert unset_values(wood, ["COLOUR", "TOKEN"]).changed == ("COLOUR", "TOKEN")
    assert get_value(wood, "COLOUR").as_dict() == {"COLOUR": "green"} and wood.secrets() == {}
    with pytest.raises(BadUsage, match="COLOUR is not set in wood"):
        unset_values(wood, ["COLOUR"])
    with pytest.raises(BadUsage, match="PLATFORM cannot be unset"):
        unset_values(wood, ["PLATFORM"])


def test_what_was_not_provisioned_yet(wood):
    provision(wood)
    assert compare_values(wood).as_dict() == {}
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert compare_values(wood).as_dict() == {
        "COLOUR": {"provisioned": "green", "configured": "red"},
        "TOKEN": {"provisioned": None, "configured": "***"},
    }


# edit


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
    with pytest.raises(Interrupted, match="a-function exited 3; nothing was changed"):
        edit(wood, editor=Editor("EDITOR", ("a-function",), lambda words: 3))
    with pytest.raises(NotReady, match=r"The editor \(EDITOR\) cannot be started"):
        edit(wood, editor=Editor("EDITOR", ("/nowhere/editor",), interactive))
    assert not os.path.exists(wood.file("vars.edit"))


def test_the_editor_that_is_found(monkeypatch):
    with pytest.raises(BadUsage, match="There is no terminal to edit on"):
        find_editor(has_terminal=False)
    assert str(find_editor(has_terminal=True)) == "vi"
    monkeypatch.setenv("EDITOR", "ed -s 'a b'")
    assert find_editor(has_terminal=False).words == ("ed", "-s", "a b")
    monkeypatch.setenv("VISUAL", "quote'")
    with pytest.raises(BadUsage, match="VISUAL is not a command"):
        find_editor(has_terminal=True)

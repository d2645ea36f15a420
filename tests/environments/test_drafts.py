"""Answers of a conversation that was interrupted."""

import os
import stat
import time

import pytest

from rigger.environments.drafts import Draft
from rigger.errors import InvalidConfig


def test_answers_come_back_and_secrets_lie_apart(tmp_path):
    draft = Draft(str(tmp_path), "wood")
    draft.write({"NODES": "3", "TOKEN": "sesame"}, ["TOKEN"])
    assert Draft(str(tmp_path), "wood").read() == {"NODES": "3", "TOKEN": "sesame"}
    with open(draft.vars_file) as file:
        assert "sesame" not in file.read()
    for path in (draft.vars_file, draft.secrets_file):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    draft.remove()
    assert draft.read() == {} and os.listdir(draft.folder) == []
    draft.remove()


def test_a_draft_that_was_damaged_holds_nothing(tmp_path):
    draft = Draft(str(tmp_path), "wood")
    draft.write({"NODES": "3"}, [])
    with open(draft.vars_file, "w") as file:
        file.write("NODES=$(touch pwned)\n")
    assert draft.read() == {}


def test_the_newest_one_is_gone_on_with(tmp_path):
    assert Draft.newest(str(tmp_path)) is None
    for name, age in (("old", 60), ("new", 0), ("older", 120)):
        draft = Draft(str(tmp_path), name)
        draft.write({}, [])
        os.utime(draft.vars_file, (time.time() - age,) * 2)
    assert Draft.newest(str(tmp_path)).name == "new"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "a moment ago"),
        (5, "5 minutes ago"),
        (119, "119 minutes ago"),
        (121, "2 hours ago"),
        (48 * 60, "2 days ago"),
    ],
)
def test_its_age_in_words(tmp_path, minutes, words):
    draft = Draft(str(tmp_path), "wood")
    assert draft.age() == "earlier"
    draft.write({}, [])
    os.utime(draft.vars_file, (time.time() - minutes * 60 - 1,) * 2)
    assert draft.age() == words


def test_a_home_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "home").touch()
    with pytest.raises(InvalidConfig, match=r"home/drafts cannot be made: .*"):
        Draft(str(tmp_path / "home"), "wood").write({}, [])

"""What the config.sh of a provider asked and set, kept in the environment."""

import json
import os
import stat

import pytest

from rigger.environments.home import Home
from rigger.interface1 import record
from rigger.interface1.record import RECORD, Record
from rigger.modules.interface1 import Interface1
from rigger.modules.model import Module
from rigger.questions.model import Choice, Question

TOY = Module("toy", "provider", "/oak/contrib/toy", contract=Interface1())
ASKED = (
    Question(
        "SIZE", "How large?", type="select", choices=(Choice("1", "small"), Choice("2", "large")), default="1"
    ),
    Question("OWNER", "Who?"),
)


@pytest.fixture
def wood(tmp_path):
    return Home(str(tmp_path / "home")).create("wood", {}, {})


@pytest.fixture
def path(wood):
    """The record of a first conversation."""
    record.write_record(
        wood,
        "toy",
        ASKED,
        given={"TOKEN": "hush"},
        preset={"REGION": "eu"},
        answered={"OWNER": "me"},
    )
    return wood.file("modules", "toy", RECORD)


def test_questions_come_back_as_questions_of_that_provider(wood, path):
    size, owner = record.recorded(wood, TOY).questions
    assert (size.name, size.ask, size.type, size.default) == ("SIZE", "How large?", "select", "1")
    assert size.choices == ASKED[0].choices and owner.default is None
    assert all(
        q.pinned and q.folder == TOY.folder and q.origin == "contrib/toy/config.sh" for q in (size, owner)
    )


def test_what_it_gave_is_kept_as_digests_alone(wood, path):
    found = record.recorded(wood, TOY)
    assert found.given == {"TOKEN": record.digest_of(wood)("hush")} and "hush" not in found.given["TOKEN"]
    assert (found.preset, found.answered) == ({"REGION": "eu"}, {"OWNER": "me"})
    with open(path) as file:
        assert "hush" not in file.read()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_digest_is_of_one_environment(wood, tmp_path):
    other = Home(str(tmp_path / "home")).create("copse", {}, {})
    assert record.digest_of(wood)("hush") == record.digest_of(wood)("hush") != record.digest_of(other)("hush")


def test_nothing_was_recorded(wood):
    assert record.recorded(wood, TOY) == Record()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"questions": [{}], "given": {}, "preset": {}}',
        b'{"questions": 3}',
    ],
)
def test_what_cannot_be_understood_was_not_recorded(wood, path, content):
    with open(path, "wb") as file:
        file.write(content)
    assert record.recorded(wood, TOY) == Record()


def test_a_record_of_an_older_rigger_has_no_answers(wood, path):
    with open(path) as file:
        content = json.load(file)
    del content["answered"]
    with open(path, "w") as file:
        json.dump(content, file)
    found = record.recorded(wood, TOY)
    assert len(found.questions) == 2 and found.answered == {}


def test_values_are_not_shown(wood, path):
    assert "eu" not in repr(Record(preset={"REGION": "eu"}, answered={"OWNER": "eu"}, given={"A": "eu"}))


def test_what_a_secret_went_into_is_not_kept(tmp_path):
    pine = Home(str(tmp_path / "home")).create("pine", {}, {"TOKEN": "s3cret-token"})
    at_home = Choice("1", "as s3cret-token")
    asked = (
        Question("URL", "Where?", default="https://me:s3cret-token@toy.test"),
        Question("PROXY", "Which, for s3cret-token?", type="select", choices=(at_home,), default="1"),
    )
    encoded = "czNjcmV0LXRva2Vu"  # the same as base64
    record.write_record(
        pine,
        "toy",
        asked,
        given={},
        preset={"LOGIN": encoded, "REGION": "eu"},
        answered={"URL": "http://s3cret-token", "OWNER": "me"},
    )
    with open(pine.file("modules", "toy", RECORD)) as file:
        content = file.read()
    assert "s3cret" not in content and encoded not in content
    found = record.recorded(pine, TOY)
    assert [(q.name, q.ask, q.default) for q in found.questions] == [
        ("URL", "Where?", None),
        ("PROXY", "Which, for ***?", "1"),
    ]
    assert found.questions[1].choices == (Choice("1", "as ***"),)
    assert (found.preset, found.answered) == ({"REGION": "eu"}, {"OWNER": "me"})

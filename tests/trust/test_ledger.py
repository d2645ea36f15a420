"""What a person agreed to is remembered, by content and by commit."""

import json
import os

import pytest

from rigger.errors import InvalidConfig
from rigger.trust import ledger

URL = "https://git.example.com/tree.git"


def test_commits_are_remembered_the_last_one_last(tmp_path):
    home = str(tmp_path / "home")
    for commit in ("a" * 40, "b" * 40, "a" * 40):
        ledger.agree_repository(home, URL, commit)
    assert list(ledger.agreed_commits(home, URL)) == ["b" * 40, "a" * 40]
    assert ledger.agreed_commits(home, URL + "x") == {}
    assert os.stat(home).st_mode & 0o777 == 0o700


def test_nothing_was_agreed_to_where_there_is_no_home(tmp_path):
    assert ledger.agreed_commits(str(tmp_path / "none"), URL) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{", json.dumps({URL: {"a": 1}}), json.dumps({URL: 7}), "[" * 100_000]
)
def test_a_file_that_rigger_did_not_write_is_refused(tmp_path, content):
    (tmp_path / ledger.REPOSITORIES).write_text(content)
    with pytest.raises(InvalidConfig, match="is not what rigger wrote"):
        ledger.agreed_commits(str(tmp_path), URL)


def test_digests_are_kept_once_each(tmp_path):
    ledger.agree(str(tmp_path), ["b" * 64, "a" * 64, "b" * 64])
    assert (tmp_path / ledger.TRUSTED).read_text() == "b" * 64 + "\n" + "a" * 64 + "\n"

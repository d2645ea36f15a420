"""What a provider's config.sh gives back at its end."""

import pytest

from rigger.interface1.outcome import Beginning, Outcome, Reading, secret_names, unfit


@pytest.fixture
def heard():
    return []


@pytest.fixture
def reading(tmp_path, heard):
    """Read what a config.sh gave back that began with these variables."""

    def make(basis=(), preset=(), start=(), script="export SAID\n"):
        (tmp_path / "config.sh").write_text(script)
        beginning = Beginning(dict(basis), dict(preset), dict(start))
        return Reading("contrib/toy/config.sh", str(tmp_path), beginning, heard.append)

    return make


# What it exported


def test_all_that_it_changed_and_what_it_says_export_of(reading, heard):
    start = {"SAME": "1", "CHANGED": "1", "SAID": "1"}
    found = reading(start=start).exports({**start, "CHANGED": "2", "NEW": ""})
    assert found == {"CHANGED": "2", "NEW": "", "SAID": "1"} and heard == []


def test_what_it_was_given_of_its_own(reading):
    assert reading(preset={"REGION": "eu"}, start={"REGION": "eu"}).exports({"REGION": "eu"}) == {
        "REGION": "eu"
    }
    assert reading(preset={"REGION": "eu"}, start={"REGION": "eu"}).exports({}) == {}


def test_what_bash_keeps_for_itself(reading, heard):
    assert reading().exports({"PWD": "/x", "OLDPWD": "/y", "SHLVL": "2", "_": "true", "A": "1"}) == {"A": "1"}
    assert heard == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PROVIDER", "aws", "is a question of rigger's own"),
        ("LD_PRELOAD", "x.so", "loader"),
        ("OAK_ID", "another", "is what the environment is configured to be"),
    ],
)
def test_what_is_not_kept_is_told_with_the_reason(reading, heard, name, value, reason):
    assert reading(basis={"OAK_ID": "0123456789"}).exports({name: value}) == {}
    (said,) = heard
    assert said.startswith(f"{name}, which contrib/toy/config.sh sets, is not kept: it ") and reason in said


def test_nothing_is_said_of_what_it_began_with(reading, heard):
    same = reading(
        basis={"OAK_ID": "0123456789"}, script="export OAK_ID LD_PRELOAD\n", start={"LD_PRELOAD": "x"}
    )
    assert same.exports({"OAK_ID": "0123456789", "LD_PRELOAD": "x"}) == {} and heard == []


# What it saved


def test_what_it_saved_in_a_file(reading, tmp_path, heard):
    (tmp_path / "vars").write_bytes(b"A=1\nB<<END\ntwo\nlines\nEND\n")
    assert reading().saved(str(tmp_path / "vars")) == {"A": "1", "B": "two\nlines"} and heard == []


def test_a_file_that_it_did_not_write(reading, tmp_path):
    assert reading().saved(str(tmp_path / "none")) == {}


def test_what_it_saved_and_cannot_be_kept(reading, tmp_path, heard):
    (tmp_path / "vars").write_bytes(b"hush\nPATH=/x\nTYPE=small\nA=1\n")
    assert reading().saved(str(tmp_path / "vars")) == {"A": "1"}
    assert heard[0] == "Not kept: contrib/toy/config.sh, line 1: neither KEY=VALUE nor KEY<<END."
    assert "PATH" in heard[1] and heard[2].startswith("TYPE, which contrib/toy/config.sh sets, is not kept")


# Names and secrets


@pytest.mark.parametrize(
    ("name", "fit"), [("OWNER", True), ("VERSION", False), ("HOME", False), ("a-b", False)]
)
def test_whether_a_variable_can_be_one_of_the_environment(name, fit):
    assert (unfit(name) is None) == fit


def test_what_is_secret_by_its_name_by_its_file_and_by_what_it_holds():
    given = {
        "API_KEY": "1",
        "OWNER": "me",
        "URL": "https://me:hunter22@x",
        "KEPT": "vault-entry",
        "LINK": "a vault-entry",
    }
    found = secret_names(given, {"KEPT": "vault-entry"}, {"OPENING": "hunter22"})
    assert found == {"API_KEY", "URL", "KEPT", "LINK"}


def test_what_is_too_short_to_be_told_from_other_text_makes_nothing_else_secret():
    assert secret_names({"NODES": "10"}, {}, {"PIN": "1"}) == set()


def test_values_are_not_shown():
    assert "hush" not in repr(Outcome({"A": "hush"}, {"A": "hush"}))
    assert "hush" not in repr(Beginning({"A": "hush"}, {"A": "hush"}, {"A": "hush"}))

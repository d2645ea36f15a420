"""Where configure takes values from."""

import os

import pytest

from rigger.configuration import inputs
from rigger.envfile import file as envfile
from rigger.errors import BadUsage, Refused


@pytest.fixture
def file(tmp_path):
    """Write a file and return its path."""

    def write(content):
        path = tmp_path / "answers.env"
        path.write_bytes(content)
        return str(path)

    return write


# Flags


def test_flags_and_assignments_are_one():
    assert inputs.values_of_flags(["A=1", "B=x=y", "C="], provider=None, PROVIDER="aws") == {
        "A": "1", "B": "x=y", "C": "", "PROVIDER": "aws",
    }  # fmt: skip


def test_the_same_value_twice_is_no_contradiction():
    assert inputs.values_of_flags(["A=1", "A=1", "PROVIDER=aws"], PROVIDER="aws") == {
        "A": "1",
        "PROVIDER": "aws",
    }


@pytest.mark.parametrize(
    ("assignments", "named", "said"),
    [
        (["A"], {}, "--set 'A' is not of the form NAME=VALUE."),
        (["=1"], {}, "--set '=1' is not of the form NAME=VALUE."),
        (["A=1", "A=2"], {}, "--set A= is given twice, with different values."),
        (["PROVIDER=aws"], {"PROVIDER": "local"}, "--provider and --set PROVIDER= name different values."),
    ],
)
def test_flags_that_say_nothing_or_two_things(assignments, named, said):
    with pytest.raises(BadUsage) as refused:
        inputs.values_of_flags(assignments, **named)
    assert refused.value.message == said


@pytest.mark.parametrize(
    ("given", "excluded"),
    [
        ({"--version": "1"}, None),
        ({"--repository": "u", "--version": "1"}, None),
        ({"--repository": "u", "--ref": "main"}, None),
        ({"--repository": "u", "--path": "/a"}, "--repository and --path"),
        ({"--version": "1", "--ref": "main"}, "--version and --ref"),
        ({"--repository": "u", "--version": "1", "--ref": "main"}, "--version and --ref"),
    ],
)
def test_a_platform_comes_from_one_place(given, excluded):
    flags = dict.fromkeys(("--repository", "--version", "--ref", "--path")) | given
    if excluded is None:
        inputs.require_one_source(flags)
        return
    with pytest.raises(BadUsage, match=f"^{excluded} exclude each other") as refused:
        inputs.require_one_source(flags)
    assert refused.value.next_step == "Give one of them."


def test_git_never_sees_an_option():
    inputs.require_safe_for_git("https://git.example.com/oak", "1.2.3", None)
    inputs.require_safe_for_git(None, "any words", None)  # a version of a platform that has no repository
    for flags in (("--upload-pack=x", None, None), ("/srv/oak", "-x", None), (None, None, "-x")):
        with pytest.raises(Refused):
            inputs.require_safe_for_git(*flags)


# Values as they are stored


def test_what_is_a_folder_is_stored_as_a_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CHECKOUT", "PLATFORM", "PROVIDER", "REPOSITORY"):
        assert inputs.whole_path(name, "./oak") == str(tmp_path / "oak")
    assert inputs.whole_path("PROVIDER", "~/oak") == os.path.join(os.environ["HOME"], "oak")


def test_what_is_none_stays_as_it_is(tmp_path):
    assert inputs.whole_path("PLATFORM", "etcd") == "etcd"
    assert inputs.whole_path("KEY", "./oak") == "./oak"
    assert inputs.whole_path("REPOSITORY", "") == ""
    with pytest.raises(Refused):
        inputs.whole_path("REPOSITORY", "ext::sh -c id")


def test_bytes_of_the_process_environment_stay(monkeypatch):
    monkeypatch.setitem(os.environb, b"RIGGER_NOTE", b"\xffa")
    assert inputs.values_of_environ()["RIGGER_NOTE"] == "\udcffa"


# Files


def test_nothing_is_expanded_in_an_answers_file(file):
    path = file(b"# mine\nexport A='it is $HOME'\nB=${A}\n\nC=\"two\nlines\"\nD=\n")
    assert inputs.read_answers(path) == {"A": "it is $HOME", "B": "${A}", "C": "two\nlines", "D": ""}


@pytest.mark.parametrize(
    ("content", "line"), [(b"A=1\n\nB\n", 3), (b"\n\n\n'A\n", 4), (b"A=1\nB='open\n", 2)]
)
def test_a_line_that_gives_no_answer_is_named(file, content, line):
    path = file(content)
    with pytest.raises(BadUsage) as refused:
        inputs.read_answers(path)
    assert refused.value.message == f"{path}, line {line}: this is not NAME=VALUE."


@pytest.mark.parametrize("value", [r"$'a\nb'", '$"a"', r"$'it\'s'"])
@pytest.mark.parametrize("export", ["", "export "])
def test_a_value_that_only_a_shell_reads_is_named(file, export, value):
    path = file(f"A=1\n\n{export}B={value}\nC='$'\n".encode())
    with pytest.raises(BadUsage) as refused:
        inputs.read_answers(path)
    assert refused.value.message.startswith(f"{path}, line 3: a value in $'...'")


def test_a_vars_file_without_what_is_computed(file):
    assert inputs.read_vars_file(file(b"export A=1\nexport PATH=/bin\nexport ORIGINAL_PATH=/bin\n")) == {
        "A": "1"
    }


@pytest.mark.parametrize("head", inputs.ARCHIVES)
def test_an_archive_is_no_vars_file(file, head):
    path = file(head + b"\0\0\0\0")
    with pytest.raises(Refused, match=f"{path} is an archive, but neither") as refused:
        inputs.read_vars_file(path)
    assert "rigger save" in refused.value.next_step


def test_a_file_that_is_not_there(tmp_path):
    path = str(tmp_path / "none")
    with pytest.raises(BadUsage, match=f"{path} cannot be read: No such file or directory"):
        inputs.read_answers(path)
    with pytest.raises(BadUsage, match=f"{path} cannot be read: No such file or directory"):
        inputs.read_vars_file(path)


def test_an_answers_file_may_be_one_that_rigger_wrote(file):
    values = {"A": 'pa$$word`x\\n\\\\$"q"', "B": "two\nlines\r\n", "PATH": "/own/bin"}
    answers = file(envfile.render_for_shells(values))
    assert inputs.read_answers(answers) == {"A": values["A"], "B": values["B"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'A="pa\$\$word\`x"', "pa$$word`x"),
        (r'export A = "\\$x \\\$y"', r"\$x \$y"),
        (r'A="a\nb" # words', "a\nb"),
        ('A="$HOME"', "$HOME"),
        (r"A='pa\$'", r"pa\$"),
        (r"A=pa\$", r"pa\$"),
        ('A=""', ""),
        ('A="one\r\ntwo"\r\n', "one\ntwo"),
        ('A="one\r\ntwo"\n', "one\r\ntwo"),
    ],
)
def test_what_an_answers_file_means(file, text, value):
    assert inputs.read_answers(file(text.encode()))["A"] == value

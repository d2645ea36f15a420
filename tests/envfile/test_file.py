"""Files of values come back from every shell as they were written."""

from __future__ import annotations

import shutil

import pytest
from helpers.shells import (
    BATCHES,
    BYTES_WITHOUT_NUL,
    ENV,
    HOSTILE,
    SHELLS,
    differences,
    environment,
    run,
    sourced,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile import names as variable_names
from rigger.errors import InvalidConfig

# --- what rigger writes, everybody reads back -----------------------------------------------------


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_ten_thousand_hostile_values_come_back_from_every_shell(shell, locale, tmp_path):
    for values in BATCHES:
        envfile.write(str(tmp_path / "vars"), values)
        assert differences(values, sourced(shell, tmp_path, locale)) == {}
    assert not (tmp_path / "canary").exists()


@pytest.mark.slow
def test_ten_thousand_hostile_values_come_back_from_rigger(tmp_path):
    path = str(tmp_path / "vars")
    for values in BATCHES:
        envfile.write(path, values)
        assert envfile.read(path) == values
        assert envfile.parse(b"# changed by hand\n" + envfile.render(values), "vars") == values


def test_the_canary_would_show_a_value_that_runs(shell, tmp_path):
    (tmp_path / "vars").write_text('export A="$(touch canary)"\n')
    sourced(shell, tmp_path)
    assert (tmp_path / "canary").exists()


def test_eval_reads_the_file_as_well(shell, tmp_path):
    values = {f"V{number}": value for number, value in enumerate(HOSTILE)}
    envfile.write(str(tmp_path / "vars"), values)
    result = run(shell, f'content=$(cat ./vars) && eval "$content" && exec {ENV} -0', tmp_path)
    assert differences(values, environment(result.stdout)) == {}


VALUES = st.one_of(
    BYTES_WITHOUT_NUL,
    st.lists(st.sampled_from(HOSTILE), max_size=8).map("".join),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: not variable_names.check_name(name)
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, database=None)
@given(values=st.dictionaries(NAMES, VALUES, min_size=1, max_size=40))
def test_any_name_and_value_comes_back(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("any")
    values = {name: texts.decode(texts.encode(value)) for name, value in values.items()}
    envfile.write(str(folder / "vars"), values)
    assert envfile.read(str(folder / "vars")) == values
    for command in SHELLS.values():
        if shutil.which(command[0]):
            assert differences(values, sourced(command, folder)) == {}


def test_the_form_of_the_file():
    assert envfile.render({"B": 'a "b" $c `d` \\', "A": "two\nlines 'x' !"}) == (
        b'export A="two\nlines \'x\' !"\nexport B="a \\"b\\" \\$c \\`d\\` \\\\"\n'
    )


# --- names and values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("A;touch x", "1"), ("LD_PRELOAD", "x"), ("A", "\0"), ("A", "x" * 140_000)]
)
def test_what_could_not_be_read_back_is_not_written(name, value, tmp_path):
    path = tmp_path / "vars"
    envfile.write(str(path), {"A": "old"})
    with pytest.raises(InvalidConfig, match="cannot be saved"):
        envfile.write(str(path), {name: value})
    assert envfile.read(str(path)) == {"A": "old"}


# --- files on a disk ------------------------------------------------------------------------------


def test_a_missing_file_holds_nothing(tmp_path):
    assert envfile.read(str(tmp_path / "none")) == {}


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidConfig, match=f"{tmp_path}: Is a directory"):
        envfile.read(str(tmp_path))


# --- what a vars file says of PATH ----------------------------------------------------------------


FOLDERS = ["/plain/bin", '/a b/bin:/c$d`e"f\\g/bin', "/*[a]?{b}'(c)/bin", "/new\nline/bin", "/é/\udcff/bin"]


@pytest.mark.parametrize("folders", FOLDERS)
def test_a_shell_gains_the_folders_and_rigger_reads_them(shell, folders, tmp_path):
    envfile.write(str(tmp_path / "vars"), {"A": "1", "PATH": folders})
    assert envfile.read(str(tmp_path / "vars")) == {"A": "1", "PATH": folders}
    result = run(shell, f"PATH=/bin:/usr/bin; . ./vars; . ./vars; exec {ENV} -0", tmp_path)
    found = environment(result.stdout)
    assert found["PATH"] == f"{folders}:/bin:/usr/bin"
    assert found["ORIGINAL_PATH"] == "/bin:/usr/bin"
    assert found["RIGGER_SHELL_NAMES"] == "A"


@pytest.mark.parametrize(
    ("before", "upper", "lower"),
    [
        ("unset NO_PROXY no_proxy", "10.0.0.1,2001:db8::1,", "10.0.0.1,2001:db8::1,"),
        (
            "NO_PROXY=a.example; unset no_proxy",
            "10.0.0.1,2001:db8::1,a.example",
            "10.0.0.1,2001:db8::1,a.example",
        ),
        ("NO_PROXY=a; no_proxy=b", "10.0.0.1,2001:db8::1,a", "10.0.0.1,2001:db8::1,b"),
        ("export NO_PROXY='*' no_proxy='*'", "*", "*"),
    ],
)
def test_a_shell_asks_no_proxy_for_the_nodes(shell, before, upper, lower, tmp_path):
    values = {"A": "1", "PATH": "/x/bin", "RIGGER_NODE_ADDRESSES": "10.0.0.1,2001:db8::1"}
    envfile.write(str(tmp_path / "vars"), values)
    assert envfile.read(str(tmp_path / "vars")) == {"A": "1", "PATH": "/x/bin"}
    text = (tmp_path / "vars").read_text()
    assert envfile.parse(f"{text}B='2' # by hand\n{text}".encode(), "vars")["B"] == "2"
    result = run(shell, f"{before}; . ./vars; . ./vars; exec {ENV} -0", tmp_path)
    found = environment(result.stdout)
    assert (found["NO_PROXY"], found["no_proxy"], found["RIGGER_SHELL_NAMES"]) == (upper, lower, "A")


def test_the_lines_are_known_wherever_they_stand(tmp_path):
    envfile.write(str(tmp_path / "vars"), {"A": "1", "PATH": "/x y/bin"})
    text = (tmp_path / "vars").read_text()
    assert envfile.parse(f"{text}\nB='2' # by hand\n{text}".encode(), "vars") == {
        "A": "1",
        "B": "2",
        "PATH": "/x y/bin",
    }


@pytest.mark.parametrize("change", [("/x", "/y"), ("PATH=", "PATHS="), ("esac", "esac; touch canary")])
def test_a_line_that_is_not_the_one_that_rigger_writes_is_refused(change, tmp_path):
    envfile.write(str(tmp_path / "vars"), {"PATH": "/x/bin"})
    text = (tmp_path / "vars").read_text().replace(*change, 1)
    with pytest.raises(InvalidConfig, match="line 1"):
        envfile.parse(text.encode(), "vars")


def test_names_are_found_in_a_damaged_file():
    assert envfile.names(b'export A="1"\nB=2\n$(x)\nexport C="\n') == {"A", "B", "C"}
    assert envfile.names(b'export A="\nB=2\n"\n') == {"A"}

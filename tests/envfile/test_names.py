"""Names and values that an environment can hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from helpers.shells import ENV, SHELLS, differences, environment, run, sourced

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile import names as variable_names


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("LD_PRELOAD", "loader"),
        ("DYLD_INSERT_LIBRARIES", "loader"),
        ("GCONV_PATH", "loader"),
        ("BASH_ENV", "starts"),
        ("BASH_FUNC_ls", "starts"),
        ("ENV", "starts"),
        ("IFS", "starts"),
        ("PYTHONPATH", "starts"),
        ("SHELLOPTS", "starts"),
        ("PERL5OPT", "starts"),
        ("RUBYOPT", "starts"),
        ("NODE_OPTIONS", "starts"),
        ("PROMPT_COMMAND", "starts"),
        ("GIT_SSH_COMMAND", "other programs"),
        ("PS1", "shell"),
        ("PS4", "shell"),
        ("CDPATH", "shell"),
        ("HISTFILE", "shell"),
        ("HOME", "session"),
        ("TERM", "session"),
        ("UID", "special"),
        ("RANDOM", "special"),
        ("_", "special"),
        ("path", "special"),
        ("status", "special"),
        ("LC_ALL", "bytes"),
        ("RIGGER_HOME", "rigger"),
        ("PATH", "machine"),
        ("", "not a name"),
        ("1A", "not a name"),
        ("A-B", "not a name"),
        ("A B", "not a name"),
        ("Ä", "not a name"),
        ("A\n", "not a name"),
        ("A=1;B", "not a name"),
    ],
)
def test_a_name_that_would_do_harm_is_refused_with_the_reason(name, reason):
    assert reason in variable_names.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "_a",
        "NODES",
        "DEIS_VERSION",
        "AWS_REGION",
        "ETCDCTL_ENDPOINTS",
        "TF_VAR_x",
        "LDAP",
        "HOSTNAME",
        "http_proxy",
        "KUBECONFIG",
        "PSK",
        "ENVIRONMENT",
        "IFSX",
        "TZ",
    ],
)
def test_an_ordinary_name_is_accepted(name):
    assert variable_names.check_name(name) is None


def names_shells_know():
    """The variables that the shells of this machine have of their own."""
    listings = [
        [*SHELLS["bash"], "-c", "compgen -v"],
        ["zsh", "-f", "-c", "zmodload zsh/parameter; print -l ${(k)parameters}"],
        ["dash", "-c", "set"],
        ["busybox", "sh", "-c", "set"],
    ]
    printed = b"\n".join(
        subprocess.run(listing, capture_output=True, check=False).stdout
        for listing in listings
        if shutil.which(listing[0])
    )
    return {texts.decode(line.split(b"=")[0]) for line in printed.split(b"\n")}


def test_a_shell_keeps_every_name_of_its_own_that_is_accepted(shell, tmp_path):
    known = {name for name in names_shells_know() if variable_names.check_name(name) is None}
    values = {name: 'x "y:/ü\n~\\1$' for name in known | {"VERY_LAST"}}
    envfile.write(str(tmp_path / "vars"), values)
    assert differences(values, sourced(shell, tmp_path)) == {}


@pytest.mark.parametrize("name", ["UID", "PPID", "RANDOM", "OPTIND", "status", "path", "HISTCMD"])
def test_a_name_is_refused_because_some_shell_loses_its_value(name, tmp_path):
    (tmp_path / "vars").write_text(f'export {name}="some value"\n')
    kept = [
        environment(run(command, f". ./vars; {ENV} -0", tmp_path).stdout).get(name) == "some value"
        for command in SHELLS.values()
        if shutil.which(command[0])
    ]
    assert not all(kept)


def test_a_value_may_be_as_long_as_the_system_allows():
    longest = "x" * (variable_names.LONGEST_STRING - len("NAME=") - 1)
    assert variable_names.check_value("NAME", longest) is None
    assert "1 bytes longer" in variable_names.check_value("NAME", longest + "x")
    if sys.platform == "linux":
        subprocess.run(["true"], env={"NAME": longest, "PATH": os.defpath}, check=True)
        with pytest.raises(OSError, match="too long"):
            subprocess.run(["true"], env={"NAME": longest + "x", "PATH": os.defpath}, check=True)


def test_a_value_without_a_form_in_the_environment_is_refused():
    assert "NUL" in variable_names.check_value("A", "a\0b")
    assert "surrogate" in variable_names.check_value("A", "\ud800")

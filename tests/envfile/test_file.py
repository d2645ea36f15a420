"""The vars file: every shell reads back what rigger writes; rigger refuses what only a shell can evaluate."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import stat
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import files
from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile import names as variable_names
from rigger.envfile import output as step_output
from rigger.errors import InvalidConfig

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "bash --posix": ["bash", "--posix"],
    "dash": ["dash"],
    "zsh": ["zsh", "-f"],
    "busybox sh": ["busybox", "sh"],
}
ENV = shutil.which("env")


@pytest.fixture(params=SHELLS)
def shell(request):
    """The command that starts one of the shells."""
    command = SHELLS[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    return command


def run(shell, script, folder, locale="C.UTF-8"):
    """What a shell prints, from a nearly empty environment."""
    surroundings = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": locale}
    return subprocess.run(
        [*shell, "-c", script], cwd=folder, env=surroundings, timeout=120, capture_output=True, check=False
    )


def sourced(shell, folder, locale="C.UTF-8"):
    """The environment after a shell has read the file `vars`, which it has to do without a word."""
    result = run(shell, f". ./vars && exec {ENV} -0", folder, locale)
    assert (result.returncode, result.stderr) == (0, b"")
    return environment(result.stdout)


def environment(printed):
    entries = (entry.split(b"=", 1) for entry in printed.split(b"\0") if entry)
    return {texts.decode(name): texts.decode(value) for name, value in entries}


def differences(expected, found):
    """The variables that came back otherwise, short enough to read in a report."""
    return {
        name: (value[:60], found.get(name, "(unset)")[:60])
        for name, value in expected.items()
        if found.get(name) != value
    }


# --- what rigger writes, everybody reads back -----------------------------------------------------

HOSTILE = [
    "",
    " ",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "\\",
    "\\\\",
    "\\\n",
    '"',
    "'",
    '\\"',
    "`",
    "$",
    "$$",
    "$x",
    "${x}",
    "!",
    "!!",
    "!$",
    "~",
    "~root",
    "a:~",
    "*",
    "?",
    "[a-z]*",
    "{a,b}",
    "#",
    " #",
    "=",
    "==ls",
    "&",
    "|",
    ";",
    "<",
    ">",
    "(",
    ")",
    "-n",
    "-e x",
    "$(touch canary)",
    "`touch canary`",
    '"; touch canary; "',
    "'; touch canary; '",
    "$(touch canary\n)",
    "\n touch canary\n",
    "\\`touch canary\\`",
    "\\$(touch canary)",
    "${x:-$(touch canary)}",
    "$((`touch canary`))",
    "<(touch canary)",
    "() { :; }; touch canary",
    "a\nexport B=$(touch canary)\n",
    "\x01\x02\x7f",
    "\x1b[31m",
    "%s%n",
    "é",
    "日本語",
    "\u2028",
    *(texts.decode(bytes([byte])) for byte in range(1, 256)),
    *(texts.decode(b"x" + bytes([byte]) + b"\\$y") for byte in range(0x80, 0x100)),
]
FRAGMENTS = [texts.encode(text) for text in HOSTILE] + [
    b"word",
    b"two words",
    b"\xff\xfe",
    b"\x81\x88",
    b"\xc3",
]


def hostile_value(source):
    if source.random() < 0.3:
        return texts.decode(bytes(source.choices(range(1, 256), k=source.randrange(60))))
    return texts.decode(b"".join(source.choices(FRAGMENTS, k=source.randrange(1, 7))))


def hostile_values(count):
    """`count` values: each awkward one alone, mixtures of them, random bytes, and two of 100 KB."""
    source = random.Random(20261120)
    values = HOSTILE + ["x" * 100_000, "\\\"$`'\n" * 17_000]
    values += [hostile_value(source) for _ in range(count - len(values))]
    return {f"V{number}": value for number, value in enumerate(values)}


def batches(values, size=2500):
    entries = list(values.items())
    return [dict(entries[start : start + size]) for start in range(0, len(entries), size)]


BATCHES = batches(hostile_values(10_400))


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_ten_thousand_hostile_values_come_back_from_every_shell(shell, locale, tmp_path):
    for values in BATCHES:
        envfile.write(str(tmp_path / "vars"), values)
        assert differences(values, sourced(shell, tmp_path, locale)) == {}
    assert not (tmp_path / "canary").exists()


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


BYTES_WITHOUT_NUL = st.lists(st.integers(1, 255)).map(lambda values: texts.decode(bytes(values)))
VALUES = st.one_of(
    BYTES_WITHOUT_NUL,
    st.lists(st.sampled_from(HOSTILE), max_size=8).map("".join),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: not variable_names.check_name(name)
)


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


@given(BYTES_WITHOUT_NUL)
@settings(max_examples=200, deadline=None, database=None)
def test_any_bytes_survive_being_text(value):
    data = texts.encode(value)
    assert texts.encode(texts.decode(data)) == data


# --- names and values -----------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("name", "value"), [("A;touch x", "1"), ("LD_PRELOAD", "x"), ("A", "\0"), ("A", "x" * 140_000)]
)
def test_what_could_not_be_read_back_is_not_written(name, value, tmp_path):
    path = tmp_path / "vars"
    envfile.write(str(path), {"A": "old"})
    with pytest.raises(InvalidConfig, match="cannot be saved"):
        envfile.write(str(path), {name: value})
    assert envfile.read(str(path)) == {"A": "old"}


# --- files that people wrote ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("\n\n# nothing\n  # here", {}),
        ("A=1", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("declare -x A=1\n", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=''\nB=\"\"", {"A": "", "B": ""}),
        ("A=1 B=2;C=3 ; export D=4 E=5 # six", {"A": "1", "B": "2", "C": "3", "D": "4", "E": "5"}),
        ("A='it'\\''s'", {"A": "it's"}),
        ("A='it'\"'\"'s'", {"A": "it's"}),
        ("A=a\"b c\"'d e'\\ f", {"A": "ab cd e f"}),
        ("A='$x `y` \\' ", {"A": "$x `y` \\"}),
        ('A="\\a\\$\\`\\"\\\\"', {"A": '\\a$`"\\'}),
        ("A=a\\\nb\\\n  B=2", {"A": "ab", "B": "2"}),
        ("exp\\\nort A\\\n=1", {"A": "1"}),
        ('A="a\\\nb"', {"A": "ab"}),
        ("A='a\nb\\\nc'", {"A": "a\nb\\\nc"}),
        ("A=a#b #c", {"A": "a#b"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=1\nexport A\nB=2; export B A", {"A": "1", "B": "2"}),
        ("export A=1 A", {"A": "1"}),
        ("  \t A=1", {"A": "1"}),
        ("A=a=b==", {"A": "a=b=="}),
        (
            "A=*.txt B=[x] C=a!b D=1,2 E={x,y}",
            {"A": "*.txt", "B": "[x]", "C": "a!b", "D": "1,2", "E": "{x,y}"},
        ),
        ("A='~' B=a~b C=\\~", {"A": "~", "B": "a~b", "C": "~"}),
        ("A='a\r\nb'", {"A": "a\r\nb"}),
        ("PATH=/x:/y\nORIGINAL_PATH=/z", {"PATH": "/x:/y", "ORIGINAL_PATH": "/z"}),
    ],
)
def test_plain_assignment_is_read_in_whatever_form(text, values):
    assert envfile.parse(text.encode(), "vars") == values


def test_bytes_that_are_not_utf8_are_read():
    assert envfile.parse(b"# \xff\nA=\xff\xc3'\x80'", "vars") == {"A": "\udcff\udcc3\udc80"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("A=$x", 1, "$"),
        ('A=1\nB="${x}"', 2, "$"),
        ("\n\nA=$(ls)", 3, "$"),
        ("A=`ls`", 1, "`"),
        ('A="`ls`"', 1, "`"),
        ("A=$'a'", 1, "$"),
        ("A=5$", 1, "$"),
        ("A='a\nb'\nB=\"c\n$d\"", 4, "$"),
        ("A=~", 1, "~"),
        ("A=~root/x", 1, "~"),
        ("A=/x:~", 1, "~"),
        ("A='/x':~", 1, "~"),
        ("export A=~/x", 1, "~"),
        ("A==ls", 1, "="),
        ("A=x:=ls", 1, "="),
        ("export A={a,b}", 1, "{"),
        ("A=(1 2)", 1, "array"),
        ("A[0]=1", 1, "array"),
        ("A+=1", 1, "+="),
        ("A=1>x", 1, "redirection"),
        ("<x A=1", 1, "redirection"),
        ("A=1 | cat", 1, "pipe"),
        ("A=1 & B=2", 1, "background"),
        ("touch x", 1, "command"),
        ("A=1 touch x", 1, "command"),
        ("A=1\nA= b", 2, "command"),
        ("export", 1, "without a name"),
        ("export -p", 1, "command"),
        ("export A", 1, "no value"),
        ("declare A=1", 1, "declare -x"),
        ("declare -r A=1", 1, "declare"),
        ("unset A", 1, "command"),
        ("if true", 1, "command"),
        ('"A"=1', 1, "command"),
        ('"export" A=1', 1, "command"),
        ("'A=1'", 1, "command"),
        ('A"="1', 1, "command"),
        ("source x", 1, "command"),
        (". x", 1, "command"),
        ("A-B=1", 1, "not a name"),
        ("1A=1", 1, "not a name"),
        ("Ä=1", 1, "not a name"),
        ("=1", 1, "not a name"),
        ("A='x", 1, "never closed"),
        ('A=1\nB="x\n\n', 2, "never closed"),
        ("A=x\\", 1, "backslash"),
        ("; A=1", 1, ";"),
        ("A=1;;B=2", 1, ";"),
        ("A=1\n;", 2, ";"),
        ("A=1\r\nB=2\r\n", 1, "carriage return"),
        ("\r\n", 1, "carriage return"),
        ("A='a\0b'", 1, "NUL"),
        ("\ufeffA=1", 1, "byte order mark"),
        ("A=1\nLD_PRELOAD=x", 2, "loader"),
        ("export A=1\nexport PATH_=1 BASH_ENV=x", 2, "starts"),
        (f"A={'x' * 140_000}", 1, "longer"),
    ],
)
def test_what_only_a_shell_could_work_out_is_refused_with_its_line(text, line, reason):
    with pytest.raises(InvalidConfig) as caught:
        envfile.parse(text.encode(), "my.vars")
    assert caught.value.message.startswith(f"my.vars, line {line}: ")
    assert reason in caught.value.message
    assert caught.value.next_step


def test_a_file_of_rigger_that_was_damaged_is_refused_with_its_line(tmp_path):
    content = envfile.render({"A": "one", "B": "two\nlines", "C": "three"})
    with pytest.raises(InvalidConfig, match="line 4: a double quote that is never closed"):
        envfile.parse(content[:-3], "vars")
    with pytest.raises(InvalidConfig, match="line 2: LD_PRELOAD is read by"):
        envfile.parse(content.replace(b"B=", b"LD_PRELOAD="), "vars")


PARTS = [
    "A",
    "B",
    "C1",
    "=",
    "=",
    "=",
    "export ",
    "export ",
    "declare -x ",
    "x",
    "'a b'",
    '"c d"',
    '"',
    "'",
    "\\",
    "\n",
    "\n",
    "\n",
    ";",
    " ",
    " ",
    "\t",
    "#",
    "# note\n",
    "\\\n",
    "~",
    ":",
    "$",
    "$x",
    "`",
    "$'q'",
    "*",
    "{a,b}",
    "!",
    "\\$",
    '"\\$\\x"',
    "é",
    "|",
    "&",
    ">",
    "(",
    ")",
    "+",
    "[",
    "]",
    "-",
    ",",
    "1",
    "\x01",
    "\x7f",
    "\x81",
    "'\n'",
    '"\n"',
    '"\\\n"',
    "''",
    '""',
]
STATEMENTS = [
    "A=x",
    "B='1 2'",
    'C1="a\\"b"',
    "export A=1",
    'export B="x"C1=2',
    "A=1 B=2",
    "A=x;B=y",
    "export A",
    "C1=\\'",
]


def hand_written(source):
    """The text of a file as somebody clumsy might write it."""
    lines = []
    for _ in range(source.randrange(1, 4)):
        line = source.choice(STATEMENTS)
        for _ in range(source.choice([0, 0, 1, 1, 2])):
            at = source.randrange(len(line) + 1)
            line = line[:at] + source.choice(PARTS) + line[at:]
        lines.append(line if source.random() < 0.9 else "".join(source.choices(PARTS, k=source.randrange(8))))
    return source.choice(["\n", "\n", "\n\n", "; "]).join(lines)


def test_every_shell_agrees_with_whatever_is_accepted(shell, tmp_path):
    accepted = {}
    for number, text in enumerate(sorted(differing_texts())):
        if shell[0] in ("dash", "busybox") and "declare" in text.replace("\\\n", ""):
            continue
        try:
            accepted[str(number)] = (text, envfile.parse(texts.encode(text), "vars"))
        except InvalidConfig:
            continue
        (tmp_path / str(number)).write_bytes(texts.encode(text))
    assert len(accepted) > 500
    read = read_by_shell(shell, list(accepted), tmp_path)
    assert [
        (text, values, read.get(number))
        for number, (text, values) in accepted.items()
        if read.get(number) != values
    ][:3] == []


def differing_texts():
    source = random.Random(7)
    return {hand_written(source) for _ in range(4000)}


def read_by_shell(shell, numbers, folder):
    """What each file sets, read in a subshell of its own: file -> variables."""
    loop = f"(. ./$FILE >&2 && printf 'BEGIN %s\\0' $FILE && exec {ENV} -0)"
    printed = run(shell, f"set -a; for FILE in {' '.join(numbers)}; do {loop}; done", folder).stdout
    own = {"FILE", "PATH", "HOME", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "LOGNAME", "_"}
    read = {}
    for part in printed.split(b"BEGIN ")[1:]:
        number, rest = part.split(b"\0", 1)
        found = environment(rest)
        read.setdefault(number.decode(), {name: found[name] for name in found.keys() - own})
    return read


# --- files on a disk ------------------------------------------------------------------------------


def test_a_missing_file_holds_nothing(tmp_path):
    assert envfile.read(str(tmp_path / "none")) == {}


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidConfig, match=f"{tmp_path}: Is a directory"):
        envfile.read(str(tmp_path))


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
def test_only_the_owner_can_read_the_file(tmp_path, umask):
    path = tmp_path / "vars"
    path.write_text("A=1\n")
    path.chmod(0o644)
    before = os.umask(umask)
    try:
        envfile.write(str(path), {"A": "2"})
        files.write_bytes(str(tmp_path / "shared"), b"x", 0o644)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o644


def test_the_temporary_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    seen = []
    real = os.write

    def write(fd, data):
        seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    before = os.umask(0)
    try:
        files.write_bytes(str(tmp_path / "file"), b"secret", 0o644)
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_a_symlink_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/vars")
    envfile.write(str(tmp_path / "link"), {"A": "1"})
    envfile.write(str(tmp_path / "link"), {"A": "2"})
    assert (tmp_path / "link").is_symlink()
    assert envfile.read(str(tmp_path / "real" / "vars")) == {"A": "2"}


def test_a_relative_path_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    envfile.write("vars", {"A": "1"})
    assert envfile.read("vars") == {"A": "1"}


def test_a_system_that_writes_little_at_a_time_still_writes_it_all(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    envfile.write(str(tmp_path / "vars"), {"A": "a long value"})
    assert envfile.read(str(tmp_path / "vars")) == {"A": "a long value"}


def fail_nth(monkeypatch, function, nth, error):
    """Make the nth call of a function of `os` fail."""
    real, calls = getattr(os, function), []

    def fails(*arguments, **options):
        calls.append(arguments)
        if len(calls) == nth:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(os, function, fails)


FAULTS = [("open", 1), ("open", 2), ("write", 1), ("write", 2), ("fchmod", 1), ("fsync", 1), ("replace", 1)]


@pytest.mark.parametrize(("function", "nth"), FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failure_at_any_step_leaves_the_old_file_alone(tmp_path, monkeypatch, function, nth, number):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "old"})
    real_write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real_write(fd, data[:8]))
        fail_nth(patch, function, nth, OSError(number, os.strerror(number)))
        with pytest.raises(InvalidConfig) as caught:
            envfile.write(path, {"A": "new"})
    assert caught.value.message == f"Cannot write {path}: {os.strerror(number)}"
    assert caught.value.next_step
    assert envfile.read(path) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


@pytest.mark.parametrize(("function", "nth"), FAULTS)
def test_ctrl_c_at_any_step_leaves_the_old_file_alone(tmp_path, monkeypatch, function, nth):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "old"})
    real_write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real_write(fd, data[:8]))
        fail_nth(patch, function, nth, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            envfile.write(path, {"A": "new"})
    assert envfile.read(path) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


def test_a_failure_to_flush_the_folder_is_reported(tmp_path, monkeypatch):
    fail_nth(monkeypatch, "fsync", 2, OSError(errno.EIO, os.strerror(errno.EIO)))
    with pytest.raises(InvalidConfig, match="Cannot write"):
        envfile.write(str(tmp_path / "vars"), {"A": "1"})
    assert os.listdir(tmp_path) == ["vars"]


def test_no_descriptor_stays_open(tmp_path, monkeypatch):
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else pytest.skip("needs /proc")
    envfile.write(str(tmp_path / "vars"), {"A": "1"})
    with monkeypatch.context() as patch:
        fail_nth(patch, "fsync", 1, OSError(errno.EIO, "x"))
        with pytest.raises(InvalidConfig):
            envfile.write(str(tmp_path / "vars"), {"A": "2"})
    assert os.listdir("/proc/self/fd") == before


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for the full disk: the kernel takes a part and refuses the rest."""
    path = tmp_path / "vars"
    envfile.write(str(path), {"A": "old"})
    program = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from rigger.envfile import file as envfile\n"
        "try: envfile.write(sys.argv[1], {'A': 'x' * 100_000})\n"
        "except Exception as error: print(type(error).__name__, error.message)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
    )
    assert result.stdout == f"Unwritable Cannot write {path}: File too large\n"
    assert envfile.read(str(path)) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


def test_a_folder_that_is_gone_or_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "gone" / "vars", tmp_path / "file" / "vars"):
        with pytest.raises(InvalidConfig, match=f"Cannot write {path}: "):
            envfile.write(str(path), {})


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "0" * 50_000})
    program = (
        "import sys\nfrom rigger.envfile import file as envfile\n"
        "for n in range(200): envfile.write(sys.argv[1], {'A': str(n % 10) * 50_000})\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, path])
    seen = set()
    while writer.poll() is None:
        value = envfile.read(path)["A"]
        assert len(value) == 50_000 and len(set(value)) == 1
        seen.add(value[0])
    assert writer.returncode == 0
    assert len(seen) > 1


# --- what a script gives --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"", {}),
        (b"\n \n", {}),
        (b"A=1\n", {"A": "1"}),
        (b"A=1\nB=2", {"A": "1", "B": "2"}),
        (b"A=\n", {"A": ""}),
        (b"A=1\nA=2\n", {"A": "2"}),
        (b"A= b = 'c' \"$d\" \r\n", {"A": " b = 'c' \"$d\" \r"}),
        (b"A=x<<y\n", {"A": "x<<y"}),
        (b"A=\xff\xfe\n", {"A": "\udcff\udcfe"}),
        (b"A<<END\none\n\n two \nEND\nB=1\n", {"A": "one\n\n two ", "B": "1"}),
        (b"A<<E\nE\n", {"A": ""}),
        (b"A<<E\n\nE", {"A": ""}),
        (b"A<<E\n\n\nE\n", {"A": "\n"}),
        (b"A<<E=F\nx\nE=F\n", {"A": "x"}),
        (b"A<<END\nB=1\n END\nEND \nEND\n", {"A": "B=1\n END\nEND "}),
        (b"PATH=/x\n", {"PATH": "/x"}),
    ],
)
def test_what_a_script_gives(data, values):
    assert step_output.parse_output(data, "output") == (values, [])


@pytest.mark.parametrize(
    ("data", "values", "sentence"),
    [
        (b"A=1\nsome words\nB=2\n", {"A": "1", "B": "2"}, "output, line 2: neither KEY=VALUE nor KEY<<END"),
        (b"LD_PRELOAD=/x\nB=2\n", {"B": "2"}, "output, line 1: LD_PRELOAD is read by the dynamic loader"),
        (b"B=2\nmy key=x\n", {"B": "2"}, "output, line 2: what stands before the = or << is not a name"),
        (
            b"bad key<<E\nA=1\nE\nB=2\n",
            {"B": "2"},
            "output, line 1: what stands before the = or << is not a name",
        ),
        (b"B=2\nA<<END\nx\ny\n", {"B": "2"}, "output, line 2: a block that is never closed"),
        (b"A<<\nB=2\n", {"B": "2"}, "output, line 1: no word after <<"),
        (b"A=a\0b\nB=2\n", {"B": "2"}, "output, line 1: A holds a NUL byte"),
        (b"A=" + b"x" * 140_000 + b"\nB=2\n", {"B": "2"}, "output, line 1: A is 8931 bytes longer"),
    ],
)
def test_what_a_script_gives_wrongly_is_told_and_the_rest_kept(data, values, sentence):
    good, bad = step_output.parse_output(data, "output")
    assert good == values
    assert len(bad) == 1 and bad[0].startswith(sentence)


@given(
    st.lists(st.sampled_from([b"hu-sh", b"=", b"<<", b"\n", b" ", b"A", b"PS1", b"\0", b"\xff"])).map(
        b"".join
    )
)
@settings(max_examples=300, deadline=None, database=None)
def test_a_complaint_about_a_scripts_output_never_holds_a_value(data):
    _, bad = step_output.parse_output(data, "output")
    assert not any("hu-sh" in sentence for sentence in bad)


def test_every_value_can_be_given_as_a_block():
    for values in BATCHES:
        data = texts.encode("".join(f"{name}<<-+-\n{value}\n-+-\n" for name, value in values.items()))
        assert step_output.parse_output(data, "output") == (values, [])

"""Files that people wrote: read as a shell reads them, or refused with the line."""

from __future__ import annotations

import random

import pytest
from helpers.shells import ENV, environment, run

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.errors import InvalidConfig


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


@pytest.mark.slow
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

"""Login shells of nodes: whichever it is, and whatever it prints, words and bytes arrive as they were given."""

import os
import shutil

import pytest
from helpers.machines import Machines, only_with_namespaces
from helpers.nodes import Nodes

# What one shell or the other reads twice, even between single quotes.
WORDS = [
    "a b",
    "it's",
    "a!b",
    "!!",
    "!",
    "two\nlines\n",
    "\n",
    "\\n",
    "\\",
    "\\'",
    "tr\\\\ail\\",
    "",
    "''",
    '"',
    "$HOME",
]
WORDS += [
    "`id`",
    "$(id)",
    "*",
    "~",
    "-n",
    "%d%b",
    "\t\r\x01\x7f",
    "häßlich\N{SNOWMAN}",
    b"\xff\xfe!",
    ";",
    "#",
    "[a]{b,c}",
    "^a^b",
]

GREETINGS = {
    "bash": (".bashrc", "echo Welcome; printf 'no line end'\n"),
    "tcsh": (".cshrc", "echo Welcome\nprintf 'no line end'\n"),
    "fish": (".config/fish/config.fish", "echo Welcome\nprintf 'no line end'\n"),
    "zsh": (".zshenv", "echo Welcome; printf 'no line end'\n"),
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("shells"), 1) as machines:
        yield machines


@pytest.fixture
def node(machine, tmp_path, runtime):
    machine.run(1, "cp", "/etc/passwd", "/etc/passwd.kept")
    yield Nodes(machine, tmp_path / "environment")
    machine.run(1, "mv", "/etc/passwd.kept", "/etc/passwd")


def log_in_with(machine, shell):
    """Give the user who logs in a shell; a program that is missing here skips the test."""
    name = {"busybox": "ash"}.get(shell, shell)
    path = f"/usr/local/bin/{name}"
    real = shutil.which(shell)
    if real is None:
        pytest.skip(f"there is no {shell}")
    machine.run(1, "ln", "-sfn", real, path)
    machine.run(1, "sed", "-i", f"s,^\\(root:.*:\\)[^:]*$,\\1{path},", "/etc/passwd")


@pytest.mark.slow
@only_with_namespaces
@pytest.mark.parametrize("shell", ["bash", "dash", "tcsh", "fish", "busybox", "zsh"])
def test_words_bytes_and_codes_are_the_same_in_every_login_shell(machine, node, shell):
    log_in_with(machine, shell)
    words = [os.fsencode(word) for word in WORDS]
    with node.run():
        assert node("node-1", "printf", "<%s>", *map(os.fsdecode, words)).stdout == b"".join(
            b"<" + w + b">" for w in words
        )
        data = bytes(range(256)) * 4000
        assert node("node-1", "cat", input=data).stdout == data
        said = node("node-1", "sh", "-c", "printf out; printf err >&2\nexit 7", code=7)
        assert (said.stdout, said.stderr) == (b"out", "err")
        node("node-1", "sh", "-c", "exit 255", code=255)
        node("node-1", "sh", "-c", "kill -9 $$", code=137)
    said = node("--shell", "node-1", "printf", "<%s>", "a!b", "it's")
    assert said.stdout == b"<a!b><it's>"


@pytest.mark.slow
@only_with_namespaces
@pytest.mark.parametrize("shell", sorted(GREETINGS))
def test_what_a_login_shell_prints_is_no_part_of_what_a_command_says(machine, node, shell):
    log_in_with(machine, shell)
    file, text = GREETINGS[shell]
    machine.write(1, f"/root/{file}", text)
    try:
        assert b"Welcome" in machine.ssh(1, "true").stdout
        with node.run():
            said = node("node-1", "printf", "a\nb!")
            assert (said.stdout, said.stderr) == (b"a\nb!", "")
            assert node("node-1", "true").stdout == b""
            data = os.urandom(100000)
            assert node("node-1", "cat", input=data).stdout == data
            node("node-1", "sh", "-c", "exit 9", code=9)
            copied = os.path.join(node.folder, "copied")
            node.copy("/etc/hostname", "node-1:kept")
            node.copy("node-1:kept", copied)
            with open(copied, "rb") as one, open("/etc/hostname", "rb") as other:
                assert one.read() == other.read()
        assert node("--shell", "node-1", "echo", "here").stdout == b"here\n"
    finally:
        machine.run(1, "rm", f"/root/{file}")


@only_with_namespaces
@pytest.mark.parametrize("program", ["nologin", "true"])
def test_a_login_shell_that_runs_no_command_is_the_reason(machine, node, program):
    log_in_with(machine, "bash")
    path = shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
    machine.run(1, "sed", "-i", f"s,^\\(root:.*:\\)[^:]*$,\\1{path},", "/etc/passwd")
    for said in (node("node-1", "echo", "in", code=255), node("--shell", "node-1", "echo", "in", code=255)):
        assert said.stdout == b"" and "the login shell on node-1" in said.stderr
        assert "did not run the command" in said.stderr
        assert program == "true" or "not available" in said.stderr

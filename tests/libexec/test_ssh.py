"""Commands on nodes: what they get and give, and what a person's settings say."""

import os
import re
import subprocess

import pytest
from helpers.machines import namespaces_work

from rigger.environments import inventory

WORDS = ["a b", "it's", '"$(touch pwned)"', "", "two\nlines\n", "*", "-n", "\\n", "!", "'", "''\n'"]


# What a command gets, and gives


@pytest.mark.slow
def test_bytes_words_and_exit_codes_are_left_alone(nodes, machines):
    with nodes.run():
        assert nodes("node-2", "printf", "<%s>", *WORDS).stdout.decode() == "".join(f"<{w}>" for w in WORDS)
        data = bytes(range(256)) * 4000
        assert nodes("node-1", "cat", input=data).stdout == data
        said = nodes("node-1", "sh", "-c", "printf out; printf err >&2; exit 7", code=7)
        assert (said.stdout, said.stderr) == (b"out", "err")
        peers = [
            nodes(f"node-{number}", "sh", "-c", "echo $SSH_CONNECTION").stdout.split() for number in (1, 2)
        ]
        assert [peer[2].decode() for peer in peers] == [machines[number].address for number in (1, 2)]


@pytest.mark.slow
def test_codes_that_ssh_has_another_meaning_for_are_the_commands_own(nodes):
    with nodes.run():
        assert nodes("node-1", "sh", "-c", "exit 255", code=255).stderr == ""
        assert "rigger-node" not in nodes("node-1", "sh", "-c", "exit 254", code=254).stderr
        nodes("node-1", "sh", "-c", "kill -9 $$", code=137)
        nodes("node-1", "no-such-program", code=127)


@pytest.mark.slow
def test_a_loop_keeps_its_input(nodes):
    script = "for word in a b; do echo $word; done | while read -r word; do rigger-node node-1 true; echo $word; done"
    done = subprocess.run(["sh", "-c", script], env=nodes.env, capture_output=True, timeout=60)
    assert done.stdout == b"a\n"  # as with ssh itself: the first command gets the rest
    script = script.replace("node-1 true;", "node-1 true </dev/null;")
    done = subprocess.run(["sh", "-c", script], env=nodes.env, capture_output=True, timeout=60)
    assert done.stdout == b"a\nb\n"


@pytest.mark.slow
def test_a_terminal_only_when_asked(nodes):
    with nodes.run():
        assert nodes("node-1", "sh", "-c", "test -t 0 && echo terminal || echo none").stdout == b"none\n"
        assert (
            b"terminal" in nodes("-t", "node-1", "sh", "-c", "test -t 0 && echo terminal || echo none").stdout
        )


# What the inventory and a person's settings say


@pytest.mark.slow
def test_a_key_may_lie_in_the_environment_or_at_home(nodes, machines, private_home):
    for path, place in (("modules/my key", nodes.folder), (".ssh/my key", private_home)):
        os.makedirs(os.path.dirname(os.path.join(place, path)), exist_ok=True)
        os.symlink(machines.key, os.path.join(place, path))
    nodes.describe(node_1={"key": "modules/my key"}, node_2={"key": "~/.ssh/my key"})
    nodes("node-1", "true")
    nodes("node-2", "true")


# A host needs a key of this user's own.
@pytest.mark.slow
@pytest.mark.parametrize("by", ["name", "host"] if namespaces_work() else ["name"])
def test_a_jump_host_is_the_way_in(nodes, machines, by):
    jump = "node-1" if by == "name" else f"{machines.user}@{machines[1].address}:{machines[1].port}"
    home_key = os.path.join(os.environ["HOME"], ".ssh")
    os.makedirs(home_key, exist_ok=True)
    with open(os.path.join(home_key, "config"), "w") as file:
        file.write(f"Host {machines[1].address}\n  IdentityFile {machines.key}\n")
    nodes.describe(node_3={"jump": jump})
    before = len(machines.log(3))
    with nodes.run():
        assert nodes("node-3", "sh", "-c", "echo $SSH_CONNECTION").stdout.split()[0].decode() in (
            machines[1].address,
            "127.0.0.1",
        )
        assert nodes("node-3", "cat", input=b"\0\xff" * 5000).stdout == b"\0\xff" * 5000
    assert "Accepted publickey" in machines.log(3)[before:]
    with open(nodes.known_hosts) as file:
        known = {line.split()[0] for line in file}
    assert "node-3" in known and len(known) == 2


def test_a_persons_own_settings_hold_where_ours_say_nothing(nodes, machines, private_home):
    (private_home / ".ssh").mkdir()
    (private_home / ".ssh" / "config").write_text(
        f"Host 192.0.2.250\n  HostName {machines[2].address}\n  Port {machines[2].port}\n  StrictHostKeyChecking no\n"
        "  RequestTTY force\n  RemoteCommand echo mine\n  LocalForward 127.0.0.1:1 127.0.0.1:1\n"
    )
    nodes.describe(node_2={"address": "192.0.2.250", "port": None})
    assert nodes("node-2", "hostname").stdout == machines.run(2, "hostname").stdout
    machines.new_host_key(2)
    assert "changed" in nodes("node-2", "true", code=255).stderr


@pytest.mark.parametrize(
    "node",
    [
        {"address": "-oProxyCommand=touch pwned"},
        {"address": "10.0.0.1 -oProxyCommand=x"},
        {"ssh": {"user": "-oProxyCommand=x"}},
        {"ssh": {"user": "root\t-"}},
        {"ssh": {"port": "22 -oProxyCommand=x"}},
        {"ssh": {"jump": "-oProxyCommand=x"}},
        {"ssh": {"jump": "host;touch pwned"}},
        {"ssh": {"jump": "user@-oProxyCommand=x"}},
        {"ssh": {"jump": "$(touch pwned)@host"}},
        {"ssh": {"key": "-oProxyCommand=x"}},
        {"ssh": {"key": "a\tb"}},
        {"ssh": {"key": 7}},
    ],
)
def test_no_value_of_an_inventory_is_an_option(node):
    import json

    line = json.dumps({"name": "node-1", "address": "10.0.0.1", **node}).encode()
    nodes, problems = inventory.parse_output(line)
    assert nodes == [] and len(problems) == 1


# All nodes


def test_all_nodes_say_who_they_are(nodes):
    with nodes.run():
        said = nodes(
            "--all", "sh", "-c", 'echo "$SSH_CONNECTION" >/dev/null; echo one; printf two; echo bad >&2'
        )
    assert sorted(said.stdout.decode().splitlines()) == sorted(
        f"node-{n}: {word}" for n in (1, 2, 3) for word in ("one", "two")
    )
    assert sorted(said.stderr.splitlines()) == [f"node-{n}: bad" for n in (1, 2, 3)]


def test_lines_stay_whole(nodes):
    script = "for i in 1 2 3 4 5 6 7 8; do head -c 20000 /dev/zero | tr '\\0' x; echo; done"
    with nodes.run():
        lines = nodes("--all", "--parallel", "3", "sh", "-c", script).stdout.decode().splitlines()
    assert sorted(lines) == sorted(f"node-{n}: " + "x" * 20000 for n in (1, 2, 3) for _ in range(8))


@pytest.mark.slow
def test_all_nodes_at_the_same_time_or_one_by_one(nodes):
    script = "date +%s%N; sleep 0.4; date +%s%N"
    for parallel, together in (("3", True), ("1", False)):
        with nodes.run():
            nodes("--all", "true")
            lines = nodes("--all", "--parallel", parallel, "sh", "-c", script).stdout.decode().split()
            times = [int(word) for word in lines if word.isdigit()]
            begun, ended = times[::2], times[1::2]
            assert (max(begun) < min(ended)) is together


@pytest.mark.slow
def test_the_failed_ones_of_all_are_named(nodes, machines):
    machines.cut(2)
    with nodes.run() as connections:
        said = nodes("--all", "sh", "-c", "case $(hostname) in node-3) exit 3 ;; esac; true", code=None)
        if machines.namespaces:
            assert said.returncode == 1
            assert "of 3 nodes these failed: " in said.stderr
            assert "node-2 (not reached, or lost)" in said.stderr and "node-3 (exit 3)" in said.stderr
        assert connections.lost() == ("node-2",)
        assert nodes("--all", "true", code=254).stderr.count("node-2 (not reached, or lost)") == 1
    machines.restore(2)
    assert "node-1 (exit 7), node-2 (exit 7), node-3 (exit 7)" in re.sub(
        r"failed: (.*)",
        lambda found: "failed: " + ", ".join(sorted(found[1].split(", "))),
        nodes("--all", "sh", "-c", "exit 7", code=7).stderr,
    )


@pytest.mark.parametrize(
    "words", [[], ["node-1"], ["--all"], ["--parallel", "0", "--all", "true"], ["--nope"]]
)
def test_wrong_words_are_refused(nodes, words):
    assert nodes(*words, code=255).stderr.startswith("error: rigger-node: ")

"""rigger-node and rigger-node-copy against real sshd servers, on machines of their own."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import tempfile
import threading

import pytest
from helpers.clusters import wait_for
from helpers.machines import LOST_AFTER, Machines, namespaces_work, only_with_namespaces
from helpers.steps import LIBEXEC

from rigger.environments import inventory
from rigger.ssh import connections as ssh_connections

WORDS = ["a b", "it's", '"$(touch pwned)"', "", "two\nlines\n", "*", "-n", "\\n", "!", "'", "''\n'"]


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("machines"), 3) as machines:
        yield machines


class Nodes:
    """An environment's folder whose inventory has the machines, and the programs of a step."""

    def __init__(self, machines, folder, **changes):
        self.machines = machines
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.known_hosts = os.path.join(self.folder, "known_hosts")
        self.env = {
            **os.environ,
            "PATH": LIBEXEC + os.pathsep + os.environ["PATH"],
            "RIGGER_ENVIRONMENT_DIR": self.folder,
            "RIGGER_NODES_FILE": os.path.join(self.folder, "inventory.tsv"),
            "RIGGER_PROVIDER_DIR": os.path.join(self.folder, "no-such-provider"),
            "RIGGER_SSH_TIMEOUT": LOST_AFTER,
            "RIGGER_RETRY_PAUSE": "1",
        }
        self.describe(**changes)

    def describe(self, **changes):
        """Write the inventory; `changes` replace what ssh needs to know of a node: node_2={"port": 1}."""
        lines = []
        for node in self.machines.nodes():
            more = changes.get(node["name"].replace("-", "_"), {})
            node["address"] = more.pop("address", node["address"])
            node["ssh"] = {name: v for name, v in {**node["ssh"], **more}.items() if v is not None}
            lines.append(inventory.Node(**node))
        inventory.write(os.path.join(self.folder, "inventory.json"), lines)

    def start(self, *argv, program="rigger-node", **options):
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        return subprocess.Popen([os.path.join(LIBEXEC, program), *map(str, argv)], env=self.env, **options)

    def __call__(self, *argv, code=0, input=None, **options):
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*argv, **options)
        out, err = process.communicate(input, timeout=60)
        said = subprocess.CompletedProcess(argv, process.returncode, out, err.decode(errors="replace"))
        assert code is None or said.returncode == code, said
        return said

    def copy(self, *argv, **options):
        return self(*argv, program="rigger-node-copy", **options)

    @contextlib.contextmanager
    def run(self):
        """Do as a run does: one connection for each node, until the end."""
        with ssh_connections.Connections(self.folder) as connections:
            self.env["RIGGER_CONNECTIONS"] = connections.path
            try:
                yield connections
            finally:
                self.env.pop("RIGGER_CONNECTIONS", None)


@pytest.fixture
def runtime(monkeypatch):
    """A short folder of this test's own, where all connections have their sockets."""
    with tempfile.TemporaryDirectory(prefix="rt-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
        wait_for(lambda: processes(folder) == set())
        assert os.listdir(folder) == []


@pytest.fixture
def nodes(machines, tmp_path, runtime):
    home = tmp_path / "a folder's 100% own ${HOME} " / ("long" * 40)
    yield Nodes(machines, home)
    for number in (1, 2, 3):
        machines.restore(number)


def processes(folder=None):
    """Return the ssh processes that have their sockets in a folder."""
    folder = os.fsencode(folder or os.environ["XDG_RUNTIME_DIR"]) + b"/"
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
            if words[0] == b"ssh" and any(word.startswith(folder) for word in words):
                found.add(name)
    return found


# What a command gets, and gives


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


def test_codes_that_ssh_has_another_meaning_for_are_the_commands_own(nodes):
    with nodes.run():
        assert nodes("node-1", "sh", "-c", "exit 255", code=255).stderr == ""
        assert "rigger-node" not in nodes("node-1", "sh", "-c", "exit 254", code=254).stderr
        nodes("node-1", "sh", "-c", "kill -9 $$", code=137)
        nodes("node-1", "no-such-program", code=127)


def test_a_loop_keeps_its_input(nodes):
    script = "for word in a b; do echo $word; done | while read -r word; do rigger-node node-1 true; echo $word; done"
    done = subprocess.run(["sh", "-c", script], env=nodes.env, capture_output=True, timeout=60)
    assert done.stdout == b"a\n"  # as with ssh itself: the first command gets the rest
    script = script.replace("node-1 true;", "node-1 true </dev/null;")
    done = subprocess.run(["sh", "-c", script], env=nodes.env, capture_output=True, timeout=60)
    assert done.stdout == b"a\nb\n"


def test_a_terminal_only_when_asked(nodes):
    with nodes.run():
        assert nodes("node-1", "sh", "-c", "test -t 0 && echo terminal || echo none").stdout == b"none\n"
        assert (
            b"terminal" in nodes("-t", "node-1", "sh", "-c", "test -t 0 && echo terminal || echo none").stdout
        )


# One connection


def test_a_run_has_one_connection_per_node(nodes, machines):
    before = [machines.logins(number) for number in (1, 2)]
    with nodes.run() as connections:
        started = [
            nodes.start(f"node-{n}", "sh", "-c", "sleep 0.3; echo $0", i) for n in (1, 2) for i in range(7)
        ]
        for process in started:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
        nodes("node-1", "true")
        assert [machines.logins(number) - count for number, count in zip((1, 2), before, strict=True)] == [
            1,
            1,
        ]
        assert stat.S_IMODE(os.stat(connections.path).st_mode) == 0o700
        assert len(processes()) >= 2
        path = connections.path
    assert not os.path.exists(path) and not os.path.lexists(os.path.join(nodes.folder, ssh_connections.LINK))


def test_without_a_run_nothing_is_left(nodes, machines):
    before = machines.logins(1)
    nodes("node-1", "true")
    nodes("node-1", "true")
    assert machines.logins(1) - before == 2


def test_a_connection_holds_nothing_of_the_step(nodes):
    with nodes.run(), open(os.path.join(nodes.folder, "lock"), "w") as lock:
        said = nodes(
            "node-1", "true", pass_fds=[lock.fileno()]
        )  # communicate() waits for the end of both pipes
        assert said.returncode == 0
        pid = next(iter(processes()))
        held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert lock.name not in held and not [name for name in held if name.startswith("pipe:")]
        assert os.getsid(int(pid)) == int(pid)


def test_more_sessions_than_a_node_allows(nodes, machines):
    machines.stop_sshd(3)
    machines.start_sshd(3, MaxSessions=1)
    try:
        with nodes.run():
            started = [nodes.start("node-3", "sh", "-c", "sleep 0.5; exit $0", str(10 + i)) for i in range(4)]
            assert [process.communicate(timeout=60) and process.returncode for process in started] == [
                10,
                11,
                12,
                13,
            ]
    finally:
        machines.stop_sshd(3)
        machines.start_sshd(3)


def test_a_connection_that_broke_between_two_commands_is_opened_again(nodes, machines):
    with nodes.run():
        nodes("node-1", "true")
        machines.drop(1)
        wait_for(lambda: not processes())
        assert nodes("node-1", "echo", "here").stdout == b"here\n"
        for pid in processes():
            os.kill(int(pid), signal.SIGKILL)  # leaves its socket behind
        assert nodes("node-1", "echo", "again").stdout == b"again\n"


def test_who_was_killed_while_opening_stops_nobody(nodes):
    with nodes.run() as connections:
        gone = subprocess.Popen(["true"])
        gone.wait()
        os.makedirs(os.path.join(connections.path, "n-node-1"))
        os.symlink(str(gone.pid), os.path.join(connections.path, "n-node-1", "opening"))
        started = [nodes.start("node-1", "true") for _ in range(4)]
        assert [process.communicate(timeout=30) and process.returncode for process in started] == [0] * 4


def test_a_connection_that_does_not_listen_is_ended(nodes, monkeypatch):
    monkeypatch.setattr(ssh_connections, "PATIENCE", 0.5)
    with nodes.run():
        nodes("node-1", "true")
        for pid in processes():
            os.kill(int(pid), signal.SIGSTOP)


def test_what_a_killed_run_left_goes_with_the_next(nodes):
    with nodes.run() as first:
        nodes("node-1", "true")
        with nodes.run() as second:
            assert not os.path.exists(first.path) and os.path.isdir(second.path)
            assert not processes()


# Host keys


def test_host_keys_are_learned_then_verified(nodes, machines):
    nodes("node-2", "true")
    with open(nodes.known_hosts) as file:
        learned = file.read()
    assert re.fullmatch(r"node-2 ssh-ed25519 \S+\n", learned)
    machines.new_host_key(2)
    said = nodes("--retry", "3", "node-2", "echo", "secret", code=255)
    assert said.stdout == b""
    assert f"the host key of node-2 changed: it is not the one in {nodes.known_hosts}, line 1" in said.stderr
    assert 'type "rigger ssh --forget node-2"' in said.stderr and "@@@" not in said.stderr
    nodes("--forget", "node-2")
    assert nodes("node-2", "echo", "in").stdout == b"in\n"
    with open(nodes.known_hosts) as file:
        assert file.read() != learned


def test_host_keys_of_nodes_that_moved_are_forgotten(tmp_path):
    old = [inventory.Node("a", "10.0.0.1"), inventory.Node("b", "10.0.0.2"), inventory.Node("c", "10.0.0.3")]
    new = [old[0], inventory.Node("b", "10.0.0.9")]
    assert inventory.moved(old, new) == ["b", "c"] and inventory.moved(old, old) == []
    (tmp_path / "known_hosts").write_text("a k 1\nb k 2\n[a]:22 k 3\nc k 4\n")
    assert ssh_connections.forget_host_keys(str(tmp_path), ["b", "c"])
    assert (tmp_path / "known_hosts").read_text() == "a k 1\n[a]:22 k 3\n"
    assert not ssh_connections.forget_host_keys(str(tmp_path), ["b"])


# Lost


def test_a_node_that_is_cut_off_is_named(nodes, machines):
    machines.cut(2)
    with nodes.run() as connections:
        said = nodes("node-2", "true", code=254)
        assert f"node-2 ({machines[2].address}) cannot be reached: " in said.stderr
        assert "timed out" in said.stderr
        assert connections.lost() == ("node-2",)
        connections.begin_step()
        assert connections.lost() == ()


def test_a_node_that_falls_silent_after_its_greeting_is_given_up(nodes):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nodes.describe(node_1={"address": "127.0.0.1", "port": silent.getsockname()[1]})
        nodes.env["RIGGER_SSH_TIMEOUT"] = "1"
        with nodes.run():
            running = nodes.start("node-1", "true")
            peer, _ = silent.accept()
            with peer:
                peer.sendall(b"SSH-2.0-silent\r\n")
                _, err = running.communicate(timeout=60)
    assert running.returncode == 254
    assert "node-1 (127.0.0.1) cannot be reached: " in err.decode() and "timed out" in err.decode()


def test_what_keeps_ssh_waiting_for_ever_is_given_up(nodes):
    agent = os.path.join(os.environ["XDG_RUNTIME_DIR"], "agent")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(agent)
        silent.listen()
        nodes.env.update(RIGGER_SSH_TIMEOUT="1", SSH_AUTH_SOCK=agent)
        with nodes.run():
            assert "cannot be reached: no answer within 3 s" in nodes("node-1", "true", code=254).stderr
    os.unlink(agent)


def test_a_lost_connection_is_no_failed_command(nodes, machines):
    with nodes.run() as connections:
        running = nodes.start("node-2", "sh", "-c", "echo x >>ran; sleep 30")
        wait_for(lambda: machines.run(2, "sh", "-c", "cat ran", code=None).stdout == b"x\n")
        machines.cut(2)
        _, err = running.communicate(timeout=30)
        assert running.returncode == 254
        assert (
            f"the connection to node-2 ({machines[2].address}) was lost while a command ran there"
            in err.decode()
        )
        assert connections.lost() == ("node-2",)
        assert ssh_connections.Connections(nodes.folder).lost() == ()
    machines.run(2, "rm", "ran")


def lose(nodes, machines, *options):
    """Break the connection while a command runs for the first time; return how it ended, and how often it ran."""
    script = 'echo x >>ran; [ "$(wc -l <ran)" -gt 1 ] && exit 0; sleep 30'
    running = nodes.start(*options, "node-1", "sh", "-c", script)
    wait_for(lambda: machines.run(1, "sh", "-c", "cat ran", code=None).stdout == b"x\n")
    machines.drop(1)
    _, err = running.communicate(timeout=30)
    ran = machines.run(1, "sh", "-c", "wc -l <ran; rm ran").stdout
    return running.returncode, int(ran), err.decode()


def test_only_what_is_idempotent_runs_again(nodes, machines):
    with nodes.run() as connections:
        code, ran, said = lose(nodes, machines, "--idempotent")
        assert (code, ran) == (0, 2) and "trying node-1 again in 1 s" in said
        assert connections.lost() == ()
        code, ran, said = lose(nodes, machines, "--retry", "3")
        assert (code, ran) == (254, 1) and "again" not in said


def test_a_connection_that_cannot_be_made_is_tried_again(nodes, machines):
    machines.cut(1)
    threading.Timer(3, machines.restore, [1]).start()
    said = nodes("--retry", "4", "node-1", "echo", "back")
    assert said.stdout == b"back\n" and "trying node-1 again in 1 s" in said.stderr


def test_what_the_command_says_is_never_tried_again(nodes, machines):
    nodes("--idempotent", "node-1", "sh", "-c", "echo x >>ran; exit 255", code=255)
    assert machines.run(1, "sh", "-c", "wc -l <ran; rm ran").stdout.strip() == b"1"


def test_who_is_not_let_in_is_told_so(nodes, machines, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    nodes.describe(
        node_1={"key": str(tmp_path / "other")},
        node_2={"key": str(tmp_path / "no such key")},
        node_3={"port": 9},
    )
    said = nodes("--retry", "3", "node-1", "true", code=255)
    assert (
        f"node-1 ({machines[1].address}) does not let us in" in said.stderr
        and "Permission denied" in said.stderr
    )
    assert "Look at the user and the key" in said.stderr and "again" not in said.stderr
    assert (
        f"the key {tmp_path}/no such key of node-2 cannot be read" in nodes("node-2", "true", code=255).stderr
    )
    assert "refused" in nodes("node-3", "true", code=254).stderr


# What the inventory and a person's settings say


def test_a_key_may_lie_in_the_environment_or_at_home(nodes, machines, private_home):
    for path, place in (("modules/my key", nodes.folder), (".ssh/my key", private_home)):
        os.makedirs(os.path.dirname(os.path.join(place, path)), exist_ok=True)
        os.symlink(machines.key, os.path.join(place, path))
    nodes.describe(node_1={"key": "modules/my key"}, node_2={"key": "~/.ssh/my key"})
    nodes("node-1", "true")
    nodes("node-2", "true")


# A host needs a key of this user's own.
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


def test_all_nodes_at_the_same_time_or_one_by_one(nodes):
    script = "date +%s%N; sleep 0.4; date +%s%N"
    for parallel, together in (("3", True), ("1", False)):
        with nodes.run():
            nodes("--all", "true")
            lines = nodes("--all", "--parallel", parallel, "sh", "-c", script).stdout.decode().split()
            times = [int(word) for word in lines if word.isdigit()]
            begun, ended = times[::2], times[1::2]
            assert (max(begun) < min(ended)) is together


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


# Copies


def tree(folder):
    """Return the files of a folder: name, mode, content or where a link leads."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = os.path.join(place, name)
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            content = ""
            if os.path.islink(path):
                mode, content = 0, os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, folder)] = (mode, content)
    return found


@pytest.fixture
def luggage(tmp_path):
    folder = tmp_path / "lug gage"
    (folder / "deep" / "-er").mkdir(parents=True)
    (folder / "deep" / "-er" / "new\nline 'quoted'").write_bytes(bytes(range(256)))
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o750)
    (folder / "empty").mkdir(mode=0o700)
    (folder / "link").symlink_to("run")
    return folder


def test_a_folder_there_and_back_is_the_same(nodes, luggage, tmp_path):
    with nodes.run():
        nodes.copy(luggage, "node-1:there")
        nodes.copy("node-1:there", tmp_path / "back")
        assert tree(tmp_path / "back") == tree(luggage)
        (tmp_path / "into").mkdir()
        nodes.copy("node-1:there/", "node-1:there/run", tmp_path / "into")
        assert sorted(os.listdir(tmp_path / "into")) == ["run", "there"]
        nodes.copy(luggage, "node-1:there")  # a folder that exists: inside
        assert b"lug gage" in nodes("node-1", "ls", "there").stdout
        nodes("node-1", "rm", "-r", "there")


def test_a_file_gets_its_name_its_mode_and_replaces_another(nodes, luggage, tmp_path):
    with nodes.run():
        nodes("node-2", "sh", "-c", "mkdir bin; echo old >bin/run")
        nodes.copy(luggage / "run", luggage / "deep" / "-er" / "new\nline 'quoted'", "node-2:bin")
        assert (
            nodes("node-2", "sh", "-c", "cat bin/run; ls -la bin | grep -c rigger-copy", code=1).stdout
            == b"#!/bin/sh\n0\n"
        )
        nodes.copy("node-2:bin/new\nline 'quoted'", tmp_path / "it's here")
        assert (tmp_path / "it's here").read_bytes() == bytes(range(256))
        nodes.copy("node-2:bin/run", tmp_path / "run")
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750
        nodes("node-2", "rm", "-r", "bin")


def test_a_copy_that_cannot_be_is_one_sentence_and_leaves_nothing(nodes, luggage, tmp_path):
    before = sorted(os.listdir(tmp_path))
    with nodes.run():
        assert "there is no ./nothing here" in nodes.copy("node-1:nothing", tmp_path / "x", code=1).stderr
        assert "there is no nothing" in nodes.copy("nothing", "node-1:x", code=1).stderr
        assert "there is no node 'node-9'" in nodes.copy(luggage, "node-9:x", code=2).stderr
        assert (
            "there is no folder"
            in nodes.copy("node-1:/etc/passwd", tmp_path / "no" / "where/", code=1).stderr
        )
        assert "there is no folder ./no/" in nodes.copy(luggage, "node-1:no/", code=1).stderr
        assert "write NODE:PATH" in nodes.copy(luggage, tmp_path / "x", code=2).stderr
    assert sorted(os.listdir(tmp_path)) == before


def test_a_copy_is_tried_again_when_the_connection_is_lost(nodes, machines, luggage, tmp_path):
    machines.cut(1)
    threading.Timer(3, machines.restore, [1]).start()
    said = nodes.copy(luggage / "run", "node-1:run")
    assert "trying again in 1 s" in said.stderr
    assert nodes("node-1", "sh", "-c", "cat run; rm run").stdout == b"#!/bin/sh\n"
    machines.cut(1)
    said = nodes.copy("--retry", "0", "node-1:run", tmp_path / "run", code=254)
    assert "cannot be reached" in said.stderr and "tar" not in said.stderr


HOSTILE = """#!/bin/sh
d=$(mktemp -d); cd $d
mkdir base; echo evil >evil; echo good >base/good
ln -s /tmp base/out
chmod 4755 base/good
exec /bin/tar -cPf - --transform 's,^evil,{evil},' evil base/good base/out "$d/evil" ./base evil
"""


@only_with_namespaces
@pytest.mark.parametrize("evil", ["../../escaped", "/tmp/rigger-escaped", "base/out/rigger-escaped", "other"])
def test_a_node_cannot_write_elsewhere(nodes, machines, tmp_path, evil):
    machines.write(1, "/usr/local/bin/tar", HOSTILE.replace("{evil}", evil), mode=0o755)
    machines.run(1, "mkdir", "-p", "base")
    (tmp_path / "into").mkdir()
    try:
        nodes.copy("node-1:base", tmp_path / "into" / "base", code=None)
    finally:
        machines.run(1, "rm", "/usr/local/bin/tar")
    assert not os.path.exists("/tmp/rigger-escaped")
    assert not [n for n in os.listdir(tmp_path) if "escaped" in n]
    assert set(os.listdir(tmp_path / "into")) <= {"base"}
    if os.path.exists(tmp_path / "into" / "base" / "good"):
        assert not (tmp_path / "into" / "base" / "good").stat().st_mode & 0o6000


# Whole runs

MANIFEST = """
questions:
  - {name: COLOUR, default: green}
"""


@pytest.fixture
def iron(rigger, modules, machines, runtime, tmp_path):
    """An environment of that name, whose provider hands the machines out as they are."""
    for number in (1, 2, 3):
        machines.restore(number)
    rigger.home = rigger.env["RIGGER_HOME"] = str(tmp_path / "home of 100% $HOME" / ("long" * 40))
    rigger.env.update(XDG_RUNTIME_DIR=runtime, RIGGER_SSH_TIMEOUT=LOST_AFTER, RIGGER_RETRY_PAUSE="1")
    inventory_file = tmp_path / "inventory"
    inventory_file.write_text(machines.inventory())
    modules.write(
        "provider",
        "iron",
        MANIFEST,
        create=f'cat {inventory_file} >>"$RIGGER_INVENTORY_OUTPUT"',
        check="rigger-node --all true && rigger-node node-1 true",
        destroy="exit 0",
    )
    modules.write("platform", "air", 'versions: ["1"]\n', deploy='rigger-node --all sh -c "echo here"')
    rigger("configure", "--defaults", "--name", "iron", "--provider", "iron", "--platform", "air")
    yield rigger
    for number in (1, 2, 3):
        machines.restore(number)


def records(iron, event):
    import json

    with open(iron.path("environments", "iron", "audit.jsonl")) as file:
        return [r for r in map(json.loads, file) if r["event"] == event]


def test_a_whole_run_has_one_connection_per_node_and_leaves_none(iron, modules, machines):
    modules.script(modules.folder + "/platforms/air", "check", "rigger-node --all true")
    before = [machines.logins(number) for number in (1, 2, 3)]
    iron("provision")
    assert [machines.logins(n) - count for n, count in zip((1, 2, 3), before, strict=True)] == [1, 1, 1]
    with open(iron.path("environments", "iron", "known_hosts")) as file:
        assert sorted(line.split()[0] for line in file) == ["node-1", "node-2", "node-3"]
    assert stat.S_IMODE(os.stat(iron.path("environments", "iron", "known_hosts")).st_mode) == 0o600
    iron("destroy", "--yes")
    with open(iron.path("environments", "iron", "known_hosts")) as file:
        assert file.read() == ""


def test_an_idempotent_step_is_tried_again_when_a_node_was_lost(iron, machines):
    iron("provision")
    machines.cut(2)
    threading.Timer(3, machines.restore, [2]).start()
    said = iron("check")
    assert "node-2 could not be reached: trying again in 1 s (2 of 3)." in said.out
    tries = [
        r for r in records(iron, "step-started") if r["command"] == "check" and r["module"] == "provider/iron"
    ]
    assert [r.get("attempt", 1) for r in tries] in ([1, 2], [1, 2, 3])
    assert len({r["log"] for r in tries}) == len(tries)
    ends = [r for r in records(iron, "step-finished") if r["run"] == tries[0]["run"]]
    assert ends[0]["lost"] == ["node-2"] and "lost" not in ends[-1]
    assert "deployed" in iron("status").out


def test_a_node_that_stays_away_is_named_and_nothing_is_tried_forever(iron, machines):
    iron("provision")
    machines.cut(3)
    iron.env["RIGGER_RETRY_PAUSE"] = "0"
    said = iron("check", code=5)
    assert said.out.count("trying again") == 2
    assert "node-3 could not be reached" in said.err.splitlines()[-2]
    machines.restore(3)
    iron("check")


def test_a_step_that_is_not_idempotent_runs_once(iron, modules, machines):
    modules.script(
        modules.folder + "/platforms/air",
        "deploy",
        'echo x >>"$RIGGER_STATE_DIR/ran"; rigger-node node-1 true',
    )
    machines.cut(1)
    said = iron("provision", code=5)
    assert "node-1 could not be reached" in said.err and "again in" not in said.out
    with open(iron.path("environments", "iron", "modules", "air", "ran")) as file:
        assert file.read() == "x\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_connection_outlives_a_run_that_was_stopped(iron, modules, machines, runtime, how):
    modules.script(modules.folder + "/platforms/air", "deploy", "rigger-node --all sleep 30")
    running = iron.start("provision")
    wait_for(lambda: sum(name.startswith("log.") for name in sessions(runtime)) == 3)
    running.send_signal(how)
    running.communicate(timeout=30)
    if how == signal.SIGKILL:
        for pid in processes(
            runtime
        ):  # what the step itself had started goes on, as it should, until it ends
            if os.getsid(int(pid)) != int(pid):
                os.kill(int(pid), signal.SIGKILL)
        assert processes(runtime)
        wait_for(lambda: iron("check", code=None).code != 7)


def sessions(folder):
    return [name for _, _, names in os.walk(folder) for name in names]


def test_host_keys_travel_in_a_bundle(iron, machines, tmp_path):
    iron("provision")
    iron("save", "-o", tmp_path / "iron.rigger")
    home = str(tmp_path / "elsewhere")
    iron("configure", "--file", tmp_path / "iron.rigger", "--trust", "--no-input", env={"RIGGER_HOME": home})
    with open(os.path.join(home, "environments", "iron", "known_hosts")) as file:
        assert sorted(line.split()[0] for line in file) == ["node-1", "node-2", "node-3"]
    machines.new_host_key(2)
    said = iron("check", code=5, env={"RIGGER_HOME": home})
    assert "the host key of node-2 changed" in said.out + said.err

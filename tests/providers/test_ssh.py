"""The provider `ssh`, on real sshd servers: machines that are looked at, prepared, checked and cleared."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from helpers.conversations import Conversation
from helpers.machines import LOST_AFTER, Machines, only_with_namespaces
from helpers.same_answers import same_answers

PROVIDER = os.path.join(os.path.dirname(__file__), "..", "..", "providers", "ssh")


class Cluster:
    """An environment on test machines, driven by the real program."""

    def __init__(self, rigger, machines, platform="noop", name="iron"):
        self.rigger = rigger
        self.machines = machines
        self.name = name
        self.platform = platform
        self.path = rigger.path("environments", name)
        rigger.env.update(RIGGER_SSH_TIMEOUT=LOST_AFTER, RIGGER_RETRY_PAUSE="0")
        self.ssh_config("")

    def ssh_config(self, text):
        folder = os.path.join(os.path.dirname(self.rigger.home), ".ssh")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "config"), "w") as file:
            file.write(text)
        os.chmod(os.path.join(folder, "config"), 0o600)

    def addresses(self, *numbers):
        chosen = [self.machines[n] for n in numbers] if numbers else self.machines.machines
        return " ".join(f"{m.address}:{m.port}" if m.port != 22 else m.address for m in chosen)

    def where(self, number):
        return f"{self.machines.user}@{self.addresses(number)}"

    def configure(self, *values, code=0, addresses=None, key=None):
        sets = {
            "SSH_MACHINES": self.addresses() if addresses is None else addresses,
            "SSH_KEY": self.machines.key if key is None else key,
            "SSH_USER": self.machines.user,
        }
        sets.update(value.split("=", 1) for value in values)
        flags = [word for item in sets.items() for word in ("--set", "=".join(item))]
        return self.rigger(
            "configure",
            "--no-input",
            *("--name", self.name, "--provider", "ssh", "--platform", self.platform),
            *flags,
            code=code,
        )

    def set(self, *values, code=0):
        return self.rigger("config", "set", *values, code=code)

    def provision(self, *arguments, code=0):
        return self.rigger("provision", "-y", "-v", *arguments, code=code)

    def refused(self):
        """Have the first provision stop before anything is started; return its reasons."""
        return self.provision(code=4).err

    def nodes(self):
        with open(os.path.join(self.path, "inventory.json")) as file:
            return json.load(file)

    def names(self):
        return [node["name"] for node in self.nodes()]

    @property
    def id(self):
        return self.rigger("config", "get", f"{self.platform.upper()}_ID").out.strip()

    def base(self, number):
        home = self.machines[number].home
        return "/var/lib/rigger" if self.machines.namespaces else f"{home}/.local/share/rigger"

    def folder(self, number):
        return f"{self.base(number)}/{self.id}"

    def marker(self, number):
        """Return what the marker on a machine says, nothing where there is none."""
        said = self.machines.run(number, "cat", f"{self.folder(number)}/machine", code=None)
        return dict(line.split() for line in said.stdout.decode().splitlines())

    def left(self, number):
        """Return what a machine still has of any environment: files and processes."""
        script = 'find "$1" "$HOME/.local/share/rigger" /etc/systemd/system/rigger-* 2>/dev/null; '
        script += 'grep -laszE "^$1/" /proc/[0-9]*/cmdline'
        argv = ("sh", "-c", script, "sh", self.base(number))
        return self.machines.run(number, *argv, code=None).stdout.decode()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("fleet"), 3) as machines:
        yield machines


@pytest.fixture
def cluster(rigger, fleet):
    one = Cluster(rigger, fleet)
    yield one
    for number in range(1, 4):
        fleet.restore(number)
    if os.path.isdir(one.path):
        rigger("destroy", "-y", code=None)
    for number in range(1, 4):
        assert one.left(number) == ""


def nobody(cluster):
    """Return an address where no sshd is."""
    return str(cluster.machines.network[14]) if cluster.machines.namespaces else "127.255.255.254:9"


@pytest.mark.slow
def test_machines_are_looked_at_prepared_checked_and_cleared(cluster):
    cluster.configure()
    said = cluster.provision().out
    for machine in cluster.machines.machines:
        assert machine.address in said
    assert said.count("x86_64") == 3 or os.uname().machine != "x86_64"
    assert cluster.names() == ["node-1", "node-2", "node-3"]
    for node, machine in zip(cluster.nodes(), cluster.machines.machines, strict=True):
        assert node["private_address"] == node["address"] == machine.address
        port = {} if machine.port == 22 else {"port": machine.port}
        assert node["ssh"] == {"user": cluster.machines.user, "key": cluster.machines.key, **port}
    assert cluster.marker(2) == {
        "environment": cluster.id,
        "name": "node-2",
        "root": "self" if cluster.machines.namespaces else "no",
    }
    cluster.rigger("check")
    cluster.machines.run(3, "rm", f"{cluster.folder(3)}/machine")
    assert "node-3" in cluster.rigger("check", code=5).out
    cluster.provision()
    cluster.rigger("destroy", "-y")
    assert [cluster.left(number) for number in (1, 2, 3)] == ["", "", ""]
    cluster.rigger("destroy", "-y")


@pytest.mark.slow
@only_with_namespaces
def test_every_unwell_machine_is_named_with_its_reason(cluster):
    first, second, third = cluster.machines.machines
    unheard = f"{first.address.rpartition('.')[0]}.{int(first.address.rpartition('.')[2]) + 8}"
    cluster.configure(addresses=f"{first.address}, nobody@{second.address}  {third.address}:7 {unheard}")
    said = cluster.refused()
    assert f"node-2 (nobody@{second.address}): it does not let nobody in with {cluster.machines.key}" in said
    assert f"node-3 (root@{third.address}:7): it refuses connections" in said
    assert f"node-4 (root@{unheard}): it cannot be reached: " in said
    assert said.count("machines: ") == 3
    assert cluster.nodes() == [] and cluster.left(1) == ""
    other = cluster.machines._new_key(f"other-{os.urandom(3).hex()}")
    cluster.configure(key=other, addresses=first.address)
    assert f"it does not let root in with {other}" in cluster.refused()


@pytest.mark.slow
def test_a_machine_that_create_never_reached_is_nothing_to_destroy(cluster, modules):
    hasty = os.path.join(modules.folder, "providers", "ssh")
    shutil.copytree(PROVIDER, hasty)
    modules.script(hasty, "install", "exit 0")
    cluster.configure(addresses=f"{cluster.addresses(1)} {nobody(cluster)}")
    assert f"node-2 ({cluster.machines.user}@{nobody(cluster)}): it" in cluster.provision(code=5).out
    assert cluster.marker(1)
    cluster.rigger("destroy", "-y")


@pytest.mark.slow
def test_before_any_is_prepared_check_looks_at_those_that_are_asked_for(cluster):
    deaf = f"{cluster.machines[1].address}:9"
    cluster.configure(addresses=f"{cluster.addresses(1)} {deaf}")
    said = cluster.rigger("run", "provider/ssh/check", "-v", code=5).out
    assert f"node-2 ({cluster.machines.user}@{deaf}): it refuses connections" in said
    assert "1 of 2 machines is unwell: node-2; no machine is prepared before all are well" in said
    cluster.set(f"SSH_MACHINES={cluster.addresses(1)}")
    said = cluster.rigger("run", "provider/ssh/check", "-v", code=5).out
    assert "no machine is prepared yet, but all that are asked for can be reached: node-1" in said
    assert "rigger provision prepares them" in said and cluster.left(1) == ""


@pytest.mark.slow
@only_with_namespaces
def test_a_name_that_nobody_knows(cluster):
    cluster.configure(addresses="no-such-machine.invalid")
    # Without any network, so that nobody is asked for the name.
    cluster.rigger.argv = ["unshare", "--net", *cluster.rigger.argv]
    found = [
        f["detail"]
        for f in json.loads(cluster.rigger("doctor", "-o", "json", code=4).out)["findings"]
        if not f["good"]
    ]
    assert found == ["node-1 (root@no-such-machine.invalid): there is no machine of that name"]
    said = cluster.refused()
    cluster.rigger.argv = cluster.rigger.argv[2:]
    assert "node-1 (root@no-such-machine.invalid): there is no machine of that name" in said
    assert cluster.nodes() == []


@pytest.mark.slow
@only_with_namespaces
def test_a_machine_of_another_environment_is_refused(cluster):
    cluster.configure()
    cluster.machines.run(2, "mkdir", "-p", "/var/lib/rigger/0123456789")
    cluster.machines.write(
        2, "/var/lib/rigger/0123456789/machine", "environment 0123456789\nname node-1\nroot self\n"
    )
    said = cluster.refused()
    assert "node-2 (root@" in said and "/var/lib/rigger/0123456789 is there" in said
    assert said.count("machines: ") == 1
    # The other one came after the look at it: create notices, too, and touches nothing of it.
    cluster.machines.run(2, "mv", "/var/lib/rigger/0123456789", "/root/kept")
    cluster.provision()
    cluster.machines.run(2, "rm", "-r", f"/var/lib/rigger/{cluster.id}")
    cluster.machines.run(2, "mv", "/root/kept", "/var/lib/rigger/0123456789")
    assert "belongs to another environment" in cluster.provision("--again", code=5).out
    cluster.rigger("destroy", "-y")
    assert cluster.machines.run(2, "cat", "/var/lib/rigger/0123456789/machine").stdout
    cluster.machines.run(2, "rm", "-r", "/var/lib/rigger")


@pytest.mark.slow
@only_with_namespaces
def test_the_same_machine_twice_is_refused(cluster):
    first = cluster.machines[1]
    alias = f"{first.address.rpartition('.')[0]}.{int(first.address.rpartition('.')[2]) + 9}"
    cluster.machines.run(1, "ip", "address", "add", f"{alias}/28", "dev", "eth0")
    try:
        cluster.configure(addresses=f"{first.address} {alias}")
        assert "this is node-1 already" in cluster.provision(code=5).out.replace(
            "this is node-2", "this is node-1"
        )
        cluster.rigger("destroy", "-y", code=None)
        assert cluster.left(1) == ""
    finally:
        cluster.machines.run(1, "ip", "address", "delete", f"{alias}/28", "dev", "eth0")


@pytest.mark.slow
def test_machines_keep_their_names_when_others_come_and_go(cluster):
    cluster.configure("NODES=2")
    cluster.provision()
    assert cluster.names() == ["node-1", "node-2"] and cluster.left(3) == ""
    cluster.rigger("config", "unset", "NODES")
    cluster.provision()
    assert cluster.names() == ["node-1", "node-2", "node-3"]
    # Out of the middle of the list.
    cluster.set(f"SSH_MACHINES={cluster.addresses(1, 3)}")
    said = cluster.provision()
    assert "1 machine will be removed with all its data: node-2" in said.out
    assert cluster.names() == ["node-1", "node-3"] and cluster.left(2) == ""
    assert cluster.marker(3)["name"] == "node-3"
    cluster.set(f"SSH_MACHINES={cluster.addresses(3, 1, 2)}", "NODES=1")
    cluster.provision()
    assert cluster.names() == ["node-3"] and cluster.left(1) == ""
    said = cluster.set("NODES=4", code=2).err
    assert "NODES is 4, but SSH_MACHINES names 3 machines" in said


@pytest.mark.slow
def test_a_machine_that_is_cut_off_is_named_and_nothing_is_lost(cluster):
    cluster.configure()
    cluster.provision()
    cluster.machines.cut(2)
    try:
        said = cluster.rigger("check", code=5)
        assert f"node-2 ({cluster.where(2)}): it cannot be reached" in said.out + said.err
        assert "1 of 3 machines is unwell: node-2" in said.out + said.err
        said = cluster.provision("--again", code=5).out
        assert "1 of 3 machines is unwell: node-2" in said
        # It leaves, out of reach: that is said, and what is on it is not forgotten.
        cluster.set(f"SSH_MACHINES={cluster.addresses(1, 3)}")
        assert "node-2" in cluster.provision().out and cluster.names() == ["node-1", "node-3"]
        said = cluster.rigger("destroy", "-y", code=5)
        assert f"node-2 ({cluster.where(2)})" in said.err and "delete its line in" in said.out
        assert "machine node-1" not in said.err
        assert cluster.left(1) == "" and cluster.left(3) == ""
    finally:
        cluster.machines.restore(2)
    assert cluster.left(2) != ""
    cluster.rigger("destroy", "-y")
    assert cluster.left(2) == ""


@pytest.mark.slow
@only_with_namespaces
def test_a_disk_that_is_full_and_a_clock_that_is_wrong(cluster):
    cluster.configure()
    cluster.machines.run(1, "mkdir", "-p", "/var/lib/rigger")
    cluster.machines.run(1, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/var/lib/rigger")
    # A stand-in for a clock that is wrong: the machines share the kernel's.
    cluster.machines.write(3, "/usr/local/bin/date", "#!/bin/sh\necho $(($(/bin/date +%s) - 600))\n", 0o755)
    try:
        said = cluster.refused()
        assert "its disk is full: 1 MiB are free at /var/lib/rigger, and 256 are needed" in said
        assert (
            "its clock is 600 s slow" in said
            or "its clock is 599 s slow" in said
            or "its clock is 601 s" in said
        )
        assert said.count("machines: ") == 2
    finally:
        cluster.machines.run(1, "umount", "/var/lib/rigger")
        cluster.machines.run(1, "rmdir", "/var/lib/rigger")
        cluster.machines.run(3, "rm", "/usr/local/bin/date")
    cluster.provision()
    cluster.machines.run(2, "mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", cluster.folder(2))
    cluster.machines.write(
        2, f"{cluster.folder(2)}/machine", f"environment {cluster.id}\nname node-2\nroot self\n"
    )
    cluster.machines.run(2, "dd", "if=/dev/zero", f"of={cluster.folder(2)}/fill", "bs=1k", code=None)
    try:
        said = cluster.rigger("check", code=5)
        assert "node-2" in said.out + said.err and "is its disk full?" in said.out + said.err
    finally:
        cluster.machines.run(2, "umount", cluster.folder(2))


@pytest.mark.slow
def test_a_host_key_that_changed_is_refused(cluster):
    cluster.configure()
    cluster.provision()
    cluster.machines.new_host_key(3)
    said = cluster.rigger("check", code=5)
    assert "node-3" in said.out + said.err and "the host key of node-3 changed" in said.out + said.err
    assert "rigger ssh --forget node-3" in said.out + said.err
    cluster.rigger("ssh", "--forget", "node-3")
    cluster.rigger("check")


@pytest.mark.slow
@only_with_namespaces
def test_machines_from_a_file_and_from_ssh_config(cluster, tmp_path):
    first, second, third = cluster.machines.machines
    listing = tmp_path / "machines.txt"
    listing.write_text(f"# the rack\n{first.address}  # below\n\n{second.address}:22\n")
    cluster.configure(addresses=f"@{listing}")
    cluster.provision()
    assert [node["address"] for node in cluster.nodes()] == [first.address, second.address]
    included = tmp_path / "more.conf"
    included.write_text(
        f"Host web-2\n  HostName {second.address}\nHost db-1 web-3\n  HostName {third.address}\n"
    )
    cluster.ssh_config(
        f"Include {included}\nHost web-1\n  HostName={first.address}\n  User root\n"
        f"  IdentityFile {cluster.machines.key}\nHost web-*\n  Port 22\nHost *\n  Compression no\n"
    )
    cluster.configure(addresses="web-*")
    cluster.provision()
    assert [node["address"] for node in cluster.nodes()] == [second.address, third.address, first.address]
    assert cluster.names() == ["node-2", "node-3", "node-1"]


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ("198.51.100.1 [2001:db8::1", "'[2001:db8::1' is no address"),
        ("2001:db8::1:70000", "'2001:db8::1:70000' is no IPv6 address; with a port it is in []"),
        ("[2001:db8::1]:0", "is no address"),
        ("@relative", "the list of machines "),
        ("10.0.0.1 -oProxyCommand=x", "'-oProxyCommand=x' is no address"),
        ("10.0.0.1:70000", "is no address"),
        ("a@b@", "is no address"),
        ("10.0.0.1,10.0.0.1", "10.0.0.1 is named twice"),
        ("@/nowhere/machines", "the list of machines /nowhere/machines cannot be read: No such file"),
        ("web-*", "no Host in"),
        (",", "no machine is named"),
        ("$(touch canary)", "is no address"),
    ],
)
def test_a_list_that_is_none_is_refused_at_once(private_home, addresses, sentence):
    done = machines_program("check", private_home, SSH_MACHINES=addresses)
    assert done.returncode == 1 and sentence in done.stderr and done.stderr.count("\n") == 1
    assert not os.path.exists(private_home / "canary")


def test_a_wrong_answer_is_told_with_its_name(cluster):
    said = cluster.configure(addresses="198.51.100.1 oops!", code=2).err
    assert "SSH_MACHINES was not accepted: 'oops!' is no address; it is [user@]host[:port]" in said


def machines_program(verb, home, **answers):
    """Run lib/machines.py as the scripts do."""
    argv = [sys.executable, os.path.join(PROVIDER, "lib", "machines.py"), verb]
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **answers}
    return subprocess.run(argv, env=env, cwd=home, capture_output=True, text=True, timeout=60)


def write_ssh_config(home, text, name="config"):
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    (home / ".ssh" / name).write_text(text)


def rows(home, **answers):
    """Return what is understood: address, user, port, key, jump hosts and ssh's name of each machine, empty where `-`."""
    done = machines_program("wanted", home, **answers)
    assert done.returncode == 0, done.stderr
    fields = [line.split("\t") for line in done.stdout.splitlines()]
    return [tuple("" if v == "-" else v for v in (f[1], *f[4:])) for f in fields]


@pytest.mark.parametrize(
    ("entry", "address", "user", "port"),
    [
        ("198.51.100.7", "198.51.100.7", "root", ""),
        ("ada@198.51.100.7:2222", "198.51.100.7", "ada", "2222"),
        ("rack-7.example.net", "rack-7.example.net", "root", ""),
        ("ada@example.net@198.51.100.7", "198.51.100.7", "ada@example.net", ""),
        ("2001:db8::7", "2001:db8::7", "root", ""),
        ("[2001:db8::7]", "2001:db8::7", "root", ""),
        ("ada@[2001:db8::7]:2222", "2001:db8::7", "ada", "2222"),
    ],
)
def test_how_an_address_is_read(private_home, entry, address, user, port):
    assert rows(private_home, SSH_MACHINES=entry, SSH_USER="root", SSH_KEY="/k", SSH_JUMP="j@h:7") == [
        (address, user, port, "/k", "j@h:7", "")
    ]


def test_lists_files_and_patterns(private_home):
    (private_home / "rack").write_text(
        "198.51.100.7  # below\n\n# nobody\nada@198.51.100.8:7, 198.51.100.9\n"
    )
    named = ["198.51.100.7", "198.51.100.8", "198.51.100.9"]
    for text in ("@rack", "./rack", "~/rack", "@~/rack", f"@{private_home}/rack"):
        assert [row[0] for row in rows(private_home, SSH_MACHINES=text)] == named
    assert [row[0] for row in rows(private_home, SSH_MACHINES=", ".join(named), NODES="2")] == named[:2]
    write_ssh_config(
        private_home, "Host web-2\n HostName 198.51.100.8\n ProxyJump eve@198.51.100.1:7\n", "more"
    )
    write_ssh_config(
        private_home,
        "Include more absent-*\nHost web-1 !web-9\n  HostName=198.51.100.7\n  User ada\n  Port 7\nHost web-*\n User eve\n"
        "Host db\n HostName 198.51.100.9\n",
    )
    assert rows(private_home, SSH_MACHINES="web-? db", SSH_USER="root") == [
        ("198.51.100.8", "", "", "", "", "web-2"),
        ("198.51.100.7", "", "", "", "", "web-1"),
        ("198.51.100.9", "root", "", "", "", "db"),
    ]


def test_what_the_settings_of_ssh_say_stays_theirs(private_home):
    """Patterns and Match hold for whatever is typed; what is typed comes first, and SSH_USER last."""
    write_ssh_config(
        private_home,
        "Match host 198.51.100.*\n Port 7\n User eve\nHost far\n HostName 198.51.100.9\n ProxyCommand nc %h %p\n"
        "Host inner\n ProxyJump a,b:7\n",
    )
    said = rows(
        private_home,
        SSH_MACHINES="198.51.100.7 ada@198.51.100.8:8 far inner other",
        **{"SSH_USER": "root", "SSH_KEY": "/k", "SSH_JUMP": "j"},
    )
    assert said == [
        ("198.51.100.7", "", "", "/k", "j", ""),
        ("198.51.100.8", "ada", "8", "/k", "j", ""),
        ("198.51.100.9", "root", "", "/k", "", "far"),
        ("inner", "root", "", "/k", "", ""),
        ("other", "root", "", "/k", "j", ""),
    ]
    done = machines_program("check", private_home, SSH_MACHINES="198.51.100.7 198.51.100.7:7")
    assert "198.51.100.7 is named twice" in done.stderr


def test_what_ssh_does_not_understand_is_said_of_the_file_that_a_person_wrote(private_home):
    write_ssh_config(private_home, "Host *\n NoSuchOption yes\n")
    done = machines_program("check", private_home, SSH_MACHINES="198.51.100.7")
    assert f"{private_home}/.ssh/config: line 2: Bad configuration option: nosuchoption" in done.stderr


def test_a_machine_keeps_its_name_whatever_it_is_called(private_home):
    """Also those that were made when rigger noted what the settings of ssh said."""
    state = private_home / "state"
    state.mkdir()
    (state / "made.tsv").write_text(
        "node-1\t198.51.100.7\t-\t0\tada\t7\t/k\t-\nnode-2\t198.51.100.8\t-\t0\troot\t22\t/k\t-\n"
        "node-3\t198.51.100.9\t-\t0\troot\t-\t/k\t-\tdb\nnode-4\t10.0.0.1\t-\t0\troot\t22\t/k\tada@gate:22\n"
    )
    write_ssh_config(
        private_home,
        "Host web-1\n HostName 198.51.100.7\n Port 7\nHost db\n HostName 198.51.100.99\nHost deep\n HostName 10.0.0.1\n"
        " ProxyJump ada@gate:22\n",
    )
    answers = {"SSH_MACHINES": "new db 198.51.100.8 web-1 deep", "RIGGER_STATE_DIR": str(state)}
    done = machines_program("wanted", private_home, **answers)
    names = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert names == ["node-5", "node-3", "node-2", "node-1", "node-4"], done.stderr


@pytest.mark.slow
def test_a_person_is_asked_and_a_key_is_made(cluster, private_home):
    """The whole conversation, and the machines that come of it."""
    first, second = cluster.addresses(1), cluster.addresses(2)
    talk = Conversation(cluster.rigger, "--name", "iron", "--platform", "noop", "--version", "1.1.0")
    talk.sees("Where should the machines come from?").types("\x1b[B" * choice_of_ssh(cluster) + "\r")
    talk.sees("Which machines?").types(f"{first} oops!\r")
    talk.sees("'oops!' is no address").sees("Which machines?").types(f"{first} {second}\r")
    talk.goes(
        ("Which user logs in?", "\x1b[C" + "\x7f" * 4 + cluster.machines.user + "\r"),
        ("Which key opens them?", "\r"),
        ("Made an SSH key without a passphrase: ~/.ssh/rigger-ed25519", ""),
        ("May that user use sudo?", "\r"),
        ("Is this right?", "\r"),
    )
    talk.ends(0)
    key = private_home / ".ssh" / "rigger-ed25519"
    assert key.stat().st_mode & 0o777 == 0o600
    said = cluster.refused()
    assert f"in with {key}; have the public key put there: ssh-copy-id -i {key}.pub" in said
    assert said.count(cluster.where(2).partition(":")[0]) >= 2
    with open(f"{key}.pub") as file:
        added = file.read()
    for number in (1, 2):
        cluster.machines.admit(number, added)
    cluster.provision()
    assert [node["address"] for node in cluster.nodes()] == [m.address for m in cluster.machines.machines[:2]]
    cluster.rigger("doctor")


def choice_of_ssh(cluster):
    """Return how many choices `ssh` stands below the default in the wizard."""
    listed = json.loads(cluster.rigger("provider", "list", "-o", "json").out)["modules"]
    names = sorted({provider["name"] for provider in listed})
    return names.index("ssh") - names.index("local")


@pytest.mark.slow
def test_a_mistyped_address_costs_no_machine(cluster):
    cluster.configure()
    cluster.provision()
    before = cluster.marker(3)
    cluster.set(f"SSH_MACHINES={cluster.addresses(1, 2)} {nobody(cluster)}")
    said = cluster.provision(code=5).out
    assert "1 machine will be removed with all its data: node-3" in said
    assert "1 of 3 machines is unwell: node-4" in said and "providers/ssh/create" in said
    assert cluster.marker(3) == before and cluster.names() == ["node-1", "node-2", "node-3"]
    cluster.set(f"SSH_MACHINES={cluster.addresses(1, 2, 3)}")
    cluster.provision()
    cluster.rigger("check")
    cluster.rigger("destroy", "-y")


SUDO = """#!/bin/sh
# A stand-in for sudo -n: what it runs is root's, by way of a program that has the set-user-id bit.
[ "$1" = -n ] || exit 1
shift
exec /usr/local/lib/as-root "$@"
"""


# What sudo 1.8 and 1.9 say; the sentences of the provider.
SUDO_REFUSALS = {
    "sudo: a password is required": "sudo asks for a password there",
    "sudo: sorry, you must have a tty to run sudo": "sudo wants a terminal there",
    "ada is not in the sudoers file.": "sudo does not work there",
}


@pytest.mark.slow
@only_with_namespaces
def test_real_sudo_that_wants_a_password_or_a_terminal_is_told_from_one_that_works(cluster):
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    cluster.machines.run(1, "useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", "eve")
    try:
        with open(f"{cluster.machines.key}.pub") as file:
            cluster.machines.write(1, "/home/eve/.ssh/authorized_keys", file.read())
        cluster.machines.run(1, "chown", "-R", "eve:", "/home/eve/.ssh")
        cluster.configure("SSH_SUDO=passwordless", "SSH_USER=eve", addresses=cluster.machines[1].address)
        rules = {
            "eve ALL=(ALL) ALL\n": "sudo asks for a password there",
            "eve ALL=(ALL) NOPASSWD: ALL\nDefaults requiretty\n": "sudo wants a terminal there",
        }
        for rule, sentence in rules.items():
            cluster.machines.write(1, "/etc/sudoers.d/eve", rule, 0o440)
            assert sentence in cluster.refused()
        cluster.machines.write(1, "/etc/sudoers.d/eve", "eve ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        cluster.provision()
        assert cluster.marker(1)["root"] == "sudo"
        cluster.rigger("destroy", "-y")
    finally:
        cluster.machines.run(1, "rm", "-f", "/etc/sudoers.d/eve")
        cluster.machines.run(1, "userdel", "--remove", "--force", "eve", code=None)


@pytest.mark.slow
@only_with_namespaces
def test_a_user_with_sudo_gets_a_folder_of_the_machine(cluster):
    cluster.machines.run(1, "useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", "ada")
    with open(f"{cluster.machines.key}.pub") as file:
        cluster.machines.write(1, "/home/ada/.ssh/authorized_keys", file.read())
    cluster.machines.run(1, "chown", "-R", "ada:", "/home/ada/.ssh")
    cluster.machines.run(1, "cp", "/usr/bin/env", "/usr/local/lib/as-root")
    cluster.machines.run(1, "chmod", "4755", "/usr/local/lib/as-root")
    cluster.machines.write(1, "/usr/local/bin/sudo", SUDO, 0o755)
    cluster.configure("SSH_SUDO=passwordless", "SSH_USER=ada", addresses=cluster.machines[1].address)
    cluster.provision()
    assert cluster.marker(1) == {"environment": cluster.id, "name": "node-1", "root": "sudo"}
    owner = cluster.machines.run(1, "stat", "-c", "%U %a", "/var/lib/rigger", cluster.folder(1)).stdout
    assert owner == b"root 755\nada 700\n"
    cluster.rigger("check")
    cluster.rigger("destroy", "-y")
    assert cluster.left(1) == ""


@pytest.mark.slow
@only_with_namespaces
def test_a_user_without_root_gets_a_folder_in_the_home(cluster):
    cluster.machines.run(2, "useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", "ada")
    try:
        with open(f"{cluster.machines.key}.pub") as file:
            cluster.machines.write(2, "/home/ada/.ssh/authorized_keys", file.read())
        cluster.machines.run(2, "chown", "-R", "ada:", "/home/ada/.ssh")
        cluster.configure(addresses=f"ada@{cluster.machines[2].address}")
        cluster.provision()
        folder = f"/home/ada/.local/share/rigger/{cluster.id}"
        said = cluster.machines.run(2, "cat", f"{folder}/machine").stdout.decode()
        assert "root no\n" in said
        # Why sudo does not work is said before anything is put anywhere.
        cluster.set("SSH_SUDO=passwordless")
        for says, sentence in SUDO_REFUSALS.items():
            script = f"#!/bin/sh\necho \"$LECTURE\" >&2; echo '{says}' >&2\nexit 1\n"
            cluster.machines.write(2, "/usr/local/bin/sudo", script, 0o755)
            said = cluster.provision("--again", code=5).out
            assert sentence in said and says in said
        cluster.machines.run(2, "rm", "/usr/local/bin/sudo")
        if not shutil.which("sudo"):
            assert "there is no sudo; install it" in cluster.provision("--again", code=5).out
        cluster.rigger("destroy", "-y")
        assert cluster.machines.run(2, "ls", folder, code=2)
        assert cluster.machines.run(2, "find", "/home/ada/.local/share", "-mindepth", "1").stdout == b""
    finally:
        cluster.machines.run(2, "userdel", "--remove", "--force", "ada", code=None)


@pytest.mark.slow
@only_with_namespaces
def test_through_a_jump_host(cluster):
    # The second machine lets in none but the first one.
    cluster.configure(f"SSH_JUMP=root@{cluster.machines[1].address}", addresses=cluster.machines[2].address)
    before = cluster.machines.logins(1)
    cluster.provision()
    assert cluster.nodes()[0]["ssh"]["jump"] == f"root@{cluster.machines[1].address}"
    assert cluster.machines.logins(1) > before
    assert f"Connection from {cluster.machines[1].address}" in cluster.machines.log(2)
    cluster.rigger("check")


@pytest.mark.slow
@only_with_namespaces
def test_a_key_is_made_where_there_is_none(cluster):
    said = cluster.rigger(
        *("configure", "--no-input", "--name", "iron", "--provider", "ssh", "--platform", "noop"),
        *("--set", f"SSH_MACHINES={cluster.machines[1].address}"),
    )
    key = cluster.rigger("config", "get", "SSH_KEY").out.strip()
    assert os.stat(key).st_mode & 0o777 == 0o600, said
    said = cluster.refused()
    assert f"it does not let root in with {key}" in said and "ssh-copy-id" in said


@pytest.mark.slow
@only_with_namespaces
def test_only_what_the_marker_names_is_removed(cluster):
    cluster.configure()
    cluster.provision()
    cluster.machines.run(1, "mkdir", "-p", "/var/lib/rigger/abcdefabcd/precious")
    cluster.machines.write(
        2, f"{cluster.folder(2)}/machine", f"environment {cluster.id}\nname node-7\nroot self\n"
    )
    cluster.machines.run(
        3, "sh", "-c", 'mv "$1" /root/real && ln -s /root/real "$1"', "sh", cluster.folder(3)
    )
    said = cluster.rigger("destroy", "-y", code=5)
    assert "says that this is node-7" in said.out + said.err and "is a link" in said.out + said.err
    assert cluster.machines.run(1, "ls", "/var/lib/rigger").stdout == b"abcdefabcd\n"
    assert cluster.machines.run(3, "ls", "/root/real").stdout == b"claim\nmachine\n"
    cluster.machines.run(1, "rm", "-r", "/var/lib/rigger")
    cluster.machines.run(2, "rm", "-r", "/var/lib/rigger")
    cluster.machines.run(3, "rm", "-r", "/var/lib/rigger", "/root/real")
    cluster.rigger("destroy", "-y")


@pytest.mark.slow
@only_with_namespaces
def test_destroy_ends_what_runs_in_the_folder_and_nothing_else(cluster):
    cluster.configure(addresses=cluster.machines[1].address)
    cluster.provision()
    folder = cluster.folder(1)
    script = 'mkdir "$1/x" && cp /bin/sleep "$1/x/" && echo "while :; do sleep 1; done" >"$1/x/loop"'
    cluster.machines.run(1, "sh", "-c", script, "sh", folder)
    unit = f"/etc/systemd/system/rigger-{cluster.id}-some.service"
    cluster.machines.write(1, unit, "[Service]\nExecStart=/bin/true\n")
    start = '(setsid "$1/x/sleep" 300 & setsid sh "$1/x/loop" & setsid tail -f "$1/machine" & setsid sleep 321 &) >/dev/null 2>&1 </dev/null'
    cluster.machines.run(1, "sh", "-c", start, "sh", folder)
    cluster.rigger("destroy", "-y")
    said = cluster.machines.run(
        1, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", code=None
    ).stdout.decode()
    assert "sleep 321" in said and "tail -f" in said and "x/sleep" not in said and "x/loop" not in said
    cluster.machines.run(1, "pkill", "-f", "^(sleep 321|tail -f /var/lib/rigger)", code=None)


@pytest.mark.slow
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(cluster):
    key = ("--set", f"SSH_KEY={cluster.machines.key}")
    words = ("--provider", "ssh", "--platform", "noop", *key)
    asked = same_answers(cluster.rigger, *words, typed={"SSH_MACHINES": cluster.addresses()})
    assert {"SSH_MACHINES", "SSH_USER", "SSH_SUDO"} <= {*asked}

"""The provider `digitalocean`: a real Terraform, a stand-in for its plugin, and a small DigitalOcean on loopback."""

import contextlib
import email
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pexpect
import pytest
from helpers.clusters import wait_for
from helpers.conversations import CTRL_C, DOWN, ENTER, Conversation
from helpers.digitalocean_cloud import TOKEN, VERSION, Cloud, install_plugin
from helpers.machines import LOST_AFTER, Machines, only_with_namespaces
from helpers.same_answers import same_answers
from helpers.second_machine import elsewhere

from rigger.modules.search import folders
from rigger.terraform.workspace import LOCK_FILE

pytestmark = [
    pytest.mark.skipif(not shutil.which("terraform"), reason="there is no terraform on the PATH"),
    pytest.mark.skipif(
        sys.version_info < (3, 11), reason="the PyPI package tf, for stand-in plugins, needs 3.11"
    ),
]
POSTED = "/v2/droplets"
CTRL_U = "\x15"


def shipped():
    return folders("provider", os.devnull)["digitalocean"]


def take_stand_in(folder):
    """Copy the provider, and take from its lock file that only DigitalOcean's own plugin may be installed."""
    copied = os.path.join(folder, "digitalocean")
    shutil.copytree(shipped(), copied)
    path = os.path.join(copied, LOCK_FILE)
    with open(path) as file:
        lock = file.read()
    with open(path, "w") as file:
        file.write(re.sub(r"  hashes = \[.*?\]\n", "", lock, flags=re.DOTALL))
    return folder


class Ocean:
    """The environment `reef` on a small DigitalOcean, driven by the real program."""

    def __init__(self, rigger, tmp_path, cloud):
        self.rigger = rigger
        self.cloud = cloud
        self.path = rigger.path("environments", "reef")
        self.key = str(tmp_path / "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        others = rigger.env.get("RIGGER_PROVIDER_PATH")
        mine = take_stand_in(str(tmp_path / "with-stand-in"))
        rigger.env.update(
            RIGGER_PROVIDER_PATH=f"{mine}:{others}" if others else mine,
            TF_CLI_CONFIG_FILE=install_plugin(str(tmp_path)),
            DIGITALOCEAN_API_URL=cloud.url,
            DIGITALOCEAN_HTTP_RETRY_WAIT_MIN="0.1",
            RIGGER_SSH_TIMEOUT=LOST_AFTER,
            RIGGER_RETRY_PAUSE="0",
            RIGGER_READY_TIMEOUT="0",  # nobody can log in at what stands for a droplet
        )

    def configure(self, *values, platform="noop", code=0, token=TOKEN):
        sshd = () if platform == "etcd" else (f"SSH_PORT={self.cloud.ssh_port}",)
        wall = (
            ()
            if any(value.startswith("SSH_FROM=") for value in values)
            else ("PLATFORM_FROM=198.51.100.0/24",)
        )
        mine = (f"SSH_KEY={self.key}", *wall, *sshd, *values)
        flags = [word for value in mine for word in ("--set", value)]
        return self.rigger(
            *(
                "configure",
                "--no-input",
                "--name",
                "reef",
                "--provider",
                "digitalocean",
                "--platform",
                platform,
            ),
            *flags,
            env={"DIGITALOCEAN_ACCESS_TOKEN": token},
            code=code,
        )

    def run(self, *arguments, code=0):
        said = self.rigger(*arguments, code=code)
        return said.out + said.err

    def provision(self, *arguments, code=0):
        return self.run("provision", "-y", "-v", *arguments, code=code)

    def scale(self, nodes, code=0):
        self.run("config", "set", f"NODES={nodes}")
        return self.provision(code=code)

    def destroy(self):
        """Destroy the cluster, and see that the cloud is as it was in the beginning."""
        said = self.run("destroy", "-y", "-v")
        assert self.cloud.leftovers() == {}
        return said

    def nodes(self):
        with open(os.path.join(self.path, "inventory.json")) as file:
            return json.load(file)

    def value(self, name):
        return self.run("config", "get", name).strip()

    @property
    def name(self):
        return f"rigger-{self.value('NOOP_ID')}"

    def logs(self):
        """Return all that was ever written down about runs."""
        found = ""
        for folder, _, files in os.walk(self.path):
            for name in files:
                if name.endswith((".log", ".jsonl", ".tfstate", ".good", ".json")) or name == "vars":
                    with open(os.path.join(folder, name), errors="replace") as file:
                        found += file.read()
        return found


class Terminal(Conversation):
    """Any command of rigger on a terminal, and a person in front of it."""

    def __init__(self, ocean, *words):
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "rigger", *words],
            env=ocean.rigger.env,
            cwd=ocean.rigger.folder,
            dimensions=(45, 160),
            timeout=120,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.child.delaybeforesend = None
        self.heard = b""

    def sees(self, *texts):
        for text in texts:
            super().sees(text)
        return self


def typed(ocean, *words, answers=(), code=0):
    """Type a command on a terminal, answer what it asks, and return what it showed."""
    return Terminal(ocean, *words).goes(*answers).ends(code).decode()


@pytest.fixture
def cloud():
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def ocean(rigger, tmp_path, cloud):
    return Ocean(rigger, tmp_path, cloud)


# What is asked


@pytest.mark.slow
def test_a_first_conversation(ocean, cloud, private_home):
    folder = private_home / ".ssh"
    folder.mkdir(mode=0o700)
    for name in (ocean.key, f"{ocean.key}.pub"):
        shutil.copy(name, folder / os.path.basename(name))
    talk = Conversation(
        ocean.rigger, "--name", "reef", "--platform", "noop", "--provider", "digitalocean", size=(45, 120)
    )
    talk.goes(("Which version of noop?", ENTER), ("Which type of cluster?", ENTER))
    talk.goes(
        ("Which API token?", "dop_v1_wrong" + ENTER), ("does not accept the token (401: Unable", CTRL_U)
    )
    talk.types(TOKEN + ENTER)
    talk.goes(("Which SSH key?", ENTER), ("upload it: the account lacks it", ENTER))
    talk.goes(("nyc3 New York 3", DOWN), ("fra1 Frankfurt 1", ENTER), ("How many droplets?", ENTER))
    talk.sees("s-1vcpu-2gb $12 a month: 1 vCPU, 2 GiB, 50 GB of disk").types(ENTER)
    talk.sees("default-fra1 (10.108.0.0/20), the default").types(ENTER)
    talk.goes(("load balancer?", ENTER), ("How large a volume", ENTER))
    talk.sees("nip.io answers for").sees("example.net a domain of the account").types(ENTER)
    talk.goes(("Who may reach ssh?", ENTER), ("what the platform publishes?", "203.0.113.0/24" + ENTER))
    talk.goes(("Is this right?", ENTER))
    heard = talk.ends(0).decode()
    assert TOKEN not in heard and "dop_v1_wrong" not in heard
    assert "ams2" not in heard and "s-9vcpu-1tb" not in heard  # not to be had
    assert ocean.value("REGION") == "fra1" and ocean.value("SSH_KEY") == str(folder / "key")
    assert TOKEN not in (rigger_file(ocean, "vars") + ocean.logs())
    assert f'DIGITALOCEAN_TOKEN="{TOKEN}"' in rigger_file(ocean, "secrets")
    # Every list came in pages, and nothing but questions was asked.
    assert cloud.asked.count(("GET", "/v2/sizes")) >= 3 and {method for method, _ in cloud.asked} == {"GET"}


def rigger_file(ocean, name):
    with open(os.path.join(ocean.path, name)) as file:
        return file.read()


@pytest.mark.slow
def test_what_cannot_be_is_refused(ocean, cloud):
    said = ocean.configure(token="dop_v1_wrong", code=2)
    assert "DigitalOcean does not accept the token (401: Unable to authenticate you)" in said.err
    assert "dop_v1_wrong" not in said.out + said.err
    cloud.fail("GET", "/v2/account", 503, times=2)  # a server that recovers is asked again
    assert "must be one of nyc3, fra1, not 'ams2'" in ocean.configure("REGION=ams2", code=2).err
    said = ocean.configure("REGION=nyc3", "SIZE=s-2vcpu-4gb", code=2)
    assert "SIZE must be one of s-1vcpu-1gb, s-1vcpu-2gb, s-4vcpu-8gb, not 's-2vcpu-4gb'" in said.err
    assert "'300.1.2.3/8' does not appear to be" in ocean.configure("SSH_FROM=300.1.2.3/8", code=2).err
    # The whole world may try to reach ssh; for what asks for no password, somebody has to say so.
    assert "--set PLATFORM_FROM=" in ocean.configure("SSH_FROM=0.0.0.0/0", code=2).err


@pytest.mark.slow
def test_a_key_that_the_account_has_is_used(ocean, cloud):
    public = open(f"{ocean.key}.pub").read()
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-E", "md5", "-f", f"{ocean.key}.pub"], capture_output=True, check=True
    ).stdout.decode()
    fingerprint = fingerprint.split()[1].removeprefix("MD5:")
    cloud.answer("POST", "/v2/account/keys", {}, {"name": "ada's", "public_key": public})
    cloud.beginning = cloud.snapshot()
    ocean.configure("NODES=1")
    assert ocean.value("SSH_KEY_IN_ACCOUNT") == fingerprint
    ocean.provision()
    assert len(cloud.things["keys"]) == 1
    ocean.destroy()
    assert len(cloud.things["keys"]) == 1  # it was not ours


@pytest.mark.slow
def test_only_digitaloceans_own_plugin_is_installed(ocean, cloud):
    del ocean.rigger.env["RIGGER_PROVIDER_PATH"]
    ocean.configure("NODES=1")
    said = ocean.provision(code=5)
    assert f"digitalocean/digitalocean v{VERSION}" in " ".join(said.split())
    assert "match any of the checksums" in " ".join(said.replace("│", " ").split())
    assert cloud.created == []
    ocean.destroy()


# The life of a cluster


@pytest.mark.slow
@only_with_namespaces  # machines of another kind have no port in common
def test_a_whole_life_with_etcd(rigger, tmp_path, etcd_cache):
    with Machines(tmp_path, 5) as machines, Cloud(lambda number: machines[number].address) as cloud:
        ocean = Ocean(rigger, tmp_path, cloud)
        ocean.key = machines.key
        os.makedirs(rigger.home, mode=0o700, exist_ok=True)
        os.makedirs(etcd_cache, exist_ok=True)
        os.symlink(etcd_cache, rigger.path("cache"))
        ocean.configure("LOAD_BALANCER=true", "VOLUME_SIZE=10", "DNS_ZONE=example.net", platform="etcd")
        ocean.run("config", "set", "VERSION=3.5.1")
        live(ocean, cloud)


def live(ocean, cloud):
    terminal = Terminal(ocean, "provision", "-y")
    terminal.sees("digitalocean install", "digitalocean create", "etcd deploy").ends(0)
    machines = ["node-1", "node-2", "node-3"]
    assert [node["name"] for node in ocean.nodes()] == members(ocean) == machines
    assert ocean.value("DOMAIN") == "reef.example.net"
    assert ocean.value("DEISCTL_TUNNEL") == ocean.nodes()[0]["address"]
    assert sorted(r["name"] for r in cloud.records["example.net"].values()) == ["*.reef", "reef"]
    walls = [rule["ports"] for wall in cloud.things["firewalls"].values() for rule in wall["inbound_rules"]]
    assert walls.count("2379") == 1 and walls.count("22") == 1
    [balancer] = cloud.things["load_balancers"].values()
    assert [rule["entry_port"] for rule in balancer["forwarding_rules"]] == [2379]
    project = next(p for p in cloud.things["projects"].values() if p["name"].startswith("rigger-"))
    assert len(cloud.project_resources[project["id"]]) == 3 + 3 + 1
    assert "#cloud-config\nhostname: node-2\n" in cloud.droplet("node-2")["_user_data"]
    typed(ocean, "test", "smoke")
    typed(ocean, "config", "set", "NODES=5")
    typed(ocean, "provision")
    assert members(ocean) == [f"node-{n}" for n in range(1, 6)] and len(cloud.droplets()) == 5
    before = {name: cloud.droplet(name)["id"] for name in machines}
    typed(ocean, "config", "set", "NODES=3")
    typed(
        ocean, "provision", answers=[("Continue, although what is named above will be lost?", "n")], code=10
    )
    assert len(members(ocean)) == len(cloud.droplets()) == 5
    typed(ocean, "provision", answers=[("Continue, although what is named above will be lost?", "y")])
    assert members(ocean) == machines and {name: cloud.droplet(name)["id"] for name in machines} == before
    assert TOKEN not in ocean.logs()
    # Somebody changes something by hand.
    cloud.droplet("node-2")["name"] = "renamed"
    assert "digitalocean_droplet.node[1]" in typed(ocean, "check", "-v", code=5)
    assert "digitalocean_droplet.node[1]" in typed(ocean, "audit", "-v", code=8)
    typed(ocean, "provision", "--again")
    typed(ocean, "check")
    said = typed(
        ocean, "suspend", "-v", answers=[("turned off; what is on them stays", ""), ("Suspend it?", "y")]
    )
    assert {droplet["status"] for droplet in cloud.things["droplets"].values()} == {"off"}
    assert "They cost what they cost before" in said
    typed(ocean, "resume", "-v")
    assert members(ocean) == machines
    typed(ocean, "check")
    typed(ocean, "destroy", answers=[("Type reef to destroy it", "reef" + ENTER)])
    assert cloud.leftovers() == {}


def members(ocean):
    endpoints = ",".join(f"http://{node['address']}:2379" for node in ocean.nodes())
    argv = [os.path.join(ocean.path, "bin", "etcdctl"), "--endpoints", endpoints, "member", "list"]
    said = subprocess.run(argv, capture_output=True, timeout=60).stdout.decode()
    return sorted(line.split(", ")[2] for line in said.splitlines())


@pytest.mark.slow
def test_what_is_answered_reaches_the_cloud(ocean, cloud):
    ocean.configure("NODES=1", "SSH_FROM=203.0.113.0/24", "SIZE=s-1vcpu-1gb", "SSH_USER=core")
    vpc = next(id for id, vpc in cloud.things["vpcs"].items() if vpc["name"] == "default-nyc3")
    ocean.run("config", "set", f"VPC={vpc}")
    ocean.provision()
    droplet = cloud.droplet("node-1")
    assert (droplet["vpc_uuid"], droplet["size_slug"]) == (vpc, "s-1vcpu-1gb")
    assert droplet["tags"] == [ocean.name]
    [wall] = cloud.things["firewalls"].values()
    ssh = next(rule for rule in wall["inbound_rules"] if rule["ports"] == str(cloud.ssh_port))
    assert ssh["sources"]["addresses"] == ["203.0.113.0/24"]
    assert ocean.value("PLATFORM_FROM") == "203.0.113.0/24"
    [node] = ocean.nodes()
    assert node["ssh"] == {"user": "core", "port": cloud.ssh_port, "key": ocean.key}
    assert ocean.value("DEISCTL_TUNNEL") == f"127.0.9.1:{cloud.ssh_port}"
    assert ocean.value("DOMAIN") == "127.0.9.1.nip.io"
    ocean.run("config", "set", "SIZE=s-4vcpu-8gb")
    ocean.provision()
    assert cloud.droplet("node-1")["id"] == droplet["id"]  # it was made larger, not made anew
    assert cloud.droplet("node-1")["size_slug"] == "s-4vcpu-8gb"
    ocean.destroy()
    assert vpc in cloud.things["vpcs"]


# Faults


class Arguments(threading.Thread):
    """Looks at the arguments of all processes, again and again."""

    def __enter__(self):
        self.seen, self.ends = set(), threading.Event()
        self.start()
        return self

    def __exit__(self, *exc):
        self.ends.set()
        self.join()

    def run(self):
        while not self.ends.wait(0.02):
            for name in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
                    self.seen.add(file.read())


@pytest.mark.slow
def test_throttling_is_waited_out(ocean, cloud):
    ocean.configure("NODES=2")
    cloud.fail("POST", "/v2/.*", 429, times=2)
    cloud.fail("GET", "/v2/droplets", 429)
    cloud.fail("POST", POSTED, "hang", seconds=1)
    with Arguments() as arguments:
        ocean.provision()
    assert len(cloud.droplets()) == 2
    assert any(b"\0apply\0" in words for words in arguments.seen)
    assert not any(TOKEN.encode() in words for words in arguments.seen)
    cloud.fail("DELETE", "/v2/droplets/[0-9]+", 429)
    ocean.destroy()


@pytest.mark.slow
def test_a_lost_answer_makes_no_second_droplet_unnoticed(ocean, cloud):
    ocean.configure("NODES=2")
    cloud.fail("POST", POSTED, "lose", after=1)
    said = ocean.provision(code=5)
    assert len(cloud.droplets()) == 3  # the plugin asked again, as the real one does
    lost = re.search(
        r"error: droplet (\S+) \((\d+)\) carries this environment's name, and Terraform does not", said
    )
    assert lost and lost[2] in cloud.things["droplets"]
    # No other one is made as long as that one is there.
    said = ocean.provision(code=5)
    assert f"({lost[2]}) carries this environment's name" in said and "Nothing was made." in said
    assert len(cloud.created) == 3
    assert f"({lost[2]})" in ocean.run("check", "-v", code=5)
    assert f"({lost[2]})" in ocean.run("audit", "-v", code=8)
    said = ocean.destroy()
    assert f"droplet {lost[1]} ({lost[2]}), which Terraform does not know of, is removed." in said


@pytest.mark.heavy
def test_what_was_lost_can_be_taken_in(ocean, cloud):
    ocean.configure("NODES=2")
    cloud.boot = 0.5
    cloud.fail("POST", POSTED, "lose", after=1)
    cloud.fail("POST", POSTED, 422, after=2)  # so the plugin gives up after the answer that it never got
    said = ocean.provision(code=5)
    assert len(cloud.droplets()) == 2
    [command] = re.findall(r"To keep it: rigger (terraform import '.*' \d+)", said)[:1]
    ocean.run(*command.replace("'", "").split())
    ocean.provision()
    assert len(cloud.created) == 2 and len(ocean.nodes()) == 2
    ocean.run("check")
    ocean.destroy()


TREE = "questions:\n  - {name: COLOUR, ask: Which colour?, default: green}\n"
USER_DATA = """#cloud-config
write_files:
  - {path: /etc/motd, content: "{{ COLOUR }} for {{ NODES }} ${HOME} %{ if true }"}
"""


@pytest.mark.slow
def test_a_platform_adds_to_the_user_data(modules, ocean, cloud):
    folder = modules.write("platform", "tree", TREE, deploy="true")
    with open(os.path.join(folder, "user-data.j2"), "w") as file:
        file.write(USER_DATA)
    ocean.configure("NODES=1", platform="tree")
    ocean.provision()
    parts = email.message_from_string(cloud.droplet("node-1")["_user_data"]).get_payload()
    assert [part.get_content_type() for part in parts] == ["text/cloud-config"] * 2
    assert parts[0].get_payload().startswith("#cloud-config\nhostname: node-1\n")
    assert 'content: "green for 1 ${HOME} %{ if true }"' in parts[1].get_payload()
    with open(os.path.join(folder, "user-data.j2"), "w") as file:
        file.write("#!/bin/sh\n" + "echo much\n" * 7000)
    said = ocean.provision("--again", code=5)
    assert re.search(r"user-data.j2 makes 70\d\d\d bytes of user-data; the provider takes \d+", said)
    assert len(cloud.created) == 1
    ocean.destroy()


@pytest.mark.heavy
def test_what_stays_is_named(ocean, cloud):
    ocean.configure("NODES=1", "VOLUME_SIZE=1")
    vpc = next(id for id, vpc in cloud.things["vpcs"].items() if vpc["name"] == "default-nyc3")
    ocean.run("config", "set", f"VPC={vpc}")
    ocean.provision()
    lost = {**cloud.droplet("node-1"), "name": f"{ocean.name}-node-9", "id": 77, "volume_ids": []}
    cloud.things["droplets"]["77"] = lost
    cloud.fail("DELETE", "/v2/droplets/77", 403, times=1000)
    said = ocean.run("destroy", "-y", "-v", code=5)
    assert f"droplet {ocean.name}-node-9 (77)" in said.partition("rigger:")[2], said
    cloud.faults.clear()
    ocean.destroy()


@pytest.fixture
def program(monkeypatch):
    """bin/cloud.py, as a module."""
    folder = os.path.join(shipped(), "bin")
    spec = importlib.util.spec_from_file_location("cloud_program", os.path.join(folder, "cloud.py"))
    program = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "cloud_program", program)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec.loader.exec_module(program)
    return program


def test_an_api_that_hangs_is_given_up(cloud, program, monkeypatch):
    monkeypatch.setattr(program, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(program, "pause", lambda seconds: None)
    cloud.fail("GET", "/v2/account", "hang", times=99, seconds=1)
    with pytest.raises(program.Problem, match=f"{cloud.url} does not answer: .*timed out"):
        program.Api(cloud.url, TOKEN).get("/v2/account")
    assert len(cloud.asked) == program.TRIES
    with pytest.raises(program.Problem, match="does not answer: .*[Rr]efused"):
        program.Api("http://127.0.0.1:9", TOKEN).get("/v2/account")


@pytest.mark.slow
def test_a_record_that_was_there_before_is_left_alone(ocean, cloud):
    record = {"type": "A", "name": "reef", "data": "192.0.2.1", "ttl": 60}
    cloud.answer("POST", "/v2/domains/example.net/records", {}, record)
    ocean.configure("NODES=1", "DNS_ZONE=example.net")
    assert "DNS record reef.example.net" in ocean.provision(code=5)
    assert cloud.created == []
    ocean.run("destroy", "-y")
    assert [r["data"] for r in cloud.records["example.net"].values()] == ["192.0.2.1"]


def kill_all(ocean, started):
    """Kill rigger and the step that it runs, with everything that the step started, at once and without mercy."""
    groups = {os.getpgid(pid) for pid in descendants(started.pid)}
    for group in groups - {os.getpgid(0), os.getpgid(started.pid)}:
        os.killpg(group, signal.SIGKILL)
    started.kill()
    started.communicate()


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:
        return []
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def went_on(ocean, cloud, started, way):
    """After a fault: go on or give up, as `way` says; in the end the cloud is as it was."""
    wait_for(lambda: ocean.rigger("status", code=None).code != 7)
    if way == "resume":
        said = ocean.provision(code=None)
        if "carries this environment's name" not in said:
            assert len(cloud.droplets()) == len(ocean.nodes()) == 3, said
            ocean.run("check")
    ocean.destroy()


heavy = pytest.mark.heavy
MOMENTS = [
    pytest.param("destroy", 1, 0.0, marks=heavy),
    ("resume", 2, 0.05),
    pytest.param("resume", 3, 0.3, marks=heavy),
]


@pytest.mark.slow
@pytest.mark.parametrize("way, droplets, later", MOMENTS)
def test_killed_in_the_middle(ocean, cloud, way, droplets, later):
    cloud.boot = 0.6
    ocean.configure("NODES=3")
    started = ocean.rigger.start("provision", "-y")
    wait_for(lambda: len(cloud.created) >= droplets or started.poll() is not None)
    time.sleep(later)
    kill_all(ocean, started)
    went_on(ocean, cloud, started, way)


@pytest.mark.heavy
@pytest.mark.parametrize("turn", range(16))
def test_killed_at_any_moment(ocean, cloud, turn):
    chance = random.Random(turn)
    cloud.boot = chance.choice([0, 0.3])
    ocean.configure("NODES=3", "VOLUME_SIZE=1", "LOAD_BALANCER=true", "DNS_ZONE=example.net")
    started = ocean.rigger.start("provision", "-y")
    posts = chance.randrange(1, 16)
    wait_for(
        lambda: sum(method == "POST" for method, _ in cloud.asked) >= posts or started.poll() is not None, 60
    )
    time.sleep(chance.random() * 0.2)
    kill_all(ocean, started)
    went_on(ocean, cloud, started, chance.choice(["resume", "destroy"]))


@pytest.mark.slow
@pytest.mark.parametrize("way", [pytest.param("resume", marks=heavy), "destroy"])
def test_ctrl_c_in_the_middle(ocean, cloud, way):
    cloud.boot = 1.5
    ocean.configure("NODES=3")
    terminal = Terminal(ocean, "provision", "-y", "-v")
    wait_for(lambda: len(cloud.created) == 3)
    terminal.child.send(CTRL_C)
    assert b"nterrupt" in terminal.ends(130)
    known = json.loads(rigger_file(ocean, "modules/digitalocean/terraform.tfstate"))
    made = [i for r in known["resources"] if r["type"] == "digitalocean_droplet" for i in r["instances"]]
    assert len(made) == 3  # nothing was forgotten
    cloud.boot = 0.0
    went_on(ocean, cloud, None, way)


def claim_of(cloud, name):
    project = next(p for p in cloud.things["projects"].values() if p["name"] == name)
    return json.loads(project["description"].partition("; claim ")[2])


def hand_over(giver, taker, folder):
    bundle, phrase = str(folder / f"{len(os.listdir(folder))}.rigger"), folder / "phrase"
    phrase.write_text("four plain words here\n")
    given = ("--passphrase-file", str(phrase))
    giver("save", "--with-secrets", *given, "-o", bundle)
    taker("configure", "--no-input", "--trust", *given, "--file", bundle)


@pytest.mark.slow
def test_a_record_that_is_behind_is_told_by_the_project_while_droplets_are_off(ocean, cloud, tmp_path):
    ocean.configure("NODES=2")
    ocean.provision()
    bob = elsewhere(ocean.rigger, tmp_path, "bob")
    hand_over(ocean.rigger, bob, tmp_path)
    ocean.run("suspend", "-y")
    for command in (("provision", "-y", "--again"), ("destroy", "-y")):
        assert 'continued with another one ("rigger suspend" at ' in bob(*command, code=8).err
    assert claim_of(cloud, ocean.name)["members"] == ["node-1", "node-2"]
    ocean.run("resume")
    ocean.run("check")  # and Terraform finds nothing to change
    hand_over(ocean.rigger, bob, tmp_path)
    ocean.destroy()
    assert "is gone from the tags of digitalocean" in bob("provision", "-y", "--again", code=8).err
    assert cloud.leftovers() == {}


def test_a_description_holds_how_far_a_record_had_got(program):
    claim = {name: "x" * 90 for name in ("version", "when", "command", "who", "path")}
    claim = {**claim, "serial": 12345, "head": "0123456789abcdef" * 4, "when": "2026-01-01T00:00:00Z"}
    for members in (["node-1"], [f"node-{n}" for n in range(99)]):
        text = program._described({**claim, "members": members})
        assert len(text) <= program.DESCRIPTION
        kept = json.loads(text.partition(program.CLAIM)[2])
        assert kept["serial"] == 12345 and kept["head"] == "0123456789abcdef01234567"


@pytest.mark.slow
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(ocean):
    words = ("--provider", "digitalocean", "--platform", "noop", "--set", f"SSH_KEY={ocean.key}")
    typed = {"DIGITALOCEAN_TOKEN": TOKEN, "PLATFORM_FROM": "203.0.113.0/24"}
    asked = same_answers(ocean.rigger, *words, typed=typed)
    assert {"DIGITALOCEAN_TOKEN", "REGION", "NODES", "SSH_FROM"} <= {*asked}

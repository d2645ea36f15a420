"""The shipped add-ons on machines of the provider `ssh`: real programs on real sshd servers, one cluster with all of them."""

import json
import os
import shutil
import subprocess
import urllib.request

import pytest
from conftest import ROOT
from helpers.clusters import wait_for
from helpers.etcd_on_machines import Etcd
from helpers.machines import Machines, namespaces_work

from rigger.offline import debian

pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PROGRAMS = ("prometheus", "prometheus-node-exporter", "haproxy")
PLACE = "/srv/debs"

pytestmark = [
    pytest.mark.slow,  # it has a cluster, and programs of a distribution
    pytest.mark.skipif(not shutil.which("apt-get"), reason="there is no apt-get"),
    pytest.mark.skipif(not namespaces_work(), reason="no machines of namespaces can be made here"),
]


def packages(folder):
    """Fetch what the programs need that is not installed here, nor therefore on the machines; return it as a tar file."""
    os.makedirs(folder)
    apt = ["apt-get", "-qq"]
    shown = subprocess.run(
        [*apt, "--simulate", "--no-install-recommends", "install", *PROGRAMS],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [line.split()[1] for line in shown.splitlines() if line.startswith("Inst ")]
    subprocess.run(["apt-get", "-qq", "download", *names], cwd=folder, check=True, capture_output=True)
    debian.write_index(folder)
    debian.write_sources(folder, PLACE)
    return subprocess.run(["tar", "-C", folder, "-cf", "-", "."], check=True, capture_output=True).stdout


def mirrored(machines, packed):
    """Let each machine's apt know these packages and no others: it has no way to any network."""
    script = (
        f"mkdir -p {PLACE} && cd {PLACE} && tar -xf - && chmod -R a+rX {PLACE} && rm -rf /etc/apt/sources.list.d && "
        f"cp {PLACE}/sources.list /etc/apt/sources.list && apt-get -qq update"
    )
    for number in range(1, len(machines.machines) + 1):
        machines.run(number, "sh", "-c", script, input=packed)


class Iron(Etcd):
    """A cluster of etcd with add-ons."""

    def add(self, name):
        self.rigger("module", "add", name, "--no-input")
        return self.rigger("provision", name, "-y").out

    def output(self, name):
        with open(os.path.join(self.path, "state.json")) as file:
            return json.load(file)["modules"][name]["output"]

    def place(self, number, name):
        return f"{self.base(number)}/{self.id}/{name}"

    def serving(self, number, text):
        """Return the processes of a machine whose command line has a text, as they are numbered there."""
        said = self.machines.run(number, "pgrep", "-f", "--", text, code=None).stdout.decode()
        return said.split()

    def killed_and_back(self, number, text):
        before = self.serving(number, text)
        assert before, f"nothing with {text} runs on machine {number}"
        self.machines.run(number, "kill", "-9", *before)
        wait_for(lambda: (now := self.serving(number, text)) and not {*now} & {*before})


@pytest.fixture
def iron(rigger, tmp_path, etcd_cache):
    with Machines(tmp_path, 4) as machines:
        mirrored(machines, packages(str(tmp_path / "debs")))
        one = Iron(rigger, machines, etcd_cache)
        one.configure("NODES=3", version="3.5.1")
        one.provision()
        yield one


def asked(url):
    with DIRECT.open(url, timeout=10) as answer:
        return answer.read().decode()


def test_the_life_of_all_of_them(iron, modules):
    rigger = iron.rigger
    assert "monitoring would gain 3 targets" in iron.add("monitoring")
    assert "The test of monitoring passed." in rigger("test", "monitoring").out
    iron.add("node-exporter")
    rigger("provision", "monitoring")
    rigger("test", "node-exporter")
    iron.add("proxy")
    rigger("provision", "monitoring")
    rigger("test", "monitoring")
    assert len(iron.output("monitoring")["targets"]) == 3 + 3 + 1
    assert "node_load1 " in asked(
        f"http://{iron.output('node-exporter')['metrics'][2]['targets'][0]}/metrics"
    )
    address = iron.output("proxy")["address"]
    etcdctl = [os.path.join(iron.path, "bin", "etcdctl"), "--endpoints", f"http://{address}"]
    assert subprocess.run([*etcdctl, "put", "a", "1"], capture_output=True, timeout=20).stdout == b"OK\n"
    rigger("check")

    _changed_by_hand(iron)
    _kept_running(iron)
    _grown(iron)
    _upgraded(iron, modules)

    said = rigger("backup", "monitoring").out
    [file] = [line.split()[-1] for line in said.splitlines() if "rigger restore monitoring" in line]
    rigger("restore", "monitoring", file, "-y")
    for name in ("node-exporter", "proxy", "monitoring"):
        rigger("module", "remove", name, "-y")
    for number in range(1, 5):
        left = iron.left(number)
        assert not any(name in left for name in ("monitoring", "proxy", "exporter", "programs")), left
    rigger("destroy", "-y")
    assert [iron.left(number) for number in range(1, 5)] == [""] * 4


def _changed_by_hand(iron):
    """What somebody wrote on a machine is found, and put right."""
    rigger = iron.rigger
    for name, file, said in (
        ("monitoring", "prometheus.yml", "prometheus.yml is another one"),
        ("proxy", "haproxy.cfg", "haproxy.cfg is another one"),
    ):
        rigger("audit", name)
        iron.machines.run(1, "sh", "-c", 'echo "# mine" >>"$1"', "sh", f"{iron.place(1, name)}/{file}")
        found = rigger("audit", name, code=8)
        assert said in found.out + found.err
        rigger("provision", name, "--again", "-y")
        rigger("audit", name)
    rigger("audit", "node-exporter")
    home = iron.machines[2].home
    iron.machines.run(2, "sh", "-c", f'echo --no-collector.zfs >>"{home}/rigger-node-exporter.arguments"')
    found = rigger("audit", "node-exporter", code=8).out
    assert "---no-collector.zfs" in found and "Write its arguments (node-2)" in found
    rigger("provision", "node-exporter", "--again", "-y")
    rigger("audit", "node-exporter")


def _kept_running(iron):
    for number, text in (
        (1, "--config.file=prometheus.yml"),
        (1, "haproxy.cfg"),
        (2, "node-exporter.arguments"),
    ):
        iron.killed_and_back(number, text)
    wait_for(lambda: iron.rigger("check", code=None).code == 0)


def _grown(iron):
    """One node more: each is told, and each follows when it is asked to."""
    rigger = iron.rigger
    rigger("config", "set", "NODES=4")
    said = rigger("provision", "-y").out
    assert "proxy would send to node-4 too" in said and "monitoring would gain" in said
    rigger("provision", "-y")
    rigger("provision", "-y")
    assert len(iron.output("monitoring")["targets"]) == 4 + 4 + 1
    for name in ("monitoring", "proxy", "node-exporter"):
        rigger("test", name)


def _upgraded(iron, modules):
    """A later version of each that has a script upgrade, in a place that is looked at first."""
    rigger = iron.rigger
    for name, text in (("monitoring", "--config.file=prometheus.yml"), ("proxy", "haproxy.cfg")):
        before = iron.serving(1, text)
        folder = os.path.join(modules.folder, "addons", name)
        shutil.copytree(os.path.join(ROOT, "rigger", "addons", name), folder)
        path = os.path.join(folder, "rigger.yml")
        with open(path) as file:
            text_of = file.read()
        with open(path, "w") as file:
            file.write(text_of.replace("\nversion: ", "\nversion: 9.", 1))
        said = rigger("upgrade", name, "-y").out
        assert f"{name} runs 9." in said
        assert not {*before} & {*iron.serving(1, text)}, (
            "another process of the program that was put there now"
        )
        rigger("test", name)
        assert "already" in rigger("upgrade", name, code=2).err

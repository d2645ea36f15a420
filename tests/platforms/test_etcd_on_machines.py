"""etcd on machines of the provider `ssh`: the same scripts as on `local`, over real sshd servers."""

import os
import threading
import time

import pytest
from helpers.clusters import wait_for
from helpers.etcd_on_machines import Etcd
from helpers.machines import Machines, only_with_namespaces


@pytest.fixture
def etcd(rigger, tmp_path, etcd_cache, request):
    with Machines(tmp_path, getattr(request, "param", 3)) as machines:
        yield Etcd(rigger, machines, etcd_cache)


@pytest.mark.slow
@pytest.mark.parametrize("etcd", [4], indirect=True)
def test_the_whole_life_of_a_cluster(etcd):
    etcd.configure("NODES=3")
    etcd.provision()
    assert etcd.members() == ["node-1", "node-2", "node-3"]
    assert all(
        f"http://{node['private_address']}:2380" in etcd.etcdctl("member", "list") for node in etcd.nodes()
    )
    etcd.rigger("test", "smoke")
    etcd.rigger("test", "app-deploy")
    # What is killed comes back by itself.
    before = etcd.member(2)
    etcd.machines.run(2, "kill", "-9", before)
    wait_for(lambda: etcd.member(2) != before and etcd.runs(2))
    wait_for(lambda: etcd.rigger("check", code=None).code == 0)
    assert "lost" in etcd.rigger("upgrade", "--version", "3.5.1", "--upgrade-style", "graceful").out
    assert etcd.etcdctl("endpoint", "status").count("3.5.1") == 3
    etcd.rigger("config", "set", "NODES=4")
    etcd.provision()
    assert etcd.members() == [f"node-{number}" for number in range(1, 5)]
    etcd.rigger("config", "set", "NODES=3")
    etcd.provision()
    assert etcd.members() == ["node-1", "node-2", "node-3"]
    assert etcd.left(4) == ""
    etcd.rigger("test", "app-test")
    etcd.rigger("destroy", "-y")
    assert [etcd.left(number) for number in range(1, 5)] == [""] * 4


class Writer:
    """Something that writes numbered keys through any member, and knows which were acknowledged."""

    def __init__(self, etcd):
        self.etcd = etcd
        self.acknowledged = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ends.set()
        self.thread.join()

    def _write(self):
        number = 0
        while not self.ends.is_set():
            number += 1
            if self.etcd.etcdctl("--command-timeout=2s", "put", f"written/{number}", str(number)) == "OK\n":
                self.acknowledged.append(number)

    def lost(self):
        there = set(self.etcd.etcdctl("get", "--prefix", "written/", "--keys-only").split())
        return [number for number in self.acknowledged if f"written/{number}" not in there]


def until(process, sign):
    """Read what a process says until there is a sign; return it all."""
    said = b""
    while sign not in said:
        block = os.read(process.stdout.fileno(), 65536)
        assert block, said.decode()
        said += block
    return said


def cut_off(etcd, process, number, said=b""):
    """Cut a machine off, and return what a command that fails for it says; the machine is back afterwards."""
    etcd.machines.cut(number)
    try:
        said = (said + process.communicate(timeout=200)[0]).decode()
        assert process.returncode == 5 and f"node-{number}" in said, said
        last = said[said.rindex("rigger: ") :]
        assert f"node-{number} could not be reached" in last, said
    finally:
        etcd.machines.restore(number)
    return said


@pytest.mark.slow
@pytest.mark.parametrize("etcd", [4], indirect=True)
def test_a_machine_is_cut_off_during_deploy_and_an_upgrade(etcd):
    etcd.configure("NODES=3")
    first = etcd.rigger.start("provision", "-y", "-v")
    until(first, b"Starting a new cluster")
    said = cut_off(etcd, first, 3)
    assert "platforms/etcd/deploy" in said and "node-3" in etcd.rigger("status").out
    etcd.provision()
    assert etcd.members() == ["node-1", "node-2", "node-3"]
    with Writer(etcd) as writer:
        wait_for(lambda: len(writer.acknowledged) > 5)
        upgrade = etcd.rigger.start("upgrade", "--version", "3.5.1", "--upgrade-style", "graceful", "-v")
        # In the middle: one member is on its way to the new version, another one is next.
        said = until(upgrade, b"Restarting")
        under_way = said.decode().rpartition("Restarting ")[2].split()[0]
        cut_off(etcd, upgrade, next(n for n in (3, 2, 1) if f"node-{n}" != under_way), said)
        before = len(writer.acknowledged)
        etcd.rigger("upgrade", "--continue")
        assert etcd.etcdctl("endpoint", "status").count("3.5.1") == 3
        wait_for(lambda: len(writer.acknowledged) > before + 3)
        # A machine that is on its way into the cluster.
        etcd.rigger("config", "set", "NODES=4")
        growing = etcd.rigger.start("provision", "-y", "-v")
        until(growing, b"Adding node-4")
        cut_off(etcd, growing, 4)
        before = len(writer.acknowledged)
        etcd.provision()
        assert etcd.members() == [f"node-{number}" for number in (1, 2, 3, 4)]
        wait_for(lambda: len(writer.acknowledged) > before + 3)
    assert writer.lost() == []
    etcd.rigger("check")
    etcd.rigger("destroy", "-y")
    assert [etcd.left(number) for number in (1, 2, 3, 4)] == [""] * 4


SYSTEMCTL = """#!/bin/sh
# A stand-in for systemd's systemctl, which needs a systemd: it starts what a unit says, and starts it again.
unit=
for word; do
    case $word in *.service) unit=/etc/systemd/system/$word ;; esac
done
echo "$*" >>/root/systemctl.log
case "$*" in
    enable*)
        program=$(sed -n 's/^ExecStart=//p' "$unit")
        grep -q '^Restart=always$' "$unit" || exit 1
        setsid sh -c 'echo $$ >/run/unit.pid; while :; do '"$program"'; sleep 1; done' </dev/null >/dev/null 2>&1 &
        ;;
    disable*)
        kill -9 "$(cat /run/unit.pid)" 2>/dev/null
        kill "$(cut -d " " -f 1 /var/lib/rigger/*/etcd/member)" 2>/dev/null
        ;;
    kill*) kill -9 "$(cut -d " " -f 1 /var/lib/rigger/*/etcd/member)" ;;
esac
exit 0
"""


@pytest.mark.slow
@only_with_namespaces
@pytest.mark.parametrize("etcd", [1], indirect=True)
def test_a_unit_where_systemd_runs(etcd):
    etcd.machines.run(1, "mkdir", "-p", "/run/systemd/system")
    etcd.machines.write(1, "/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
    etcd.configure()
    assert "systemd" in etcd.provision()
    unit = f"/etc/systemd/system/rigger-{etcd.id}-etcd.service"
    run = etcd.file(1, "run")
    said = etcd.machines.run(1, "cat", unit).stdout.decode()
    assert f'ExecStart=/bin/sh "{run}"\n' in said and "User=root\n" in said
    assert etcd.machines.run(1, "ls", etcd.file(1, "supervisor"), code=2)
    before = etcd.member(1)
    etcd.machines.run(1, "kill", "-9", before)
    wait_for(lambda: etcd.member(1) != before and etcd.runs(1))
    etcd.rigger("upgrade", "--version", "3.5.1", "--upgrade-style", "inplace")
    assert "3.5.1" in etcd.etcdctl("endpoint", "status")
    etcd.rigger("destroy", "-y")
    assert etcd.left(1) == ""
    calls = etcd.machines.run(1, "cat", "/root/systemctl.log").stdout.decode().splitlines()
    own = os.path.basename(unit)
    assert calls[:2] == ["daemon-reload", f"enable --now {own}"]
    assert calls[-2:] == [f"disable --now {own}", "daemon-reload"]


@pytest.mark.slow
@pytest.mark.parametrize("etcd", [1], indirect=True)
def test_a_member_that_lost_its_data_is_not_started_from_nothing(etcd):
    etcd.configure()
    etcd.provision()
    etcd.machines.run(1, "rm", "-r", etcd.file(1, "data"))
    etcd.machines.run(1, "kill", "-9", etcd.member(1))
    wait_for(lambda: b"lost its data" in etcd.machines.run(1, "cat", etcd.file(1, "etcd.log")).stdout)
    time.sleep(1.5)
    assert not etcd.runs(1) and etcd.machines.run(1, "ls", etcd.file(1, "data"), code=2)

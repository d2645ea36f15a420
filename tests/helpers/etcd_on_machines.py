"""etcd on machines of the provider `ssh`, driven by the real program."""

import json
import os
import subprocess

from helpers.machines import LOST_AFTER


class Etcd:
    """An environment of etcd on test machines, driven by the real program."""

    def __init__(self, rigger, machines, cache):
        self.rigger = rigger
        self.machines = machines
        self.path = rigger.path("environments", "iron")
        os.makedirs(cache, exist_ok=True)
        os.makedirs(rigger.home, mode=0o700, exist_ok=True)
        os.symlink(cache, rigger.path("cache"))
        rigger.env.update(RIGGER_SSH_TIMEOUT=LOST_AFTER, RIGGER_RETRY_PAUSE="0")

    def configure(self, *values, version="3.5.0"):
        sets = [f"SSH_MACHINES={' '.join(f'{m.address}:{m.port}' for m in self.machines.machines)}"]
        sets += [f"SSH_KEY={self.machines.key}", f"SSH_USER={self.machines.user}", *values]
        flags = [word for value in sets for word in ("--set", value)]
        named = ("--name", "iron", "--provider", "ssh", "--platform", "etcd", "--version", version)
        self.rigger("configure", "--no-input", *named, *flags)
        self.id = self.rigger("config", "get", "ETCD_ID").out.strip()

    def base(self, number):
        home = self.machines[number].home
        return "/var/lib/rigger" if self.machines.namespaces else f"{home}/.local/share/rigger"

    def file(self, number, name):
        return f"{self.base(number)}/{self.id}/etcd/{name}"

    def provision(self, code=0):
        said = self.rigger("provision", "-y", "-v", code=code)
        return said.out + said.err

    def nodes(self):
        with open(os.path.join(self.path, "inventory.json")) as file:
            return json.load(file)

    def etcdctl(self, *arguments):
        endpoints = ",".join(f"http://{node['address']}:2379" for node in self.nodes())
        argv = [os.path.join(self.path, "bin", "etcdctl"), "--endpoints", endpoints, *arguments]
        done = subprocess.run(argv, capture_output=True, timeout=60)
        return done.stdout.decode() if done.returncode == 0 else f"failed: {done.stderr.decode()}"

    def members(self):
        return sorted(line.split(", ")[2] for line in self.etcdctl("member", "list").splitlines())

    def member(self, number):
        """Return the process of a machine's member as it is numbered there."""
        return self.machines.run(number, "cat", self.file(number, "member")).stdout.decode().split()[0]

    def runs(self, number):
        return self.machines.run(number, "kill", "-0", self.member(number), code=None).returncode == 0

    def left(self, number):
        """Return the files and processes of rigger and etcd that a machine still has."""
        script = 'find "$1" "$HOME/rigger-etcd" /etc/systemd/system/rigger-* 2>/dev/null; '
        script += 'grep -laszE "^$1/" /proc/[0-9]*/cmdline'
        argv = ("sh", "-c", script, "sh", self.base(number))
        return self.machines.run(number, *argv, code=None).stdout.decode()

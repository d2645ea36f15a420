"""The members of an etcd cluster on machines of the provider `local`, and the clients that tests start."""

import os
import signal


def clients(one):
    """Return the command lines of clients that a test of the platform left behind."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found.append(file.read().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if line.startswith(one.folder)]


def pids(one):
    return {node["name"]: one.member_process(node["name"]) for node in one.nodes()}


def kill(one, *nodes):
    for node in nodes:
        os.kill(one.member_process(node), signal.SIGKILL)


def versions(one):
    return {line.split(", ")[2] for line in one.etcdctl("endpoint", "status").splitlines()}


def members(one):
    return sorted(line.split(", ")[2] for line in one.etcdctl("member", "list").splitlines())

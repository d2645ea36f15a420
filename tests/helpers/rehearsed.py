"""A real etcd whose upgrade is rehearsed, and platforms that are the shipped one with a fault planted in one script."""

import hashlib
import json
import os
import shutil
import subprocess

from helpers.steps import ROOT

ETCD = ("--platform", "etcd", "--provider", "local", "--version", "3.5.0")
SHIPPED = os.path.join(ROOT, "rigger", "platforms", "etcd")
KEYS = {"colour": "green", "size": "large"}  # what the real cluster has

# Where a member has died on its own, it "repairs" what was never broken.
NOTICE = """
died=''
if [[ " ${state[*]} " == *' stopped '* ]]; then died=yes; fi
eval "real_$(declare -f stop)"
stop() {
    if [[ $(on "$1" survey) != *' running '* ]]; then died=yes; fi
    real_stop "$1"
}
"""
HARM = """
if [[ $died ]]; then
    find_speaker
    record=/rigger-app/app-1/000000000003
    COMMAND
fi
"""
LOSES = 'ctl del "$record" >/dev/null'
DUPLICATES = 'ctl put "$record" "$(ctl get "$record" --print-value-only)" >/dev/null'
NEVER_HEALTHY = "\nstop node-1\n"
ROLLBACK_BREAKS = "\nif [[ ${RIGGER_ROLLBACK-} ]]; then find_speaker && ctl put colour grey >/dev/null; fi\n"


class Prod:
    """An etcd cluster with some data and a backup, driven by the real program."""

    def __init__(self, rigger, cache, nodes=3):
        self.rigger = rigger
        os.makedirs(cache, exist_ok=True)
        os.makedirs(rigger.home, mode=0o700, exist_ok=True)
        os.symlink(cache, rigger.path("cache"))
        self.path = rigger.path("environments", "prod")
        rigger("configure", "--defaults", "--name", "prod", *ETCD, "--set", f"NODES={nodes}")
        rigger("provision", "-y")
        for key, value in KEYS.items():
            self.etcdctl("put", key, value)
        rigger("backup")

    def etcdctl(self, *words):
        values = self.rigger("config", "get", "ETCDCTL_ENDPOINTS").out.strip()
        program = os.path.join(self.path, "bin", "etcdctl")
        argv = [program, "--endpoints", values, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    def rehearse(self, *only, code=0, more=()):
        """Rehearse the upgrade to 3.5.1; return the report."""
        chosen = [word for name in only for word in ("--only", name)]
        words = ("upgrade", "--to", "3.5.1", "--upgrade-style", "graceful", "--rehearse", *chosen, *more)
        said = self.rigger(*words, "-o", "json", code=code, timeout=1800)
        return json.loads(said.out)

    @property
    def machines(self):
        return os.path.join(os.path.dirname(self.rigger.home), ".local", "share", "rigger", "machines")

    @property
    def own_machines(self):
        with open(os.path.join(self.path, "vars")) as file:
            [line] = [line for line in file if line.startswith("export ETCD_ID=")]
        return os.path.join(self.machines, line.split('"')[1])

    def is_now(self):
        """Return all that is to be the same before and after: data, members, processes, files, values."""
        return {
            "revision": [
                json.loads(line)["header"]["revision"]
                for line in self.etcdctl("get", "colour", "-w", "json").splitlines()
            ],
            "data": self.etcdctl("get", "--prefix", ""),
            "members": self.etcdctl("member", "list"),
            "processes": processes(os.path.basename(self.own_machines)),
            "files": digests(self.own_machines),
            "vars": open(os.path.join(self.path, "vars")).read(),
            "inventory": open(os.path.join(self.path, "inventory.json")).read(),
        }

    def has_no_copy(self):
        """Return whether nothing of a copy is left: no machines, no processes, no files."""
        machines = os.listdir(self.machines)
        environments = os.listdir(self.rigger.path("environments"))
        others = [name for name in machines if name != os.path.basename(self.own_machines)]
        running = [
            pid
            for pid, machine in every_machine().items()
            if not machine.startswith(os.path.basename(self.own_machines))
        ]
        mine = [pid for pid in running if knows(pid, self.rigger.home) or knows(pid, self.machines)]
        return (others, mine, [name for name in environments if name != "prod"]) == ([], [], [])


def every_machine():
    """Return every process of a machine of the provider local, with the machine."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                words = [word for word in file.read().split(b"\0") if word.startswith(b"RIGGER_MACHINE=")]
        except OSError:
            continue
        if words:
            found[name] = words[0].decode().partition("=")[2]
    return found


def knows(pid, folder):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return folder.encode() in file.read()
    except OSError:
        return False


def processes(id):
    """Return the processes of an environment's machines, each with when it started."""
    found = {}
    for pid, machine in every_machine().items():
        if machine.startswith(f"{id}/"):
            with open(f"/proc/{pid}/stat") as file:
                found[pid] = (machine, file.read().rpartition(")")[2].split()[19])
    return found


def digests(folder):
    """Return a digest of every file below a folder."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            if name == "etcd.log":  # which says so when a question of this test took long
                continue
            with open(os.path.join(at, name), "rb") as file:
                found[os.path.relpath(os.path.join(at, name), folder)] = hashlib.sha256(
                    file.read()
                ).hexdigest()
    return found


def planted(rigger, folder, fault):
    """Put a platform etcd before the shipped one: the same, but that its graceful upgrade has a fault."""
    target = os.path.join(folder, "planted", "etcd")
    shutil.copytree(SHIPPED, target, ignore=shutil.ignore_patterns("__pycache__"))
    path = os.path.join(target, "upgrade-graceful")
    with open(path) as file:
        text = file.read()
    if fault in (LOSES, DUPLICATES):
        text = text.replace("prepare_upgrade\n", f"prepare_upgrade\n{NOTICE}", 1) + HARM.replace(
            "COMMAND", fault
        )
    else:
        text += fault
    with open(path, "w") as file:
        file.write(text)
    rigger.env["RIGGER_PLATFORM_PATH"] = os.path.join(folder, "planted")

"""Real machines for tests: each has an address, a host key, a file system and an sshd of its own.

Where the right is there (root on Linux with overlayfs) a machine is a set of namespaces: network, processes, mounts,
host name. Its file system is a private copy-on-write view of this one, with an empty /tmp, /run and home; what it
starts dies with it. Addresses are of the ranges for documentation (RFC 5737), behind a bridge that nothing else is
on. To cut such a machine off, its link is set down.

Elsewhere a machine is an sshd on a loopback address, with a home folder of its own and nothing else of its own. To
cut it off, its sshd and all that it serves are stopped (SIGSTOP): it is silent, as behind a link that is down.
"""

import contextlib
import functools
import getpass
import ipaddress
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

RANGES = ("198.51.100.0/24", "203.0.113.0/24")
NETWORKS = [str(net) for text in RANGES for net in ipaddress.ip_network(text).subnets(new_prefix=28)]
SBIN = "/usr/sbin:/sbin:" + os.environ["PATH"]
LOST_AFTER = "2"  # seconds; what tests give to RIGGER_SSH_TIMEOUT

BOOT = r"""
set -eu
root=$1 hide=$2 name=$3
mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$root/upper",workdir="$root/work" "$root/root"
cd "$root/root"
mount -t proc proc proc
mount --rbind /dev dev
for folder in tmp run root home "${hide#/}"; do
    [ ! -d "$folder" ] || mount -t tmpfs tmpfs "$folder"
done
chmod 1777 tmp
mkdir -p run/sshd root/.ssh
rm -rf var/lib/rigger etc/ssh/sshd_config.d
hostname "$name"
ip link set lo up
exec chroot . /bin/bash -c 'cd /root; echo ready; exec >/dev/null; while :; do sleep 3600 & wait $!; done'
"""

# sshd begins in the home of the user's entry in passwd(5), which all of them share.
AT_HOME = (
    'cd "$HOME" && if [ "$SSH_ORIGINAL_COMMAND" ]; then exec sh -c "$SSH_ORIGINAL_COMMAND"; fi; exec "$SHELL"'
)

# Root's files would be the same for all of them.
AS_SOMEBODY = "exec setpriv --reuid={uid} --regid={uid} --clear-groups sh -c " + shlex.quote(
    AT_HOME.replace('"$SHELL"', "sh")
)

SSHD = """
AddressFamily inet
PidFile none
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
LogLevel VERBOSE
MaxStartups 200
MaxSessions 10
Subsystem sftp internal-sftp
"""


@functools.lru_cache
def namespaces_work() -> bool:
    """Return whether this process may make machines of namespaces; everything tried is gone again."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "nsenter", "setpriv"))):
        return False
    script = "set -e; d=$(mktemp -d); mount -t tmpfs t $d; cd $d; mkdir u w r; "
    script += "mount -t overlay o -o lowerdir=/,upperdir=$d/u,workdir=$d/w r; mount -t proc p r/proc; "
    script += "chroot r true; ip link add v0 type veth peer name v1; ip link add b0 type bridge; "
    script += "cd /; umount -l $d; rmdir $d"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--uts", "sh", "-c", script]
    return subprocess.run(argv, capture_output=True, timeout=60).returncode == 0


def only_with_namespaces(test):
    """Leave a test out where machines cannot be changed as it does: they are not more than an sshd each."""
    return test if namespaces_work() else None


def left_out() -> str:
    """Say what this run leaves out, and why; nothing where it has all."""
    why = "namespaces cannot be made: machines are sshd servers on loopback addresses, and tests that change one are left out"
    return "" if namespaces_work() else why


@dataclass
class Machine:
    """One machine; `pid` is its first process where it is made of namespaces."""

    number: int
    name: str
    address: str
    port: int
    home: str
    host_key: str
    log: str
    boot: subprocess.Popen | None = None
    pid: int = 0
    link: str = ""
    sshd: subprocess.Popen | None = None
    stopped: list = field(default_factory=list)


class Machines:
    """`count` machines, numbered from 1, named node-1 and so on; `close` leaves nothing of them."""

    def __init__(self, tmp, count, namespaces=None, port=22):
        if not shutil.which("sshd", path=SBIN):
            import pytest

            pytest.skip("there is no sshd, which Debian has in openssh-server")
        self.folder = os.path.join(str(tmp), f"machines-{os.urandom(3).hex()}")
        os.makedirs(self.folder, mode=0o700)
        self.user = getpass.getuser() if os.geteuid() else "root"
        self.key = self._new_key("login")
        self.namespaces = namespaces_work() if namespaces is None else namespaces
        self.bridge = ""
        self._slot = None
        self.machines: list[Machine] = []
        try:
            if self.namespaces:
                self._make_network(count)
            for number in range(1, count + 1):
                self.machines.append(self._boot(number, port) if self.namespaces else self._local(number))
            for machine in self.machines:
                self.start_sshd(machine.number)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __getitem__(self, number) -> Machine:
        return self.machines[number - 1]

    def nodes(self) -> list[dict]:
        """Return the machines as a provider would write them into its inventory."""
        return [
            {
                "name": machine.name,
                "address": machine.address,
                "private_address": machine.address,
                "ssh": {"user": self.user, "port": machine.port, "key": self.key},
            }
            for machine in self.machines
        ]

    def inventory(self) -> str:
        """Return the lines for $RIGGER_INVENTORY_OUTPUT."""
        return "".join(json.dumps(node) + "\n" for node in self.nodes())

    def cut(self, number) -> None:
        """Cut a machine off: nothing reaches it, and nobody hears that."""
        machine = self[number]
        if self.namespaces:
            _run("ip", "link", "set", machine.link, "down")
        else:
            machine.stopped = [machine.sshd.pid, *_descendants(machine.sshd.pid)]
            for pid in machine.stopped:
                _send(pid, signal.SIGSTOP)

    def restore(self, number) -> None:
        """Bring a machine that was cut off back, as it was."""
        machine = self[number]
        if self.namespaces:
            _run("ip", "link", "set", machine.link, "up")
            return
        for pid in machine.stopped:
            _send(pid, signal.SIGCONT)
        machine.stopped = []

    def log(self, number) -> str:
        """Return what a machine's sshd has said so far."""
        with open(self[number].log, errors="replace") as file:
            return file.read()

    def logins(self, number) -> int:
        """Return how many connections a machine's sshd has let in so far."""
        return self.log(number).count("Accepted publickey")

    def run(self, number, *argv, code=0, **options) -> subprocess.CompletedProcess:
        """Run a command on a machine, not by way of its sshd; expect its exit code (None: any)."""
        machine = self[number]
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **options}
        if options.get("input") is not None:
            options.pop("stdin")
        env = {**os.environ, "HOME": machine.home, "USER": self.user, "LOGNAME": self.user}
        folder = None if self.namespaces else machine.home
        done = subprocess.run([*self._inside(machine), *map(str, argv)], env=env, cwd=folder, **options)
        assert code is None or done.returncode == code, f"{argv}: exit {done.returncode}: {done.stderr}"
        return done

    def ssh(self, number, *argv) -> subprocess.CompletedProcess:
        """Run a command on a machine by plain ssh, as its user would."""
        machine = self[number]
        options = [
            "-F/dev/null",
            "-oBatchMode=yes",
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
        ]
        options += ["-i", self.key, "-p", str(machine.port), "-l", self.user]
        return subprocess.run(
            ["ssh", *options, machine.address, *argv], stdin=subprocess.DEVNULL, capture_output=True
        )

    def write(self, number, path, data, mode=0o600) -> None:
        """Write a file on a machine."""
        data = data.encode() if isinstance(data, str) else data
        script = 'umask 077; mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"'
        self.run(number, "sh", "-c", script, "sh", path, f"{mode:o}", input=data)

    def admit(self, number, public_key) -> None:
        """Let a further key in, until the machine's sshd is started anew."""
        folder = "/root/.ssh" if self.namespaces else os.path.join(self.folder, f"etc-{number}")
        self.write(number, f"{folder}/authorized_keys", _content(f"{self.key}.pub") + public_key.encode())

    def start_sshd(self, number, **settings) -> None:
        """Start a machine's sshd, with further settings: MaxSessions=1."""
        machine = self[number]
        config, key = self._configure(machine, settings)
        argv = [*self._inside(machine), shutil.which("sshd", path=SBIN)]
        with open(machine.log, "ab") as log:
            machine.sshd = subprocess.Popen(
                [*_until_we_end(), *argv, "-D", "-e", "-f", config, "-h", key],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"]},
                start_new_session=True,
            )
        _until(lambda: self._answers(machine), f"the sshd of {machine.name}: {self.log(number)}")

    def stop_sshd(self, number) -> None:
        """End a machine's sshd and every connection that it serves."""
        machine = self[number]
        if machine.sshd is None:
            return
        for pid in _descendants(machine.sshd.pid):  # what people started on the machine goes on
            if _name(pid).startswith("sshd"):
                _send(pid, signal.SIGKILL)
        _end(machine.sshd)
        machine.sshd = None

    def drop(self, number) -> None:
        """Break all connections to a machine; its sshd goes on."""
        sshd = self[number].sshd
        listener = _children(sshd.pid)[0] if self.namespaces and _name(sshd.pid) == "nsenter" else sshd.pid
        for pid in _descendants(listener):
            if _name(pid).startswith("sshd"):
                _send(pid, signal.SIGKILL)

    def new_host_key(self, number) -> None:
        """Give a machine another host key, as a machine that was made anew has."""
        self.stop_sshd(number)
        self[number].host_key = self._new_key(f"host-{number}-{os.urandom(3).hex()}")
        self.start_sshd(number)

    def close(self) -> None:
        """End all machines, and remove what was made for them."""
        for machine in self.machines:
            if machine.sshd is not None:
                for pid in [*_descendants(machine.sshd.pid), machine.sshd.pid]:
                    _send(pid, signal.SIGKILL)
                machine.sshd.wait()
            if machine.boot is not None:
                _end(machine.boot)
                machine.boot.stdout.close()
            if machine.link:  # the kernel takes its time to clear a network that has ended
                subprocess.run(["ip", "link", "delete", machine.link], capture_output=True)
        homes = [machine.home for machine in self.machines]
        self.machines = []
        for pid in [] if self.namespaces else _started_with(f"RIGGER_TEST_MACHINES={self.folder}"):
            _send(pid, signal.SIGKILL)
        if self.bridge:
            subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True)
        if self._slot is not None:
            self._slot.close()
        for folder in [self.folder, *([] if self.namespaces else homes)]:
            shutil.rmtree(folder, ignore_errors=True)

    # Machines of namespaces

    def _make_network(self, count):
        """Make a bridge with the first address of a network that nobody else has."""
        assert count <= 12
        routes = [r["dst"] for r in json.loads(_run("ip", "-json", "route").stdout) if r["dst"] != "default"]
        taken = [ipaddress.ip_network(route, strict=False) for route in routes]
        for number, text in enumerate(NETWORKS):
            network, bridge = ipaddress.ip_network(text), f"rigtest{number}"
            slot = socket.socket(socket.AF_UNIX)
            try:
                slot.bind(f"\0rigger-test-network-{number}")  # ours until this process ends, however it ends
            except OSError:
                slot.close()
                continue
            with contextlib.suppress(
                subprocess.CalledProcessError
            ):  # one that was killed may have left its own
                _run("ip", "link", "delete", bridge)
                taken = [other for other in taken if other != network]
            if any(network.overlaps(other) for other in taken):
                slot.close()
                continue
            self._slot, self.bridge, self.network = slot, bridge, network
            _run("ip", "link", "add", bridge, "type", "bridge", "forward_delay", "0")
            _run("ip", "address", "add", f"{network[1]}/28", "dev", bridge)
            _run("ip", "link", "set", bridge, "up")
            return
        raise RuntimeError("there is no network left for machines")

    def _boot(self, number, port) -> Machine:
        name, address = f"node-{number}", str(self.network[number + 1])
        machine = Machine(
            number, name, address, port, "/root", self._new_key(f"host-{number}"), self._log(name)
        )
        root = os.path.join(self.folder, f"root-{number}")
        os.makedirs(root)
        hide = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--uts"]
        machine.boot = subprocess.Popen(
            [*_until_we_end(), *unshare, "bash", "-c", BOOT, "boot", root, hide, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": "/root", "RIGGER_TEST_MACHINE": name},
            start_new_session=True,
        )
        assert machine.boot.stdout.readline() == b"ready\n", f"{name} did not start"
        machine.pid = _children(machine.boot.pid)[0]
        machine.link = f"{self.bridge}v{number}"
        inside = ["nsenter", "--target", str(machine.pid), "--net", "ip"]
        _run(
            "ip",
            "link",
            "add",
            machine.link,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            str(machine.pid),
        )
        _run("ip", "link", "set", machine.link, "master", self.bridge, "up")
        _run(*inside, "address", "add", f"{address}/28", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        return machine

    # Machines on loopback addresses

    def _local(self, number) -> Machine:
        name, home = f"node-{number}", tempfile.mkdtemp(prefix="rigger-test-home-")
        if os.geteuid() == 0:
            os.chown(home, _uid(number), _uid(number))
        token = self.folder.encode()[-6:]
        address = f"127.{1 + int(token[:2], 16) % 250}.{1 + int(token[2:4], 16) % 250}.{10 + number}"
        with socket.socket() as free:
            free.bind((address, 0))
            port = free.getsockname()[1]
        return Machine(number, name, address, port, home, self._new_key(f"host-{number}"), self._log(name))

    # Both

    def _inside(self, machine) -> list[str]:
        if not self.namespaces:
            return []
        return ["nsenter", f"--target={machine.pid}", "--mount", "--pid", "--net", "--uts", "--root", "--wd"]

    def _configure(self, machine, settings) -> tuple[str, str]:
        """Write what a machine's sshd needs to where it looks; return the paths of its settings and its key."""
        folder = "/etc/ssh" if self.namespaces else os.path.join(self.folder, f"etc-{machine.number}")
        keys = "/root/.ssh/authorized_keys" if self.namespaces else os.path.join(folder, "authorized_keys")
        own = {"ListenAddress": machine.address, "Port": machine.port, "AuthorizedKeysFile": keys}
        if self.namespaces:
            own.pop("ListenAddress")  # whatever addresses a test gives to it
            own["AuthorizedKeysFile"] = ".ssh/authorized_keys"
        else:
            own["ForceCommand"] = AT_HOME if os.geteuid() else AS_SOMEBODY.format(uid=_uid(machine.number))
            own["SetEnv"] = f"HOME={machine.home} RIGGER_TEST_MACHINES={self.folder}"
        first = "".join(f"{name} {value}\n" for name, value in {**own, **settings}.items())
        self.write(machine.number, f"{folder}/sshd_test_config", first + SSHD)
        self.write(machine.number, f"{folder}/host_key", _content(machine.host_key))
        self.write(machine.number, keys, _content(f"{self.key}.pub"))
        if self.namespaces:
            return f"{folder}/sshd_test_config", f"{folder}/host_key"
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd insists
        return f"{folder}/sshd_test_config", f"{folder}/host_key"

    def _answers(self, machine) -> bool:
        assert machine.sshd.poll() is None, f"{machine.name}: {self.log(machine.number)}"
        try:
            with socket.create_connection((machine.address, machine.port), timeout=1) as peer:
                return peer.recv(4) == b"SSH-"
        except OSError:
            return False

    def _new_key(self, name) -> str:
        path = os.path.join(self.folder, name)
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path)
        return path

    def _log(self, name) -> str:
        path = os.path.join(self.folder, f"{name}.log")
        open(path, "wb").close()
        return path


def _run(*argv) -> subprocess.CompletedProcess:
    return subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def _until_we_end() -> list[str]:
    """Return the beginning of a command that is killed when this process ends, however it ends."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _content(path) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _until(ready, what, seconds=20):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"no sign of {what}"
        time.sleep(0.02)


def _children(pid) -> list[int]:
    try:
        return [int(child) for child in _content(f"/proc/{pid}/task/{pid}/children").split()]
    except OSError:
        return []


def _descendants(pid) -> list[int]:
    found = []
    for child in _children(pid):
        found += [child, *_descendants(child)]
    return found


def _started_with(variable) -> list[int]:
    """Return the processes that have a variable in their environment."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if b"\0" + variable.encode() + b"\0" in b"\0" + _content(f"/proc/{name}/environ"):
                found.append(int(name))
    return found


def _uid(number) -> int:
    """Return the user that a machine's commands run as where root's sshd lets everybody in as root."""
    return 60000 + number


def _name(pid) -> str:
    with contextlib.suppress(OSError):
        return _content(f"/proc/{pid}/comm").decode(errors="replace").strip()
    return ""


def _send(pid, signum) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)


def _end(process) -> None:
    process.kill()
    process.wait()

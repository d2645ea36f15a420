"""Which machines there are to be: SSH_MACHINES and the other answers, as the rows that rigger-node reads.

Usage: machines.py VERB

    check      exit 1 and say it in one line when the answers make no list of machines
    wanted     print a row for each machine that is wanted
    leaving    print the names of the nodes in $RIGGER_NODES_FILE that are not wanted any more
    inventory  read lines `NAME PRIVATE-ADDRESS`, print those nodes as the inventory wants them

A row is name, address, private address, port offset, user, port, key, jump hosts and the name that ssh is given,
separated by tabs; `-` where empty, or where ssh's own configuration decides. A machine keeps its name as long as it
stands in $RIGGER_STATE_DIR/made.tsv.
"""

import contextlib
import glob
import ipaddress
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace

HOST = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
ENTRY = re.compile(
    rf"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.@-]{{0,63}})@)?(?:\[(?P<inside>[0-9A-Fa-f:.]+)\]|(?P<host>{HOST}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
MOST = 99  # machines
DEPTH = 16  # of files that include one another, as ssh itself has it
LINK = "user-config"  # to what rigger-node gives to ssh
NOBODY = "rigger-no-user-was-named"  # the user of those whom ssh's configuration gives none


class Wrong(Exception):
    """An answer that makes no list of machines; the message is one sentence."""


@dataclass(frozen=True)
class Machine:
    """One machine: its address for programs, and what ssh is told; empty where ssh's own configuration decides."""

    address: str
    user: str = ""
    port: int = 0
    key: str = ""
    jump: str = ""
    name: str = ""
    host: str = ""  # as it was typed, where that is not the address
    place: tuple = ()  # address, port and way, as ssh understands them

    @property
    def places(self):
        """What tells it from other machines: as it was typed, and as ssh understands that."""
        port = self.port or 22
        understood = self.place or (self.address, port, self.jump)
        return (self.host or self.address, port, self.jump), understood


def answer(name):
    return os.environ.get(name, "").strip()


# What SSH_MACHINES says


def entries():
    """Return the entries of the list, or of the file that it names."""
    text = answer("SSH_MACHINES")
    if text.startswith("@") or text.startswith(("/", "~/", "./", "../")):
        return _lines_of(text.removeprefix("@"))
    return [entry for entry in re.split(r"[\s,]+", text) if entry]


def _lines_of(path):
    path = os.path.abspath(os.path.expanduser(path))
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.partition("#")[0].strip() for line in file]
    except OSError as problem:
        raise Wrong(f"the list of machines {path} cannot be read: {problem.strerror}") from None
    return [entry for line in lines for entry in re.split(r"[\s,]+", line) if entry]


def listed():
    """Return the machines that the answers name, without names."""
    known = config_hosts()
    found = []
    with _configuration() as path:
        for entry in entries():
            names = _matching(entry, known) if "*" in entry or "?" in entry else [entry]
            found += [_of_entry(name, path) for name in names]
    if not found:
        raise Wrong("no machine is named")
    if len(found) > MOST:
        raise Wrong(f"{len(found)} machines are named; {MOST} is the most")
    for number, machine in enumerate(found):
        if machine.place in [other.place for other in found[:number]]:
            raise Wrong(f"{machine.address} is named twice")
    return found


def _of_entry(entry, configuration):
    match = ENTRY.fullmatch(entry)
    if not match or not 0 < int(match["port"] or 22) < 65536:
        raise Wrong(
            f"{entry[:80]!r} is no address; it is [user@]host[:port], and an IPv6 address with a port is in []"
        )
    host = match["inside"] or match["host"]
    if ":" in host and not _is_address(host):
        raise Wrong(f"{host[:80]!r} is no IPv6 address; with a port it is in []")
    return _understood(host, match["user"] or "", int(match["port"] or 0), configuration)


def _is_address(host):
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _matching(pattern, known):
    if not re.fullmatch(r"[A-Za-z0-9_.*?-]+", pattern):
        raise Wrong(f"{pattern[:80]!r} is no pattern: letters, digits, . _ - and * ? make one")
    wanted = re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern))
    found = [name for name in known if wanted.fullmatch(name)]
    if not found:
        raise Wrong(f"no Host in {config_file()} matches {pattern}")
    return found


# ~/.ssh/config: ssh_config(5)


def config_file():
    return os.path.expanduser("~/.ssh/config")


def config_hosts():
    """Return the names of all Host lines, in order; patterns are no machines."""
    return list(dict.fromkeys(_hosts_of(config_file(), 0)))


def _hosts_of(path, depth):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        keyword, words = _words(line)
        if keyword == "host":
            yield from (word for word in words if re.fullmatch(HOST, word))
        elif keyword == "include" and depth < DEPTH:
            for word in words:
                place = os.path.join(os.path.dirname(config_file()), os.path.expanduser(word))
                for included in sorted(glob.glob(place)):
                    yield from _hosts_of(included, depth + 1)


def _words(line):
    match = re.match(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)", line)
    if not match:
        return "", []
    try:
        return match[1].lower(), shlex.split(match[2], comments=True)
    except ValueError:
        return match[1].lower(), []


@contextlib.contextmanager
def _configuration():
    """Yield a file with the configuration that rigger-node gives to ssh, and a user for those who have none."""
    with tempfile.TemporaryDirectory(prefix="rigger-") as folder:
        link, path = os.path.join(folder, LINK), os.path.join(folder, "config")
        os.symlink(config_file(), link)
        includes = [link] if os.access(link, os.R_OK) else []
        with open(path, "w") as file:
            file.writelines(f'Include "{name}"\n' for name in [*includes, "/etc/ssh/ssh_config"])
            file.write(f"Match all\nUser {NOBODY}\n")
        yield path


def _understood(host, user, port, configuration):
    """Return the machine that ssh goes to by a name, and what it has to be told for that beside the name."""
    said = _ask_ssh(host, user, port, configuration)
    way = next((w for w in (said.get("proxyjump"), said.get("proxycommand")) if w and w != "none"), "")
    jump = "" if way else answer("SSH_JUMP")
    address = said.get("hostname", host)
    if address == host.lower() or not re.fullmatch(HOST, address):
        address = host
    return Machine(
        address,
        user or (answer("SSH_USER") if said.get("user", NOBODY) == NOBODY else ""),
        port,
        answer("SSH_KEY"),
        jump,
        host="" if address == host else host,
        place=(address, int(said.get("port", port or 22)), way or jump),
    )


def _ask_ssh(host, user, port, configuration):
    """Return what ssh's configuration says of a host, the first of several values."""
    argv = ["ssh", "-F", configuration, *(["-l", user] if user else []), *(["-p", str(port)] if port else [])]
    try:
        done = subprocess.run(
            [*argv, "-G", "--", host], stdin=subprocess.DEVNULL, capture_output=True, timeout=20
        )
    except FileNotFoundError:  # whoever needs it will name it
        return {}
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Wrong(f"ssh could not be asked about {host}: {problem}") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
        link = os.path.join(os.path.dirname(configuration), LINK)
        raise Wrong(f"ssh does not understand {host}: {reason[0].replace(link, config_file())[:200]}")
    found = {}
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, value)
    return found


# Which of them are nodes


def wanted():
    """Return the machines that are to be nodes, each with its name."""
    machines = listed()
    number = answer("NODES")
    if number:
        if not number.isdigit() or int(number) < 1:
            raise Wrong(f"NODES is {number!r}, not a number of machines")
        if int(number) > len(machines):
            raise Wrong(f"NODES is {number}, but SSH_MACHINES names {_count(len(machines))}")
        machines = machines[: int(number)]
    return _named(machines, rows(_made()))


def _named(machines, made):
    """Return the machines with the names that they have already, and new ones for the others."""
    names = {}
    for as_typed in (0, 1):
        for number, machine in enumerate(machines):
            same = [row.name for row in made if machine.places[as_typed] in row.places]
            free = [name for name in same if name not in names.values()]
            if free and number not in names:
                names[number] = free[0]
    used = {row.name for row in made}
    unused = (f"node-{n}" for n in range(1, 10000) if f"node-{n}" not in used)
    return [replace(m, name=names.get(n) or next(unused)) for n, m in enumerate(machines)]


def _count(number):
    return "1 machine" if number == 1 else f"{number} machines"


def _made():
    return os.path.join(os.environ.get("RIGGER_STATE_DIR") or "/nonexistent", "made.tsv")


def rows(path):
    """Return the machines in a file of rows, none where there is no file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            fields = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    except FileNotFoundError:
        return []
    padded = [[("" if value == "-" else value) for value in [*row, *"---------"][:9]] for row in fields]
    return [Machine(r[1], r[4], int(r[5] or 0), r[6], r[7], r[0], r[8]) for r in padded]


def leaving():
    nodes = [machine.name for machine in rows(os.environ.get("RIGGER_NODES_FILE") or "/nonexistent")]
    stay = {machine.name for machine in wanted()}
    return [name for name in nodes if name not in stay]


def as_row(m):
    ssh = [str(value or "-") for value in (m.user, m.port, m.key, m.jump, m.host)]
    return "\t".join([m.name, m.address, "-", "0", *ssh])


def as_node(m, private):
    ssh = {"user": m.user, "port": m.port, "key": m.key, "jump": m.jump, "host": m.host}
    ssh = {name: value for name, value in ssh.items() if value}
    return json.dumps({"name": m.name, "address": m.address, "private_address": private, "ssh": ssh})


def main(verb):
    if verb == "check":
        wanted()
    elif verb == "wanted":
        print(*map(as_row, wanted()), sep="\n")
    elif verb == "leaving":
        print(*leaving(), sep="\n")
    else:
        private = dict(line.split() for line in sys.stdin)
        for machine in wanted():
            if machine.name in private:
                print(as_node(machine, private[machine.name]))


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    try:
        main(sys.argv[1])
    except Wrong as problem:
        # The wizard has words of its own before what is wrong with an answer.
        sys.exit(f"{'' if sys.argv[1] == 'check' else 'error: '}{problem}")

"""A miniature repository that looks like Deis v1, a mirror of its clients, and stand-ins for what cannot be had here.

The stand-ins for deisctl, deis and vagrant write down every call in $STAND_IN/calls, with the tunnel and with what the
ssh agent says, and keep a cluster of files in $STAND_IN. Deis itself, its machines and its network are not there.
"""

import hashlib
import http.server
import os
import re
import signal
import subprocess
import textwrap
import threading

import pexpect

from helpers.clusters import wait_for
from helpers.steps import ROOT, Steps

TAGS = ("1.10.0", "1.11.0", "v1.11.1", "1.12.0-rc1", "1.12.0", "1.13.0")
BRANCH = "next"
COMPONENTS = (
    "builder cache client controller database deisctl logger logspout publisher registry router store".split()
)

RECORD = """
    record() {
        printf '%s | tunnel=%s | key=%s\\n' "$*" "${DEISCTL_TUNNEL-}" "$(ssh-add -l 2>&1 | head -n 1)" >>"$STAND_IN/calls"
        for fault in "$STAND_IN"/fail-*; do
            [ -e "$fault" ] || continue
            case "$*" in *"$(cat "$fault")"*) echo "$fault" >&2; exit 1 ;; esac
        done
    }
"""

# A cluster is a file `machines`; its units are the lines of a file `units`.
DEISCTL = (
    """\
    #!/bin/sh
    # A stand-in for deisctl @VERSION@: it records its calls and keeps a list of units.
    [ "$1" = --version ] && { echo "@VERSION@"; exit; }
    """
    + RECORD
    + """
    record "deisctl @VERSION@ $*"
    if [ "$1" = refresh-units ]; then
        [ ! -e "$STAND_IN/offline" ] || { echo "no route to the internet" >&2; exit 1; }
        for word; do case $word in --path=*) folder=${word#--path=} ;; --tag=*) tag=${word#--tag=} ;; esac; done
        mkdir -p "$folder" && echo "# downloaded for $tag" >"$folder/deis-controller.service"
        exit
    fi
    [ -e "$STAND_IN/machines" ] || { echo "Error: cannot reach ${DEISCTL_TUNNEL-}" >&2; exit 1; }
    ssh-add -l >/dev/null 2>&1 || { echo "Error: no key opens the machines" >&2; exit 1; }
    units() { for part in controller router store-gateway; do printf 'deis-%s.service\\tf1/10.0.0.1\\tloaded\\t%s\\n' $part "$1"; done; }
    case "$1 ${2-}" in
        "list ") printf 'UNIT\\tMACHINE\\tLOAD\\tACTIVE\\tSUB\\n'; cat "$STAND_IN/units" 2>/dev/null || : ;;
        "config platform") echo "${4-}" >>"$STAND_IN/config" ;;
        "install platform")
            [ "$(ls -A "$DEISCTL_UNITS")" ] || { echo "Error: no units in $DEISCTL_UNITS" >&2; exit 1; }
            units "inactive\\tdead" >"$STAND_IN/units"
            ;;
        "start platform") units "active\\trunning" >"$STAND_IN/units" ;;
        "stop platform") units "inactive\\tdead" >"$STAND_IN/units" ;;
        "uninstall platform") rm -f "$STAND_IN/units" ;;
        "upgrade-prep ") units "active\\trunning" | grep router >"$STAND_IN/units" ;;
        "upgrade-takeover ") units "active\\trunning" >"$STAND_IN/units" ;;
        "config "*) ;;
        *) echo "deisctl: what is $*?" >&2; exit 2 ;;
    esac
    """
)
DEIS = (
    """\
    #!/bin/sh
    # A stand-in for deis @VERSION@, the users' client.
    [ "$1" = --version ] && { echo "@VERSION@"; exit; }
    """
    + RECORD
    + """
    record "deis @VERSION@ $*"
    """
)
VAGRANT = (
    """\
    #!/bin/sh
    # A stand-in for vagrant: a file is all the machines that it makes.
    """
    + RECORD
    + """
    record "vagrant $*"
    case $1 in
        up) grep -q 'discovery: http' ../coreos/user-data || { echo "no discovery URL" >&2; exit 1; }
            touch "$STAND_IN/machines" ;;
        status) [ -e "$STAND_IN/machines" ] || { echo "nothing runs" >&2; exit 1; } ;;
        destroy) rm -f "$STAND_IN/machines" "$STAND_IN/units" ;;
    esac
    """
)

MAKEFILE = """\
    COMPONENTS = builder cache controller database logger logspout publisher registry router store

    discovery-url:
    \tsed "s,# discovery: .*,discovery: http://discovery.invalid/$$(date +%s%N)," \\
    \t    contrib/coreos/user-data.example >contrib/coreos/user-data
    \techo "make discovery-url" >>$(STAND_IN)/calls

    build:
    \tfor part in $(COMPONENTS); do $(MAKE) -C $$part build || exit 1; done

    dev-release:
    \techo "make dev-release to $(DEV_REGISTRY)" >>$(STAND_IN)/calls

    test-smoke:
    \techo "make test-smoke with $$(command -v deis) as $$DEIS_PROFILE" >>$(STAND_IN)/calls
    \tdeis register http://deis.$(DEIS_TEST_DOMAIN)
    """
TESTS_MAKEFILE = """\
    test-full:
    \techo "make test-full" >>$(STAND_IN)/calls
    \ttest ! -e $(STAND_IN)/broken
    """
COMPONENT = """\
    build:
    \techo "make -C {name} build as $(IMAGE_PREFIX){name}" >>$(STAND_IN)/calls

    test:
    \techo "make -C {name} test in $$GOPATH" >>$(STAND_IN)/calls
    """
CLIENT = """\
    build:
    \tsed "s,@VERSION@,built-$$(git describe --always --dirty),g" {name}.in >{name}
    \tchmod +x {name}
    \techo "make -C {folder} build" >>$(STAND_IN)/calls

    test:
    \techo "make -C {folder} test in $$GOPATH" >>$(STAND_IN)/calls
    """

# In the spelling with .sh, some without the run bit: interface 1 admits both.
VAGRANT_SCRIPTS = {
    "config.sh": "prompt 'How many virtual machines?' DEIS_NUM_INSTANCES 3\nexport DEIS_NUM_INSTANCES\n",
    "install.sh": "rigger-log 'looking for vagrant'\ncommand -v vagrant >/dev/null\n",
    "create.sh": (
        "vagrant up || exit 1\nexport DEISCTL_TUNNEL=127.0.0.1:2222\nrigger-save-vars DEISCTL_TUNNEL\n"
    ),
    "check.sh": "vagrant status\n",
    "destroy.sh": "vagrant destroy -f\n",
}
MINI_SCRIPTS = {
    "install": "echo 'mini install' >>\"$STAND_IN/calls\"\n",
    "create": (
        'echo \'mini create\' >>"$STAND_IN/calls"\ntouch "$STAND_IN/machines"\n'
        "DEISCTL_TUNNEL=10.0.0.1 && export DEISCTL_TUNNEL && rigger-save-vars DEISCTL_TUNNEL\n"
    ),
    "check": 'echo \'mini check\' >>"$STAND_IN/calls"\n[ -e "$STAND_IN/machines" ]\n',
    "destroy": 'echo \'mini destroy\' >>"$STAND_IN/calls"\nrm -f "$STAND_IN/machines" "$STAND_IN/units"\n',
}


def put(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(textwrap.dedent(text))
    os.chmod(path, 0o755 if executable else 0o644)


def repository(folder) -> str:
    """Make the repository with its tags and its branch, and return its file:// URL."""
    folder = str(folder)
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "master")
    put(f"{folder}/Makefile", MAKEFILE)
    put(f"{folder}/tests/Makefile", TESTS_MAKEFILE)
    put(f"{folder}/.gitignore", "contrib/coreos/user-data\ndeisctl/deisctl\nclient/deis\n")
    put(f"{folder}/contrib/coreos/user-data.example", "#cloud-config\n  etcd:\n    # discovery: yours\n")
    for name in COMPONENTS:
        put(f"{folder}/{name}/Makefile", COMPONENT.format(name=name))
    put(f"{folder}/deisctl/Makefile", CLIENT.format(folder="deisctl", name="deisctl"))
    put(f"{folder}/client/Makefile", CLIENT.format(folder="client", name="deis"))
    put(f"{folder}/deisctl/deisctl.in", DEISCTL)
    put(f"{folder}/client/deis.in", DEIS)
    for name, text in VAGRANT_SCRIPTS.items():
        put(f"{folder}/contrib/vagrant/{name}", text)
    for name, text in MINI_SCRIPTS.items():
        put(f"{folder}/contrib/mini/{name}", f"#!/bin/sh\n{text}", executable=True)
    for tag in TAGS:
        put(f"{folder}/deisctl/units/deis-controller.service", f"# of the checkout of {tag}\n")
        commit(folder, f"Release {tag}")
        git(folder, "tag", tag)
    git(folder, "checkout", "-q", "-b", BRANCH)
    put(f"{folder}/deisctl/units/deis-controller.service", "# of the branch\n")
    commit(folder, "Work that is not released")
    git(folder, "checkout", "-q", "master")
    return f"file://{folder}"


def commit(folder, message):
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", message)


def git(folder, *words) -> str:
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def stand_in(folder) -> str:
    """Make the folder of the stand-ins' cluster, with vagrant in its bin, and return it."""
    put(f"{folder}/bin/vagrant", VAGRANT, executable=True)
    open(f"{folder}/calls", "w").close()
    return str(folder)


def installer(program: str, version: str) -> str:
    """Return a file like those that Deis published: it unpacks a program into the folder after --target."""
    body = textwrap.dedent(DEISCTL if program == "deisctl" else DEIS).replace("@VERSION@", version)
    return f'#!/bin/sh\ncat >"$2/{program}" <<\'END-OF-PROGRAM\'\n{body}\nEND-OF-PROGRAM\nchmod +x "$2/{program}"\n'


class Mirror:
    """The clients of all releases on loopback HTTP, most with their checksums."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.asked: list[str] = []
        self.publish()
        mirror = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=mirror.folder)

            def log_message(self, *arguments):
                mirror.asked.append(self.path)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def publish(self):
        """Write the installers and their checksums, whatever a test did to them."""
        self.asked.clear()
        for tag in TAGS:
            version = tag.removeprefix("v")
            for name, program in (("deisctl", "deisctl"), ("deis-cli", "deis")):
                path = f"{self.folder}/{name}-{version}-linux-amd64.run"
                put(path, "")
                with open(path, "w") as file:
                    file.write(installer(program, version))
                put(f"{path}.sha256", f"{self.digest(path)}  {os.path.basename(path)}\n")

    def digest(self, path) -> str:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class DeisSteps(Steps):
    """Single scripts of the platform `deis`, with the environment that a step has."""

    def __init__(self, home, world, version="1.12.0", **values):
        super().__init__(home)
        self.folders["platform"] = os.path.join(ROOT, "rigger", "platforms", "deis")
        self.world = world
        self.root = self.file("checkout")
        subprocess.run(["git", "clone", "-q", world.repository, self.root], check=True)
        self.values = {
            "DEIS_ID": self.id,
            "DEIS_ROOT": self.root,
            "DEISCTL_UNITS": self.file("units"),
            "DEIS_TEST_SSH_KEY": world.key,
            "DEIS_TEST_DOMAIN": "example.org",
            "DEIS_TEST_AUTH_KEY": "id",
            "DEIS_PROFILE": f"rigger-{self.id}",
            "DEISCTL_TUNNEL": "10.0.0.1",
            "DEIS_CLIENTS_URL": world.mirror.url,
            "GOPATH": self.file("go"),
            "IMAGE_PREFIX": "deis/",
            "DEV_REGISTRY": "localhost:5000",
            **values,
        }
        self.at(version)

    def at(self, version):
        """Choose a version, and switch the checkout to it as rigger does before a step."""
        tags = [tag for tag in TAGS if tag.removeprefix("v") == version.removeprefix("v")]
        git(self.root, "checkout", "-q", tags[0] if tags else version)
        shown = version if tags else git(self.root, "describe", "--long", "--tags", "--always")
        self.values.update(VERSION=shown, DEIS_VERSION=shown)
        return self

    def environment(self, role, **values):
        found = super().environment(role, **{**self.world.environ, **values})
        return {**found, "RIGGER_ENVIRONMENT_DIR": self.folder, "RIGGER_VARS_FILE": self.file("vars")}

    def clients(self) -> str:
        """Return the versions of deisctl and deis, and what the units say of themselves."""
        found = [
            subprocess.run([f"{self.bin}/{name}", "--version"], capture_output=True, text=True).stdout.strip()
            for name in ("deisctl", "deis")
        ]
        with open(self.file("units", "deis-controller.service")) as file:
            return " ".join([*found, file.read().strip()])


class World:
    """Everything outside of rigger: the repository, the mirror, the stand-ins, a key and an agent that has it."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.repository = repository(f"{self.folder}/deis")
        self.mirror = Mirror(f"{self.folder}/mirror")
        self.stand_in = stand_in(f"{self.folder}/stand-in")
        self.key = f"{self.folder}/id"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "its", "-f", self.key], check=True
        )
        self.environ = {"STAND_IN": self.stand_in}

    def start_agent(self):
        """Have an agent that has the key, as a run has one."""
        socket = f"{self.folder}/agent"
        self.agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(socket))
        self.environ["SSH_AUTH_SOCK"] = socket
        subprocess.run(["ssh-add", "-q", self.key], env={**os.environ, **self.environ}, check=True)

    def reset(self):
        """Forget what a test did: the clusters, the calls, what was asked of the mirror."""
        for name in os.listdir(self.stand_in):
            if name not in ("bin", "calls"):
                os.unlink(os.path.join(self.stand_in, name))
        self.calls()
        self.mirror.publish()
        return self

    def machines(self):
        open(f"{self.stand_in}/machines", "w").close()

    def calls(self) -> list[str]:
        """Return what the stand-ins and the Makefiles were asked to do since the last look, without tunnel and key."""
        path = f"{self.stand_in}/calls"
        with open(path) as file:
            said = [line.split(" | ")[0].strip() for line in file]
        open(path, "w").close()
        return [line for line in said if " refresh-units " not in line]

    def fail(self, words):
        """Have the next calls with these words fail, until `mend`."""
        with open(f"{self.stand_in}/fail-now", "w") as file:
            file.write(words)

    def mend(self):
        os.unlink(f"{self.stand_in}/fail-now")

    def config(self) -> list[str]:
        with open(f"{self.stand_in}/config") as file:
            return file.read().split()

    def close(self):
        self.mirror.close()
        if hasattr(self, "agent"):
            self.agent.terminate()
            self.agent.wait()


class Talk:
    """A rigger command on a terminal, and a person in front of it."""

    def __init__(self, rigger, *arguments):
        self.child = pexpect.spawn(
            rigger.argv[0],
            [*rigger.argv[1:], *arguments],
            env={**rigger.env, "TERM": "xterm"},
            cwd=rigger.folder,
            dimensions=(40, 110),
            timeout=60,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.child.delaybeforesend = None
        self.heard = ""

    def sees(self, text):
        """Wait until a text is on the screen, however it is coloured and wherever its lines break."""
        between = rb"(?:\x1b\[[0-9;?]*[A-Za-z]|\s)*"
        try:
            self.child.expect(between.join(re.escape(word.encode()) for word in text.split()))
        except pexpect.ExceptionPexpect:
            raise AssertionError(f"{text!r} was not shown: {self.child.before!r}") from None
        self.heard += (self.child.before + self.child.after).decode(errors="replace")
        return self

    def goes(self, *steps):
        """See each text and type what belongs to it."""
        for text, keys in steps:
            self.sees(text)
            self.child.send(keys)
        return self

    def ends(self, code=0) -> str:
        self.child.expect(pexpect.EOF)
        self.heard += self.child.before.decode(errors="replace")
        self.child.close()
        assert (self.child.exitstatus, self.child.signalstatus) == (code, None), self.heard
        return self.heard

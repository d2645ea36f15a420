"""Environments on the move: what is in a bundle, and a second machine that it is loaded on."""

import json
import os
import shutil
import subprocess
import sys
import tarfile

import zstandard
from conftest import Rigger

from helpers.clusters import MAKE_NODES, Cluster
from rigger.bundles import pack
from rigger.bundles.format import Member
from rigger.redact import Finder

TOKEN = "s3cret token/with+odd'chars\"and$more"
PLATFORM = """
    versions: [1.8.0, 1.9.0, 1.10.0, 2.0.0]
    version-pattern: 1[.]10[.][0-9]
    questions:
      - {name: COLOUR, default: green}
      - {name: MIRROR, default: far, changes: install}
    suites:
      smoke: {description: the first look, tests: [grows]}
      app-deploy: {description: deploy what is watched, tests: [app-deploy]}
      app-test: {description: is it right, tests: [app-test]}
      app-destroy: {description: remove it, tests: [app-destroy]}
    upgrades:
      graceful: {description: leaf by leaf, within: major, minors: 1}
      inplace: {description: all at once, within: major}
"""
VERSION_OF = 'echo "$RIGGER_FROM_VERSION to $TREE_VERSION" >"$RIGGER_STATE_DIR/running"\n'


def forest(rigger, modules) -> Cluster:
    """Return a cluster whose platform can be upgraded, backed up, restored and watched; version 1.9.0."""
    cluster = Cluster(rigger, modules, platform=PLATFORM)
    cluster.script("platform", "upgrade-graceful", VERSION_OF)
    cluster.script("platform", "upgrade-inplace", VERSION_OF)
    cluster.script("platform", "backup", 'echo data >"$RIGGER_BACKUP_FILE"; rigger-figure keys 7')
    cluster.script("platform", "restore", 'cp "$RIGGER_BACKUP_FILE" "$RIGGER_STATE_DIR/restored"')
    cluster.script("platform", "tests/app-deploy", "rigger-figure deployed 2")
    cluster.script(
        "platform", "tests/app-test", "rigger-figure lost 0; rigger-figure longest_gap_seconds 0.84"
    )
    cluster.script("platform", "tests/app-destroy", "")
    return cluster


def planted(cluster) -> Cluster:
    """Configure and provision the cluster with all that a bundle has to carry."""
    with open(os.path.join(cluster.folders["provider"], "rigger.yml"), "a") as file:
        file.write("outputs: [KEY_FILE, LIST]\n")
    cluster.script(
        "provider",
        "create",
        MAKE_NODES.replace('$n\\"}', '$n\\", \\"ssh\\": {\\"key\\": \\"$RIGGER_STATE_DIR/key\\"}}')
        + """
        echo "log in with $TOKEN"
        echo '{"resources": 2}' >"$RIGGER_STATE_DIR/terraform.tfstate"
        mkdir -p "$RIGGER_STATE_DIR/user-data"
        echo "#cloud-config" >"$RIGGER_STATE_DIR/user-data/node-1.yaml"
        rigger-save-vars KEY_FILE="$RIGGER_STATE_DIR/key" LIST="a:$RIGGER_ENVIRONMENT_DIR,b:${RIGGER_ENVIRONMENT_DIR}2"
        """,
    )
    cluster.configure("--set", "VERSION=1.9.0", env={"RIGGER_TOKEN": TOKEN})
    cluster.rigger("provision")
    cluster.rigger("test", "smoke")
    cluster.ran()
    return cluster


def elsewhere(rigger, folder, user="eve") -> Rigger:
    """Return the rigger of another person on another machine: other home, other path; the modules are the same."""
    home = os.path.join(str(folder), "elsewhere", f"home of {user}")
    os.makedirs(home, exist_ok=True)
    other = Rigger(home, home)
    other.env = {**rigger.env, "HOME": home, "USER": user, "LOGNAME": user}
    return other


def save(rigger, folder, *options, name="wood.rigger", **settings) -> str:
    """Save the current environment and return the bundle's path."""
    path = os.path.join(str(folder), name)
    rigger("save", "-o", path, *options, **settings)
    return path


def contents(path) -> dict[str, bytes]:
    """Return the files of a bundle, by name."""
    with open(path, "rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            return {member.name: archive.extractfile(member).read() for member in archive}


def fields(path) -> dict:
    found = json.loads(contents(path)["manifest.json"])
    return {name: value for name, value in found.items() if name not in ("files", "format", "rigger")}


def forge(path, forged, change_fields=None, change_files=None, modes=None) -> str:
    """Write a bundle with a valid manifest and other contents than rigger would have written."""
    files = contents(path)
    known = json.loads(files.pop("manifest.json"))["files"]
    files.pop("manifest.json.sig", None)
    files.update(change_files or {})
    members = [
        Member(name, data=data, mode=(modes or {}).get(name, int(known.get(name, {}).get("mode", "0600"), 8)))
        for name, data in files.items()
        if data is not None
    ]
    pack.pack(forged, members, {**fields(path), **(change_fields or {})})
    return forged


def tree(folder) -> dict[str, bytes]:
    """Return every file below a folder with its contents; links by where they lead."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in [*names, *folders]:
            path = os.path.join(place, name)
            if os.path.islink(path):
                found[os.path.relpath(path, folder)] = os.readlink(path).encode()
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


def holders(secret, folder) -> list[str]:
    """Return the files below a folder that betray a secret in any form."""
    finder = Finder([secret])
    return sorted(
        name
        for name, data in tree(folder).items()
        if any(finder.find(data)) or any(finder.find(os.fsencode(name)))
    )


# rigger, killed before or after it puts a certain record on the disk: the n-th one, or one such as "step-finished check".
DYING = """
import os, signal, sys
from rigger.audit.log import AuditLog
append, seen, wanted = AuditLog.append, [], sys.argv[1]
def dying(log, event, /, *arguments, **fields):
    seen.append(event)
    meant = wanted in (str(len(seen)), f"{event.name} {getattr(event, 'step', '')}".strip())
    if meant and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    record = append(log, event, *arguments, **fields)
    if meant:
        os.kill(os.getpid(), signal.SIGKILL)
    return record
AuditLog.append = dying
from rigger.__main__ import main
sys.exit(main(sys.argv[3:]))
"""


# rigger, killed just before the n-th change that it makes to the file system; it says how many there were.
FALLING = """
import os, signal, sys
number, seen = int(sys.argv[1]), []
changes = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "ctypes.dlsym"}
def falling(event, arguments):
    if event in changes:
        seen.append(event)
        if len(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(falling)
from rigger.__main__ import main
code = main(sys.argv[2:])
print(len(seen), file=sys.stderr)
sys.exit(code)
"""


def falls(rigger, number, *arguments) -> int:
    """Run a command that is killed at its n-th change to the file system; return how many there were, 0 if killed."""
    argv = [sys.executable, "-c", FALLING, str(number), *map(str, arguments)]
    done = subprocess.run(
        argv, env=rigger.env, cwd=rigger.folder, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert done.returncode in (0, -9), done.stderr.decode()
    return int(done.stderr.split()[-1]) if done.returncode == 0 else 0


def dies(rigger, record, when, *arguments) -> bool:
    """Run a command that is killed at one of its records; return whether it lived to the end instead."""
    argv = [sys.executable, "-c", DYING, str(record), when, *map(str, arguments)]
    done = subprocess.run(
        argv, env=rigger.env, cwd=rigger.folder, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == 0


def git(folder, *words) -> str:
    said = subprocess.run(
        ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.com", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def has(program) -> bool:
    return shutil.which(program) is not None

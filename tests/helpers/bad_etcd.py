"""A release of etcd with a fault, for tests: a stand-in, which is the real 3.5.1 behind a script that does it harm."""

import hashlib
import os
import tarfile

VERSION = "3.5.2"
STAND_IN = """#!/bin/bash
# A stand-in for a release of etcd with a fault, made by a test: the real etcd 3.5.1, and what a file says that happens to it.
[ "$1" != --version ] || { echo "etcd Version: VERSION"; exit; }
read -r fault on <FAULT
real=REAL/etcd name=$2
case " $on " in
    "  " | *" $name "*) ;;
    *) fault=none ;;
esac
case $fault in
    dies)
        echo "panic: this release has a fault"
        exit 1
        ;;
    # It stands still for four of five tenths of a second.
    slow)
        (
            trap 'kill -CONT $$; exit' TERM
            while kill -STOP $$; do
                sleep 0.4
                kill -CONT $$
                sleep 0.1
            done
        ) &
        ;;
    crashes) (sleep 3; kill -KILL $$) & ;;
    hangs) (sleep 3; kill -STOP $$) & ;;
esac
exec "$real" "$@"
"""


class BadRelease:
    """A mirror of etcd's releases that has the stand-in alone; what is wrong with it is said from test to test."""

    def __init__(self, folder, real):
        """`real` is the folder of the real programs of 3.5.1."""
        self.folder = folder
        self.fault_file = os.path.join(folder, "fault")
        self.fault("none")
        release = os.path.join(folder, f"v{VERSION}")
        os.makedirs(release)
        stand_in = os.path.join(folder, "etcd")
        with open(stand_in, "w") as file:
            text = STAND_IN.replace("VERSION", VERSION).replace("FAULT", f'"{self.fault_file}"')
            file.write(text.replace("real=REAL", f'real="{real}"'))
        os.chmod(stand_in, 0o755)
        name = f"etcd-v{VERSION}-linux-amd64"
        archive = os.path.join(release, f"{name}.tar.gz")
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(stand_in, f"{name}/etcd")
            for program in ("etcdctl", "etcdutl"):
                tar.add(os.path.join(real, program), f"{name}/{program}")
        with open(archive, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with open(os.path.join(release, "SHA256SUMS"), "w") as file:
            file.write(f"{digest}  {name}.tar.gz\n")

    def fault(self, what, *nodes):
        """Say what is wrong with the release: dies, slow, crashes, hangs or none, on some nodes or on all."""
        with open(self.fault_file, "w") as file:
            file.write(f"{what} {' '.join(nodes)}\n")

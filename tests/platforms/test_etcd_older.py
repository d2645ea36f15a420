"""Members that an older rigger started, before rigger-service kept them running."""

import os
import signal

import pytest
from helpers.clusters import wait_for
from helpers.etcd_members import pids, versions

# What `run` came to: the file `member` is what tells of the process.
RUN = """#!/bin/sh
home={home} configuration={configuration}
{words}
read -r stat </proc/$$/stat
start=$(echo "${{stat##*) }}" | cut -d ' ' -f 20)@$(cat /proc/sys/kernel/random/boot_id)
exec </dev/null >>"$home/etcd.log" 2>&1
echo "$$ $start $configuration" >"$home/member" && exec "$@"
"""
# And on a machine that the provider had prepared: `supervisor` is what tells of the process that starts it again.
SUPERVISE = """#!/bin/sh
home={home}
trap 'kill $! 2>/dev/null; exit 0' TERM
read -r stat </proc/$$/stat
echo "$$ $(echo "${{stat##*) }}" | cut -d ' ' -f 20)@$(cat /proc/sys/kernel/random/boot_id)" >"$home/supervisor"
while :; do sh "$home/run" & wait $!; sleep 1 & wait $!; done
"""


def start_as_before(one, node, supervised):
    """Stop a member for good and start it as that did."""
    home = os.path.join(one.machines, node, "rigger-etcd")
    with open(os.path.join(home, "member")) as file:
        pid, _, configuration = file.read().split()
    with open(os.path.join(home, "run")) as file:
        words = next(line for line in file if line.startswith("set -- ")).strip()
    os.kill(int(pid), signal.SIGKILL)
    for name in ("member", "before"):
        os.unlink(os.path.join(home, name))
    for name, text in {"run": RUN, "supervise": SUPERVISE}.items():
        with open(os.path.join(home, name), "w") as file:
            file.write(text.format(home=home, configuration=configuration, words=words))
    program = "supervise" if supervised else "run"
    one.on(node, "sh", "-c", f"setsid sh rigger-etcd/{program} </dev/null >/dev/null 2>&1 &")


@pytest.mark.slow
@pytest.mark.parametrize("supervised", [False, True], ids=["alone", "supervised"])
def test_they_are_found_checked_upgraded_and_removed(steps, supervised):
    one = steps()
    one.provision()
    one.etcdctl("put", "kept", "yes")
    for node in ("node-1", "node-2", "node-3"):
        start_as_before(one, node, supervised)
        wait_for(lambda: one.platform("check", code=None).code == 0, 60)
    before = pids(one)
    one.platform("deploy")
    one.platform("audit")
    assert pids(one) == before
    one.values["ETCD_VERSION"] = "3.5.1"
    one.platform("upgrade-graceful", RIGGER_FROM_VERSION="3.5.0")
    assert versions(one) == {"3.5.1"} and one.etcdctl("get", "kept", "--print-value-only") == "yes\n"
    assert not set(pids(one).values()) & set(before.values())
    one.platform("audit")
    one.platform("undeploy")
    wait_for(lambda: one.processes() == [])

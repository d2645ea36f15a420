"""etcd's upgrades, backups and watched applications, with a real etcd on machines of the provider `local`."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from helpers.etcd_members import members, pids, versions
from helpers.steps import LIBEXEC

STOP_BEFORE = """#!/bin/sh
# Runs a command on a node, but stops for good before the one verb on the one node that the test names.
if [ "$1 $5" = "$STOP_BEFORE" ]; then
    touch "$STOPPED"
    exec sleep 600
fi
exec {libexec}/rigger-node "$@"
"""


@pytest.fixture
def cluster(steps):
    one = steps()
    one.provision()
    return one


def upgrade(one, style, version, **options):
    """Go to a version; the one before is told as rigger tells it."""
    before, one.values["ETCD_VERSION"] = one.values["ETCD_VERSION"], version
    return one.platform(f"upgrade-{style}", RIGGER_FROM_VERSION=before, **options)


def cut(one, script, before, left, **values):
    """Run a script until it wants to run a verb on a node (`node-2 start`) and the others have come to their end,
    which leaves that many members running; then kill -9 all of it."""
    folder = os.path.join(one.home, "cut")
    os.makedirs(folder, exist_ok=True)
    stopped = os.path.join(folder, "stopped")
    if os.path.exists(stopped):
        os.unlink(stopped)
    with open(os.path.join(folder, "rigger-node"), "w") as file:
        file.write(STOP_BEFORE.format(libexec=LIBEXEC))
    os.chmod(os.path.join(folder, "rigger-node"), 0o755)
    environment = one.environment("platform", STOP_BEFORE=before, STOPPED=stopped, **values)
    environment["PATH"] = folder + os.pathsep + environment["PATH"]
    process = subprocess.Popen(
        [os.path.join(one.folders["platform"], script)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not os.path.exists(stopped):
        assert process.poll() is None and time.monotonic() < end, process.communicate()[0].decode()
        time.sleep(0.01)
    while len(running(one)) != left:
        assert time.monotonic() < end, (before, running(one))
        time.sleep(0.01)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def running(one):
    return sorted(node["name"] for node in one.nodes() if _runs(one, node["name"]))


def _runs(one, node):
    try:
        return os.path.exists(f"/proc/{one.member_process(node)}")
    except FileNotFoundError:
        return False


def leader(one):
    lines = [line.split(", ") for line in one.etcdctl("endpoint", "status").splitlines()]
    address = next(line[0] for line in lines if line[4] == "true").split("/")[2].split(":")[0]
    return next(node["name"] for node in one.nodes() if node["address"] == address)


def value(one, key):
    return one.etcdctl("get", key, "--print-value-only").strip()


def client_version(one):
    argv = [os.path.join(one.bin, "etcdctl"), "version"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[2]


# Upgrades


@pytest.mark.slow
def test_upgrades_lose_nothing_that_applications_wrote(cluster):
    cluster.platform("tests/app-deploy")
    for style, version in (
        ("graceful", "3.5.1"),
        ("inplace", "3.5.0"),
        ("inplace", "3.5.1"),
        ("graceful", "3.5.0"),
    ):
        before = pids(cluster)
        said = upgrade(cluster, style, version).out
        cluster.platform("check")
        tested = cluster.platform("tests/app-test")
        figures = {name: float(figure) for name, figure in tested.figures.items()}
        assert figures["acknowledged"] > 0 and figures["lost"] == figures["duplicated"] == 0, tested
        if style == "graceful":
            assert said.count("Restarting") == 3
            # What an election takes at most, and one request that ran into it, on a machine that is busy.
            assert figures["longest_gap_seconds"] < 5, tested
        else:
            assert "Stopping node-1 node-2 node-3" in said
            assert figures["longest_gap_ever_seconds"] >= figures["longest_gap_seconds"] > 0.2, tested
        said, _, gap = tested.out.splitlines()[-1].partition(", longest gap ")
        acknowledged = tested.figures["acknowledged"]
        assert said == f"2 applications: 0 of {acknowledged} acknowledged writes lost, 0 duplicated"
        # A shell and Python need not agree on which way a half is rounded.
        assert abs(float(gap.removesuffix(" s")) - figures["longest_gap_seconds"]) < 0.01
        assert versions(cluster) == {version} and client_version(cluster) == version
        after = pids(cluster)
        assert all(after[node] != before[node] for node in after)
        assert (upgrade(cluster, style, version).out, pids(cluster)) == ("", after)
    assert "0 of" in cluster.platform("tests/app-destroy").out
    assert cluster.etcdctl("get", "--prefix", "/rigger-app/") == ""


@pytest.mark.slow
def test_an_upgrade_that_was_killed_is_finished_by_the_next(cluster):
    cluster.platform("tests/app-deploy")
    for style, before, left in (
        ("graceful", "{follower} start", 2),
        ("graceful", "{leader} await", 3),
        ("inplace", "{follower} stop", 2),
        ("inplace", "{follower} start", 2),
        ("inplace", "node-1 tidy", 3),
    ):
        first = leader(cluster)
        follower = "node-2" if first == "node-1" else "node-1"
        cluster.values["ETCD_VERSION"] = "3.5.1"
        cut(cluster, f"upgrade-{style}", before.format(leader=first, follower=follower), left)
        cluster.platform(f"upgrade-{style}")
        cluster.platform("check")
        assert versions(cluster) == {"3.5.1"} and client_version(cluster) == "3.5.1"
        upgrade(cluster, "inplace", "3.5.0")
    assert cluster.platform("tests/app-test").figures["lost"] == "0"


@pytest.mark.slow
def test_a_leader_hands_over_before_it_is_restarted(cluster):
    first = leader(cluster)
    cluster.values["ETCD_VERSION"] = "3.5.1"
    cut(cluster, "upgrade-graceful", f"{first} stop", 3)
    assert leader(cluster) != first
    assert len(versions(cluster)) == 2
    # And the way back, from half-way.
    upgrade(cluster, "graceful", "3.5.0")
    cluster.platform("check")


@pytest.mark.slow
def test_an_upgrade_stops_nothing_while_a_member_is_ill(cluster):
    os.kill(cluster.member_process("node-2"), signal.SIGSTOP)
    before = pids(cluster)
    for style in ("graceful", "inplace"):
        environment = {"PATH": _patience_of_one_second(cluster)}
        process = cluster.environment("platform", ETCD_VERSION="3.5.1") | environment
        argv = [os.path.join(cluster.folders["platform"], f"upgrade-{style}")]
        done = subprocess.run(argv, env=process, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and "while a" in done.stderr and "not healthy" in done.stderr, done.stderr
        assert pids(cluster) == before
    os.kill(before["node-2"], signal.SIGCONT)


def _patience_of_one_second(one):
    """Return a PATH on which awaiting a member takes a second instead of sixty."""
    folder = os.path.join(one.home, "impatient")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "rigger-node"), "w") as file:
        file.write(f"""#!/bin/bash
            if [[ $5 == await ]]; then set -- "${{@:1:7}}" 1; fi
            exec {LIBEXEC}/rigger-node "$@" """)
    os.chmod(os.path.join(folder, "rigger-node"), 0o755)
    return folder + os.pathsep + one.environment("platform")["PATH"]


@pytest.mark.slow
def test_jumps_that_etcd_cannot_make_are_refused(cluster):
    cluster.platform("install", ETCD_VERSION="3.5.1")
    # The programs are never run: what is refused is refused before.
    for machine in ("node-1", "node-2", "node-3"):
        folder = os.path.join(cluster.machines, machine, "rigger-etcd")
        shutil.copytree(os.path.join(folder, "3.5.1"), os.path.join(folder, "3.7.0"))
        shutil.copytree(os.path.join(folder, "3.5.1"), os.path.join(folder, "3.4.9"))
    values = {"ETCD_BIN_DIR": os.path.join(cluster.home, "own")}
    os.mkdir(values["ETCD_BIN_DIR"])
    before = pids(cluster)
    for version, reason in (("3.7.0", "go to 3.6 before 3.7.0"), ("3.4.9", "cannot go back to 3.4.9")):
        for program in ("etcd", "etcdctl"):
            path = os.path.join(values["ETCD_BIN_DIR"], program)
            with open(path, "w") as file:
                file.write(f"#!/bin/sh\necho etcd Version: {version}\n")
            os.chmod(path, 0o755)
        for style in ("graceful", "inplace"):
            assert reason in cluster.platform(f"upgrade-{style}", code=1, ETCD_VERSION=version, **values).out
    assert pids(cluster) == before


# Backups


@pytest.fixture
def backup(cluster, tmp_path):
    """Return a backup in which `key` is old; in the cluster it is new by now, and `more` is there."""
    file = str(tmp_path / "backup.db")
    cluster.etcdctl("put", "key", "old")
    done = cluster.platform("backup", RIGGER_BACKUP_FILE=file)
    assert done.figures["revision"] == "2" and done.figures["size_bytes"] == str(os.path.getsize(file))
    assert int(done.figures["keys"]) >= 1
    assert os.listdir(tmp_path) == ["backup.db"] and os.stat(file).st_mode & 0o77 == 0
    cluster.etcdctl("put", "key", "new")
    cluster.etcdctl("put", "more", "new")
    return file


def aside(one):
    return sorted(glob.glob(os.path.join(one.machines, "*", "rigger-etcd", "data.before-restore-*")))


@pytest.mark.slow
def test_a_backup_brings_the_old_data_back_and_leaves_the_new_ones_aside(cluster, backup):
    said = cluster.platform("restore", RIGGER_BACKUP_FILE=backup)
    cluster.platform("check")
    assert (value(cluster, "key"), value(cluster, "more")) == ("old", "")
    assert members(cluster) == ["node-1", "node-2", "node-3"]
    assert said.saved["ETCDCTL_ENDPOINTS"].count("http") == 3
    first = aside(cluster)
    assert len(first) == 3 and os.path.basename(first[0]) in said.out
    time.sleep(1)  # Folders are named by the second.
    cluster.platform("restore", RIGGER_BACKUP_FILE=backup)
    assert len(aside(cluster)) == 3 and not set(aside(cluster)) & set(first)
    # The cluster goes on as any other.
    upgrade(cluster, "graceful", "3.5.1")
    cluster.provision(1)
    assert value(cluster, "key") == "old"


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", ["changed", "cut", *(pytest.param(d, marks=pytest.mark.heavy) for d in ("empty", "none"))]
)
def test_what_is_not_a_whole_snapshot_is_refused(cluster, backup, damage):
    with open(backup, "rb") as file:
        whole = file.read()
    place = len(whole) // 2
    damaged = {
        "changed": whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
        "cut": whole[:-512],
        "empty": b"",
        "none": b"",
    }[damage]
    with open(backup, "wb") as file:
        file.write(damaged)
    if damage == "none":
        os.unlink(backup)
    before = pids(cluster)
    said = cluster.platform("restore", code=1, RIGGER_BACKUP_FILE=backup).out
    assert any(words in said for words in ("damaged", "not a snapshot", "no file")), said
    assert "the data of the cluster were not touched" in said
    assert pids(cluster) == before and value(cluster, "key") == "new"
    assert os.listdir(cluster.file("modules", "platform")) == []


@pytest.mark.parametrize("phase, is_said", [("preparing", True), ("exchanging", False), ("starting", False)])
def test_untouched_is_said_where_it_is_true(steps, phase, is_said):
    one = steps()
    with open(one.file("modules", "platform", "restoring"), "w") as file:
        file.write(f"0123 node-1=http://127.0.0.1:2380 token 20261121T064500 {phase}\n")
    said = one.platform("restore", code=1, RIGGER_BACKUP_FILE="/etc/passwd").out
    assert "/etc/passwd cannot be restored" in said
    assert ("the data of the cluster were not touched" in said) == is_said


@pytest.mark.slow
def test_no_backup_without_a_quorum(cluster, tmp_path):
    for node in ("node-1", "node-2"):
        os.kill(cluster.member_process(node), signal.SIGKILL)
    said = cluster.platform("backup", code=1, RIGGER_BACKUP_FILE=str(tmp_path / "backup.db")).out
    assert "no member answers" in said and os.listdir(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "runs"),
    [
        pytest.param("node-2 prepare_data", 3, marks=pytest.mark.heavy),
        pytest.param("{leader} lock", 1, marks=pytest.mark.heavy),
        ("node-2 exchange_data", 0),
        pytest.param("node-3 unlock", 0, marks=pytest.mark.heavy),
        ("node-1 start", 2),
    ],
)
def test_a_restore_that_was_killed_is_finished_by_the_next(cluster, backup, before, runs):
    before = before.format(leader=leader(cluster))
    cut(cluster, "restore", before, runs, RIGGER_BACKUP_FILE=backup)
    running_then = running(cluster)
    if runs == 3:
        assert value(cluster, "key") == "new"
    elif before.endswith("start"):
        assert value(cluster, "key") == "old"
    else:
        # Nothing but the restore starts a member that may have data of another kind than its neighbours.
        assert "a restore has not finished here" in cluster.platform("deploy", code=1).out
        # Where all nodes have the same data again, those that were told so may run.
        assert running(cluster) == (["node-1", "node-2"] if before.endswith("unlock") else running_then)
        said = upgrade(cluster, "inplace", "3.5.0", code=1).out
        assert "the last restore did not finish" in said
    cluster.platform("restore", RIGGER_BACKUP_FILE=backup)
    cluster.platform("check")
    assert (value(cluster, "key"), value(cluster, "more")) == ("old", "")
    # What is aside is what was there before, not what the first attempt had put there.
    assert len(aside(cluster)) == 3
    for folder in aside(cluster):
        with open(os.path.join(folder, "member", "snap", "db"), "rb") as file:
            assert b"more" in file.read() or b"more" in _logs(folder)


def _logs(folder):
    found = b""
    for name in glob.glob(os.path.join(folder, "member", "wal", "*.wal")):
        with open(name, "rb") as file:
            found += file.read()
    return found


@pytest.mark.heavy
def test_another_file_may_be_restored_after_a_restore_that_was_killed(cluster, backup, tmp_path):
    other = str(tmp_path / "other.db")
    cluster.platform("backup", RIGGER_BACKUP_FILE=other)
    cut(cluster, "restore", "node-2 exchange_data", 0, RIGGER_BACKUP_FILE=backup)
    cluster.platform("restore", RIGGER_BACKUP_FILE=other)
    cluster.platform("check")
    assert (value(cluster, "key"), value(cluster, "more")) == ("new", "new")
    assert len(aside(cluster)) == 3 and all(b"more" in _logs(folder) for folder in aside(cluster))


# Applications


@pytest.fixture
def applications(cluster):
    cluster.platform("tests/app-deploy")
    return cluster


def state(one, node=0):
    with urllib.request.urlopen(f"http://{one.nodes()[node]['address']}:8079/state", timeout=5) as answer:
        return json.load(answer)


def process_of(one, name, node):
    folder = os.path.join(one.machines, node, "rigger-etcd", "applications", name)
    with open(os.path.join(folder, "lock")) as file:
        return folder, int(file.read())


def record(name, number):
    return f"/rigger-app/{name}/{number:012}"


def wait_for_records(one, count):
    end = time.monotonic() + 30
    while state(one)["acknowledged"] < count:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_applications_write_and_tell_what_they_did(applications):
    wait_for_records(applications, 5)
    first, second = state(applications, 0), state(applications, 1)
    assert (first["name"], second["name"]) == ("app-1", "app-2") and first["word"] != second["word"]
    assert first["members"][0] != second["members"][0] and len(first["members"]) == 3
    assert first["written"] >= first["acknowledged"] >= 5 and first["unknown"] == 0
    assert value(applications, record("app-1", 3)) == f"3 {first['word']}"
    address = applications.nodes()[0]["address"]
    with urllib.request.urlopen(f"http://{address}:8079/ledger", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["start", "1", "2", "3"]
    # Those that are there stay as they are, and another home finds them on the nodes.
    applications.platform("tests/app-deploy")
    assert state(applications)["word"] == first["word"] and state(applications)["since"] == first["since"]
    os.unlink(applications.file("modules", "platform", "applications"))
    assert "2 applications" in applications.platform("tests/app-test").out


@pytest.mark.slow
def test_applications_go_with_all_that_is_theirs(applications):
    assert "; removed" in applications.platform("tests/app-destroy").out
    assert applications.etcdctl("get", "--prefix", "/rigger-app/") == ""
    assert len(applications.processes()) == 3 and os.listdir(applications.file("modules", "platform")) == []
    assert "no application" in applications.platform("tests/app-test", code=77).out
    assert "no application" in applications.platform("tests/app-destroy").out
    applications.platform("tests/app-deploy")
    applications.platform("undeploy")
    assert applications.processes() == []


def _delete(one, key, word):
    one.etcdctl("del", key)


def _write_again(one, key, word):
    one.etcdctl("put", key, f"3 {word}")


def _alter(one, key, word):
    one.etcdctl("put", key, f"4 {word}")


def _write_behind(one, key, word):
    one.etcdctl("del", key)
    one.etcdctl("put", key, f"3 {word}")


def _add(one, key, word):
    one.etcdctl("put", key + "b", f"3 {word}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "figure", "said"),
    [
        (_delete, "lost", "1 of"),
        pytest.param(_write_again, "duplicated", "1 duplicated", marks=pytest.mark.heavy),
        pytest.param(_alter, "altered", "1 altered", marks=pytest.mark.heavy),
        (_write_behind, "out_of_order", "1 out of order"),
        pytest.param(_add, "unexpected", "1 unexpected", marks=pytest.mark.heavy),
    ],
)
def test_what_happened_to_a_record_is_noticed(applications, fault, figure, said):
    wait_for_records(applications, 5)
    fault(applications, record("app-1", 3), state(applications)["word"])
    wait_for_records(applications, 8)
    for script in ("tests/app-test", "tests/app-destroy"):
        done = applications.platform(script, code=1)
        kinds = ("lost", "duplicated", "altered", "unexpected", "out_of_order")
        found = {kind: done.figures[kind] for kind in kinds if done.figures[kind] != "0"}
        # Whatever is written out of order comes behind all that were there, so those seem to come before it.
        assert found.pop(figure) == "1" or figure == "out_of_order", done
        assert found == {} and "app-1 on node-1:" in done.out, done
        assert figure == "out_of_order" or said in done.out.splitlines()[-1]
    # The applications are gone all the same.
    assert len(applications.processes()) == 3
    assert applications.etcdctl("get", "--prefix", "/rigger-app/") == ""


@pytest.mark.slow
def test_an_application_that_crashed_is_noticed_and_goes_on_where_it_was(applications):
    wait_for_records(applications, 5)
    folder, process = process_of(applications, "app-1", "node-1")
    os.kill(process, signal.SIGKILL)
    done = applications.platform("tests/app-test", code=1)
    assert "app-1 on node-1: it does not run any more" in done.out and done.figures["lost"] == "0"
    # Killed in the middle of a line, and behind a record that nobody told it was acknowledged.
    with open(os.path.join(folder, "ledger"), "r+b") as file:
        lines = file.read().splitlines(keepends=True)
        file.truncate(sum(map(len, lines[:-1])) + 3)
    applications.platform("tests/app-deploy")
    applications.platform("tests/app-test")
    with open(os.path.join(folder, "ledger")) as file:
        numbers = [line.split()[0] for line in file if not line.startswith("start")]
    assert (
        numbers == [str(number) for number in range(1, len(numbers) + 1)] and len(numbers) >= len(lines) - 1
    )


@pytest.mark.slow
def test_a_cluster_that_is_away_is_a_gap_and_nothing_is_written_twice(applications):
    wait_for_records(applications, 3)
    for node in ("node-1", "node-2"):
        os.kill(applications.member_process(node), signal.SIGSTOP)
    time.sleep(2.5)
    for node in ("node-1", "node-2"):
        os.kill(applications.member_process(node), signal.SIGCONT)
    applications.platform("check", code=None)
    done = applications.platform("tests/app-test")
    # Requests that nobody answered had been sent by then, some more than once.
    assert state(applications)["unknown"] + state(applications, 1)["unknown"] >= 2
    assert float(done.figures["longest_gap_seconds"]) > 2 and done.figures["duplicated"] == "0"
    again = applications.platform("tests/app-test").figures
    assert float(again["longest_gap_seconds"]) < float(again["longest_gap_ever_seconds"])


@pytest.mark.heavy
def test_an_application_that_does_not_write_is_noticed(applications):
    _, process = process_of(applications, "app-2", "node-2")
    os.kill(process, signal.SIGSTOP)
    done = applications.platform("tests/app-test", code=1)
    assert "app-2 on node-2: it does not write any more" in done.out and "app-1" not in done.out
    assert float(done.figures["longest_gap_seconds"]) > 4
    os.kill(process, signal.SIGCONT)
    applications.platform("tests/app-destroy")


@pytest.mark.slow
def test_an_application_whose_node_lost_it_is_noticed(applications):
    folder, process = process_of(applications, "app-2", "node-2")
    os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder)
    said = applications.platform("tests/app-test", code=1).out
    assert "app-2 on node-2 is not there any more" in said
    applications.platform("tests/app-deploy")
    assert "2 applications: 0 of" in applications.platform("tests/app-test").out


@pytest.mark.slow
def test_one_node_carries_both_applications(steps):
    one = steps()
    one.provision(1)
    one.platform("tests/app-deploy")
    assert "2 applications: 0 of" in one.platform("tests/app-test").out
    address = one.nodes()[0]["address"]
    with urllib.request.urlopen(f"http://{address}:8080/state", timeout=5) as answer:
        assert json.load(answer)["acknowledged"] > 0
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://{address}:8080/elsewhere", timeout=5)


@pytest.mark.slow
def test_a_node_without_python_is_named(cluster, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in os.listdir("/usr/bin"):
        if not name.startswith("python"):
            (programs / name).symlink_to(f"/usr/bin/{name}")
    provider = tmp_path / "local"
    shutil.copytree(cluster.folders["provider"], provider)
    script = provider / "exec"
    script.write_text(
        script.read_text().replace(
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", f"PATH={programs}"
        )
    )
    cluster.folders["provider"] = str(provider)
    said = cluster.platform("tests/app-deploy", code=1).out
    assert (
        "there is no python3, which applications need" in said and "app-1 could not be put on node-1" in said
    )


@pytest.mark.slow
def test_a_test_that_is_stopped_leaves_nothing_behind(applications):
    _, process = process_of(applications, "app-1", "node-1")
    os.kill(process, signal.SIGSTOP)
    test = subprocess.Popen(
        [os.path.join(applications.folders["platform"], "tests", "app-test")],
        env=applications.environment("platform"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Three members, two applications, and what the test has started on the nodes.
    end = time.monotonic() + 20
    while len(applications.processes()) == 5:
        assert test.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.3)
    test.terminate()
    assert test.wait(10) == 143
    # Left alone, it would go on for five seconds.
    end = time.monotonic() + 3
    while len(applications.processes()) != 5:
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(process, signal.SIGCONT)

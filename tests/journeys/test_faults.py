"""Broken surroundings: nobody listens, no room, a home that cannot be used, files that somebody broke."""

import contextlib
import fcntl
import os
import re
import resource
import shutil
import signal
import subprocess

import pytest
from conftest import Rigger
from helpers.clusters import MAKE_NODES, Cluster, killed, wait_for
from helpers.second_machine import contents

STEPS = ["provider/install", "provider/create", "platform/install", "platform/deploy", "platform/check"]
PROBE = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
MAY_MOUNT = bool(shutil.which("unshare")) and subprocess.run(PROBE, capture_output=True).returncode == 0
SENTINEL = "FIsh-SENtinEL-4711"


def only_where(possible):
    """Leave a test out where this machine cannot have what it is about."""
    return lambda test: test if possible else None


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules)
    cluster.configure()
    return cluster


def unbroken(cluster) -> bool:
    return "unbroken" in cluster.rigger("audit").out


# Nobody listens, no room


def test_a_closed_standard_output_does_not_stop_the_run(cluster):
    line = f'"{cluster.rigger.argv[0]}" -m rigger provision -v | head -1; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line],
        env=cluster.rigger.env,
        cwd=cluster.rigger.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "bug" not in done.stderr and "Exception" not in done.stderr
    assert cluster.ran() == STEPS
    assert unbroken(cluster)


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_descriptors(cluster, closed):
    """Nobody can read what is said; the work is done, and what is wrong shows in the exit code."""
    rigger = f'"{cluster.rigger.argv[0]}" -m rigger'
    for command, code in {"provision": 0, "status": 0, "config get": 0, "status -e none": 3}.items():
        done = subprocess.run(
            ["bash", "-c", f"{rigger} {command} {closed}"],
            env=cluster.rigger.env,
            cwd=cluster.rigger.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code and "bug" not in done.stderr, (command, done)
    assert cluster.ran() == STEPS
    assert not os.path.exists(cluster.rigger.path("crash.log"))


@pytest.mark.slow
def test_a_closed_standard_output_of_a_report(cluster):
    cluster.rigger("provision")
    for command in (
        "history",
        "status",
        "logs",
        "config get",
        "provision --plan -o json",
        "shellinit",
        "list",
    ):
        line = f'"{cluster.rigger.argv[0]}" -m rigger {command} | true'
        done = subprocess.run(
            ["bash", "-c", line],
            env=cluster.rigger.env,
            cwd=cluster.rigger.folder,
            capture_output=True,
            text=True,
        )
        assert done.stderr == "", command


def limited(cluster, size, *arguments):
    """Run rigger where no file may grow beyond a size in bytes, as on a full disk."""
    return subprocess.run(
        [*cluster.rigger.argv, *arguments],
        env=cluster.rigger.env,
        cwd=cluster.rigger.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.slow
def test_no_room_for_any_one_of_the_records(cluster):
    """The error strikes at one record after the other, and nothing is done that has no record."""
    cluster.rigger("provision")
    struck = set()
    for room in range(20, 6000, 600):
        cluster.rigger("config", "set", f"COLOUR=shade {room}")
        cluster.ran()
        before = len(cluster.records())
        size = os.stat(cluster.file("audit.jsonl")).st_size
        done = limited(cluster, size + room, "provision")
        assert done.returncode in (0, 4, 5), done.stderr
        assert "Traceback" not in done.stderr and "bug" not in done.stderr
        started = [r for r in cluster.records()[before:] if r["event"] == "step-started"]
        assert cluster.ran() == [f"{r['module'].split('/')[0]}/{r['step']}" for r in started]
        if done.returncode:
            assert "File too large" in done.stderr and "run the same command again" in done.stderr
            struck.add(done.returncode)
        assert unbroken(cluster)
    assert struck == {4, 5}
    cluster.rigger("provision")


def test_a_log_that_grows_too_large_does_not_stop_the_step(cluster):
    cluster.script("provider", "create", "head -c 100000 /dev/zero | tr '\\0' x\n" + MAKE_NODES)
    done = limited(cluster, 64 << 10, "provision")
    assert done.returncode == 0, done.stderr
    assert "The log of providers/soil/create is not complete" in done.stdout
    assert cluster.ran() == STEPS
    assert unbroken(cluster)


@pytest.fixture
def tiny_disk(rigger):
    """RIGGER_HOME on a file system of one megabyte."""
    os.makedirs(rigger.home)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", rigger.home], check=True)
    yield rigger.home
    subprocess.run(["umount", "-l", rigger.home], check=True)


def fill(folder):
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass


@pytest.mark.slow
@only_where(MAY_MOUNT)
def test_a_full_disk_before_a_run(tiny_disk, cluster):
    fill(tiny_disk)
    stopped = cluster.rigger("provision", code=4)
    assert "make room there: at least 64 MiB must be free" in stopped.err
    assert cluster.rigger("config", "set", "COLOUR=" + "x" * 9000, code=4)
    assert cluster.ran() == []
    for command in (
        ["config", "set", "NODES=3"],
        ["check"],
        ["configure", "--defaults", "--name", "other"],
        ["use", "wood"],
    ):
        said = cluster.rigger(*command, code=None)
        assert said.code in (0, 3, 4, 5), (command, said)
        assert "bug" not in said.err and "Traceback" not in said.err, (command, said)
    os.unlink(os.path.join(tiny_disk, "ballast"))
    assert cluster.rigger("config", "get", "NODES").out == "2\n"
    cluster.ran()
    assert unbroken(cluster)


@only_where(MAY_MOUNT)
def test_a_full_disk_keeps_nothing_that_costs_money(tiny_disk, cluster):
    subprocess.run(["mount", "-o", "remount,size=4m", tiny_disk], check=True)
    cluster.rigger.argv = [*cluster.rigger.argv[:1], "-c", SMALL_DISKS_WILL_DO]
    cluster.rigger("provision")
    fill(tiny_disk)
    cluster.ran()
    said = cluster.rigger("destroy", "-y")
    assert "wood is destroyed" in said.out
    assert cluster.ran() == ["platform/undeploy", "provider/destroy"]
    os.unlink(os.path.join(tiny_disk, "ballast"))
    assert unbroken(cluster) and cluster.records()[-1]["event"] == "destroyed"


@pytest.mark.slow
@only_where(MAY_MOUNT)
@pytest.mark.parametrize("verb", ["create", "deploy"])
def test_a_disk_that_fills_up_during_a_step_loses_nothing(tiny_disk, cluster, verb):
    # A disk this small is refused beforehand; the rule is for real ones.
    role = "provider" if verb == "create" else "platform"
    filling = 'cat /dev/zero >"$RIGGER_HOME/ballast" 2>/dev/null\n'
    cluster.script(
        role, verb, "rigger-save-vars GIVEN=kept\n" + (MAKE_NODES if verb == "create" else "") + filling
    )
    cluster.rigger.argv = [*cluster.rigger.argv[:1], "-c", SMALL_DISKS_WILL_DO]
    failed = cluster.rigger("provision", code=5)  # 4 would say that nothing was started
    assert "bug" not in failed.err and "Traceback" not in failed.err
    assert "No space left" in failed.err
    os.unlink(os.path.join(tiny_disk, "ballast"))
    assert unbroken(cluster)
    cluster.ran()
    cluster.script(role, verb, 'echo "given: $GIVEN"\n' + MAKE_NODES)
    cluster.rigger("provision")
    assert cluster.rigger("config", "get", "GIVEN").out == "kept\n"
    assert "provider/install" not in cluster.ran()
    assert unbroken(cluster)


SMALL_DISKS_WILL_DO = """
import sys
from rigger.runs import preflight
from rigger.__main__ import main
preflight.LEAST_FREE_BYTES = 0
sys.exit(main())
"""


# A home that cannot be used


@pytest.mark.parametrize("place", ["/dev/null/rigger", "/proc/rigger", ""])
def test_a_home_that_cannot_be_written(rigger, modules, tmp_path, place):
    if not place:
        (tmp_path / "file").write_text("here is a file already")
        place = str(tmp_path / "file")
    Cluster(rigger, modules)
    rigger.env["RIGGER_HOME"] = place
    refused = rigger(
        "configure", "--defaults", "--name", "wood", "--provider", "soil", "--platform", "tree", code=3
    )
    assert place in refused.err and "RIGGER_HOME" in refused.err
    for command in ("list", "status", "doctor", "provision"):
        said = rigger(command, code=None)
        assert said.code in (0, 3, 4) and "bug" not in said.err and "Traceback" not in said.err, (
            command,
            said,
        )


@pytest.fixture
def read_only(rigger):
    """A function that makes RIGGER_HOME read-only: root may write to any folder, but not to such a disk."""
    os.makedirs(rigger.home)
    if not MAY_MOUNT:
        yield lambda: subprocess.run(["chmod", "-R", "a-w", rigger.home], check=True)
        subprocess.run(["chmod", "-R", "u+w", rigger.home], check=True)
        return
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", rigger.home], check=True)
    yield lambda: subprocess.run(["mount", "-o", "remount,ro", rigger.home], check=True)
    subprocess.run(["umount", "-l", rigger.home], check=True)


@pytest.mark.slow
@only_where(MAY_MOUNT or os.geteuid())
def test_a_home_that_became_read_only(read_only, cluster):
    cluster.rigger("provision")
    read_only()
    for command in (
        "status",
        "history",
        "logs",
        "list",
        "config get",
        "audit",
        "shellinit",
        "provision --plan",
    ):
        said = cluster.rigger(*command.split(), code=0)
        assert said.out, command
    cluster.script("provider", "plan", "echo one machine more")
    said = cluster.rigger("provision", "--plan", "--again")
    assert "cannot be looked at now" in said.out and "one machine more" not in said.out
    for command in (
        "provision",
        "check",
        "destroy --yes",
        "test smoke",
        "config set NODES=3",
        "use wood",
        "forget wood --yes",
        "doctor",
    ):
        said = cluster.rigger(*command.split(), code=None)
        assert said.code in (0, 2, 3, 4), (command, said)
        assert "bug" not in said.err and "Traceback" not in said.err, (command, said)


@pytest.mark.slow
@only_where(MAY_MOUNT)
def test_the_exit_code_of_a_disk_that_cannot_be_written(read_only, cluster):
    cluster.rigger.env["EDITOR"] = "true"
    cluster.rigger("provision")
    cluster.ran()
    read_only()
    for command in (
        "provision", "check", "test smoke", "config set NODES=3", "config edit", "save -o wood.rigger -e wood",
        "configure --defaults --name wood --set NODES=3", "configure --defaults --name other", "forget wood --yes",
        "destroy --yes", "save -o " + cluster.path,
    ):  # fmt: skip
        said = cluster.rigger(*command.split(), code=None)
        wanted = 0 if command.startswith("save -o wood.rigger") else 4
        assert said.code == wanted, (command, said)
        if wanted:
            assert "Read-only file system" in said.err or "not writable" in said.err, (command, said)
    assert cluster.ran() == []


@pytest.mark.slow
@only_where(MAY_MOUNT)
def test_an_environment_on_a_read_only_disk_is_saved_elsewhere(read_only, cluster, tmp_path):
    cluster.script(
        "provider",
        "create",
        "rigger-save-vars GIVEN=kept; made=$(echo fiSH-senTINel-4711 | tr a-zA-Z A-Za-z); "
        'rigger-save-secrets "MADE=$made"; echo "made $made"; echo begun >>$NOTED; sleep 60',
    )
    child = cluster.rigger.start("provision")
    wait_for(lambda: os.path.exists(cluster.noted) and "begun" in open(cluster.noted).read())
    killed(child)
    busy = cluster.rigger("save", "-o", tmp_path / "busy.rigger", code=7)
    script = int(re.findall(r"\(process (\d+)\)", busy.err)[0])
    os.killpg(os.getpgid(script), signal.SIGKILL)

    def is_read_only():  # as soon as nobody writes any more
        with contextlib.suppress(subprocess.CalledProcessError):
            read_only()
            return True

    wait_for(is_read_only)
    with open(cluster.file("lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = cluster.rigger("save", "-o", tmp_path / "busy.rigger", code=7)
    assert "wood is locked" in busy.err and not os.path.exists(tmp_path / "busy.rigger")
    said = cluster.rigger("save", "-o", tmp_path / "x.rigger")
    assert said.out.count("Read-only file system") == 1 and "without its lock" in said.out
    assert "Secrets left out: MADE" in said.out
    packed = contents(tmp_path / "x.rigger")
    assert not any(SENTINEL.encode() in data or name.endswith(".secrets") for name, data in packed.items())
    other = Rigger(str(tmp_path / "elsewhere"), str(tmp_path))
    other.env.update(cluster.rigger.env, RIGGER_HOME=other.home, RIGGER_MADE=SENTINEL)
    other("configure", "--file", tmp_path / "x.rigger", "--no-input", "--trust")
    cluster.script("provider", "create", MAKE_NODES)
    other("provision")
    assert other("config", "get", "GIVEN").out == "kept\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["runs", "modules", "bin", "lock"])
def test_something_else_where_a_folder_or_file_should_be(cluster, name):
    path = cluster.file(name)
    if name == "lock":
        os.unlink(path)
        os.mkdir(path)
    else:
        open(path, "w").close()
    refused = cluster.rigger("provision", code=3 if name == "lock" else 4)
    assert path in refused.err and len(refused.err.splitlines()) == 2
    assert cluster.ran() == []
    os.rmdir(path) if name == "lock" else os.unlink(path)
    cluster.rigger("provision")
    assert cluster.ran() == STEPS
    assert unbroken(cluster)


# Files that somebody broke


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vars", "secrets", "inventory.json", "audit.jsonl"])
@pytest.mark.parametrize("content", [b"\xff\x00\x01 garbage (", b"NODES=$(touch pwned)\n[]"])
def test_a_corrupt_file_is_named_and_kept(cluster, name, content):
    cluster.configure("--set", "TOKEN=a-secret-token")
    cluster.rigger("provision")
    cluster.ran()
    with open(cluster.file(name), "rb") as file:
        before = file.read() if name == "audit.jsonl" else b""
    with open(cluster.file(name), "wb") as file:
        file.write(content + b"\n" + before)
    for command in ("provision", "check", "destroy --yes", "status", "logs", "config get", "test smoke"):
        said = cluster.rigger(*command.split(), code=None)
        assert "bug" not in said.err and "Traceback" not in said.err, (command, said)
        if said.code:
            assert said.code == 3 and cluster.file(name) in said.err, (command, said)
            assert len(said.err.strip().splitlines()) >= 2, (command, said)  # the sentence, and the next step
    assert cluster.rigger("provision", code=3)
    assert "wood" in cluster.rigger("list").out
    assert cluster.ran() == []
    with open(cluster.file(name), "rb") as file:
        assert file.read() == content + b"\n" + before
    assert not os.path.exists(os.path.join(cluster.rigger.folder, "pwned"))


def test_a_torn_last_record_is_set_aside(cluster):
    cluster.rigger("provision")
    with open(cluster.file("audit.jsonl"), "ab") as file:
        file.write(b'{"seq":99,"time":"2026')
    cluster.rigger("provision")
    assert "repaired" in [record["event"] for record in cluster.records()]
    assert unbroken(cluster)


def test_a_changed_record_is_found(cluster):
    cluster.rigger("provision")
    content = cluster.content("audit.jsonl")
    with open(cluster.file("audit.jsonl"), "w") as file:
        file.write(content.replace('"exit_code":0', '"exit_code":1', 1))
    found = cluster.rigger("audit", code=8)
    assert "its hash is wrong" in found.err


def test_a_lock_file_with_nonsense_in_it(cluster):
    with open(cluster.file("lock"), "wb") as file:
        file.write(b"\xff{not json")
    cluster.rigger("provision")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "-o", "json"],
        ["shellinit"],
        ["shell-reset"],
        ["config", "get", "VERSION"],
        ["list"],
    ],
)
def test_a_report_on_a_full_disk_is_no_report(cluster, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*cluster.rigger.argv, *arguments], env=cluster.rigger.env, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 4 and b"could not be written: No space left" in done.stderr

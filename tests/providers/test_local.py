"""The provider `local`: machines that are folders, addresses and processes."""

import os
import subprocess
import time

import pytest
from helpers.same_answers import same_answers
from helpers.steps import LIBEXEC, Steps


@pytest.fixture
def steps(private_home):
    made = []

    def make(**values):
        made.append(Steps(private_home, **values))
        return made[-1]

    yield make
    for one in made:
        one.provider("destroy", MACHINES_DIR=one.values.get("MACHINES_DIR", ""))
        assert one.processes() == []
        assert not os.path.exists(one.machines)


def start(one, node, script, **options):
    """Start a program on a machine that outlives the step."""
    done = one.on(
        node, "sh", "-c", f"setsid sh -c '{script}' </dev/null >/dev/null 2>&1 & echo $!", **options
    )
    assert done.returncode == 0, done
    return int(done.stdout)


def test_machines_are_made_checked_and_destroyed(steps):
    one = steps(NODES="3")
    one.provider("install")
    one.provider("create")
    assert [node["name"] for node in one.nodes()] == ["node-1", "node-2", "node-3"]
    assert len({(node["address"], node["port_offset"]) for node in one.nodes()}) == 3
    assert all(node["address"].startswith("127.") for node in one.nodes())
    one.provider("check")
    one.provider("destroy")
    one.provider("destroy")
    assert not os.path.exists(one.machines)
    assert "there are no machines" in one.provider("check", code=1).out


def test_making_them_again_changes_nothing(steps):
    one = steps()
    one.provider("create")
    before = one.nodes()
    with open(os.path.join(one.machines, "node-2", "kept"), "w") as file:
        file.write("data")
    one.provider("create")
    assert one.nodes() == before
    assert os.path.exists(os.path.join(one.machines, "node-2", "kept"))


def test_a_half_made_environment_is_completed(steps):
    one = steps()
    os.makedirs(os.path.join(one.machines, "node-1"))
    assert "no network" in one.provider("check", code=1).out
    one.provider("create")
    one.provider("check")


def test_what_is_missing_is_named(steps):
    one = steps()
    one.provider("create")
    os.rmdir(os.path.join(one.machines, "node-2"))
    assert "node-2 has no folder" in one.provider("check", code=1).out
    assert "the inventory has 3 nodes, not 4" in one.provider("check", code=1, NODES="4").out


def test_an_audit_names_what_was_changed_by_hand(steps, tmp_path):
    one = steps()
    assert "does not exist" in one.provider("audit", code=8).out
    one.provider("create")
    start(one, "node-1", "sleep 300")
    assert one.provider("audit").out == ""
    os.makedirs(os.path.join(one.machines, "node-7"))
    subprocess.Popen(["sleep", "300"], env={**os.environ, "RIGGER_MACHINE": f"{one.id}/node-7"})
    os.rename(os.path.join(one.machines, "node-2"), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", os.path.join(one.machines, "node-2"))
    os.rmdir(os.path.join(one.machines, "node-3"))
    said = one.provider("audit", code=8, NODES="4").out
    for difference in (
        "node-2 is a link",
        "node-3 has no folder",
        "node-7 is none of the machines",
        "runs on a machine that is none of this environment's",
        "the inventory has 3 machines, 4 were provisioned",
    ):
        assert difference in said
    assert said.count("\n") == 5, said


def test_an_audit_names_addresses_that_were_changed(steps):
    one = steps()
    one.provider("create")
    with open(os.path.join(one.machines, "network"), "w") as file:
        file.write("loopback 127.254.254\n")
    said = one.provider("audit", code=8).out
    assert said.count("in the inventory, but 127.254.254.") == 3
    with open(os.path.join(one.machines, "network"), "w") as file:
        file.write("carrier pigeons\n")
    assert "does not say which network" in one.provider("audit", code=8).out


def test_fewer_nodes_remove_the_last_ones_and_their_processes(steps):
    one = steps()
    one.provider("create")
    stays, goes = (start(one, node, "sleep 300") for node in ("node-1", "node-3"))
    one.provider("create", NODES="2")
    assert [node["name"] for node in one.nodes()] == ["node-1", "node-2"]
    assert not os.path.exists(os.path.join(one.machines, "node-3"))
    assert not _runs(goes) and _runs(stays)


def test_a_command_runs_as_after_a_fresh_login(steps):
    one = steps(SECRET_TOKEN="hush", ETCD_NAME="wrong")
    one.provider("create")
    done = one.on(
        "node-1",
        "sh",
        "-c",
        'env; pwd; printf "[%s]" "$@"; cat; exit 9',
        "sh",
        "two words",
        "",
        stdin=None,
        input=b"\xff",
    )
    folder = os.path.join(one.machines, "node-1")
    lines = done.stdout.decode(errors="replace").splitlines()
    assert done.returncode == 9
    assert done.stdout.endswith(b"[two words][]\xff")
    assert f"HOME={folder}" in lines and folder in lines and f"RIGGER_MACHINE={one.id}/node-1" in lines
    names = {line.partition("=")[0] for line in lines if "=" in line}
    assert names <= {
        "HOME",
        "PATH",
        "SHELL",
        "USER",
        "LOGNAME",
        "LANG",
        "RIGGER_MACHINE",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }


def test_a_command_on_a_machine_that_is_not_there_is_an_error(steps):
    one = steps()
    one.provider("create")
    os.rmdir(os.path.join(one.machines, "node-2"))
    done = one.on("node-2", "true")
    assert done.returncode == 253 and b"node-2 is not on this computer: it has no folder" in done.stderr
    # Without the folder of all machines nobody can tell.
    os.rename(os.path.dirname(one.machines), f"{os.path.dirname(one.machines)}.away")
    done = one.on("node-1", "true")
    os.rename(f"{os.path.dirname(one.machines)}.away", os.path.dirname(one.machines))
    assert done.returncode == 255 and b"node-1 has no folder" in done.stderr


def test_what_is_started_does_not_hold_the_lock(steps, tmp_path):
    one = steps()
    one.provider("create")
    argv = [os.path.join(LIBEXEC, "rigger-node"), "node-1", "sh", "-c", "ls -l /proc/$$/fd"]
    with open(tmp_path / "lock", "w") as lock:
        number = lock.fileno()
        said = []
        for variable in ("NOT_THE_LOCK", "RIGGER_LOCK_FD"):
            environment = {**one.environment("platform"), variable: str(number)}
            done = subprocess.run(argv, env=environment, capture_output=True, pass_fds=[number])
            said.append(str(tmp_path / "lock") in done.stdout.decode())
    assert said == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", ["sleep 300", 'trap "" TERM; while :; do sleep 1; done', "sleep 301 & sleep 302 & wait"]
)
def test_destroy_ends_exactly_the_processes_of_its_machines(steps, script):
    one, other = steps(NODES="1"), steps(NODES="1")
    one.provider("create")
    other.provider("create")
    mine, theirs = start(one, "node-1", script), start(other, "node-1", "sleep 300")
    marked = {**os.environ, "RIGGER_MACHINE": f"{one.id}0/node-1"}
    bystander = subprocess.Popen(["sleep", "300"], cwd=os.path.join(one.machines, "node-1"), env=marked)
    try:
        one.provider("destroy")
        assert not _runs(mine) and one.processes() == []
        assert _runs(theirs) and bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_processes_are_ended_when_their_folder_is_gone_already(steps):
    one = steps(NODES="1")
    one.provider("create")
    process = start(one, "node-1", "sleep 300")
    os.system(f"rm -r '{one.machines}'")
    one.provider("destroy")
    assert not _runs(process)


def test_folders_that_cannot_be_written_to_are_deleted(steps):
    one = steps(NODES="1")
    one.provider("create")
    folder = os.path.join(one.machines, "node-1", "read-only")
    os.makedirs(os.path.join(folder, "below"))
    os.chmod(folder, 0o500)
    one.provider("destroy")
    assert not os.path.exists(one.machines)


def test_two_environments_made_at_once_do_not_share_addresses(steps):
    for kind in ("loopback", "ports"):
        some = [steps(LOCAL_ADDRESSES=kind) for _ in range(6)]
        # The same eight digits in front: all begin with the same choice.
        for number, one in enumerate(some):
            one.id = f"deadbeef{number:02x}"
            one.machines = os.path.join(os.path.dirname(one.machines), one.id)
        started = [
            subprocess.Popen(
                [os.path.join(one.folders["provider"], "create")],
                env=one.environment("provider"),
                stdin=subprocess.DEVNULL,
            )
            for one in some
        ]
        assert [process.wait() for process in started] == [0] * 6
        networks = []
        for one in some:
            with open(os.path.join(one.machines, "network")) as file:
                networks.append(file.read())
            one.provider("destroy")
        assert len(set(networks)) == 6, networks


def test_ports_instead_of_addresses(steps):
    one = steps(LOCAL_ADDRESSES="ports")
    one.provider("create")
    offsets = [node["port_offset"] for node in one.nodes()]
    assert {node["address"] for node in one.nodes()} == {"127.0.0.1"}
    assert [offset - offsets[0] for offset in offsets] == [0, 100, 200] and 1000 <= offsets[0] <= 28000
    one.provider("check")
    assert "destroy them first" in one.provider("create", code=1, LOCAL_ADDRESSES="loopback").out


def test_another_place_for_the_machines(steps, tmp_path):
    one = steps(MACHINES_DIR=str(tmp_path / "elsewhere"))
    one.provider("create")
    assert os.path.isdir(tmp_path / "elsewhere" / one.id / "node-1")
    # They are found where they were made, whatever is configured by now.
    one.provider("check", MACHINES_DIR="")
    one.provider("destroy", MACHINES_DIR="")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_nothing_is_made_or_deleted_through_a_link(steps, tmp_path):
    one = steps()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "node-1").mkdir()
    os.makedirs(os.path.dirname(one.machines), exist_ok=True)
    os.symlink(precious, one.machines)
    for script in ("create", "destroy"):
        assert "is a link" in one.provider(script, code=1).out
    assert (precious / "node-1").is_dir()
    os.unlink(one.machines)


@pytest.mark.parametrize("identifier", ["", "..", "../../etc", "DEADBEEF00", "deadbeef0", "deadbeef00/x"])
def test_an_id_that_is_none_is_refused(steps, identifier):
    one = steps()
    right, one.id = one.id, identifier
    assert "ten hex digits" in one.provider("destroy", code=1).out
    one.id = right


@pytest.mark.parametrize("nodes", ["", "0", "-1", "x", "1000", "3; touch canary"])
def test_a_number_of_nodes_that_is_none_is_refused(steps, nodes):
    assert "NODES is" in steps().provider("create", code=1, NODES=nodes).out


def _runs(process):
    """Tell whether a process lives; a zombie that nobody has waited for does not."""
    for _ in range(20):
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return False
        except FileNotFoundError:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    "words, asked",
    [
        (("local", "etcd"), {"VERSION", "TYPE"}),
        (("local", "etcd", "--advanced"), {"VERSION", "TYPE", "NODES", "LOCAL_ADDRESSES"}),
        (("noop", "noop"), {"VERSION"}),
    ],
)
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(rigger, words, asked):
    provider, platform, *more = words
    assert asked <= {*same_answers(rigger, "--provider", provider, "--platform", platform, *more)}

"""The state moves to a shared backend and back, whatever breaks on the way."""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import pytest
from helpers.terraform_provider import instances, needs_terraform

from rigger.errors import Refused, StepFailed
from rigger.terraform import migrate, steps

pytestmark = needs_terraform


@pytest.mark.slow
def test_the_state_moves_to_a_shared_backend_and_back(clay, states):
    clay.create()
    before = clay.state()
    clay.values.update(states.settings)
    with pytest.raises(Refused, match="kept in this environment's folder, but the http backend") as problem:
        clay.create()
    assert "rigger terraform migrate" in problem.value.next_step
    clay.run(migrate.migrate)
    assert same(states.state(), before) and not os.path.exists(clay.file("terraform.tfstate"))
    clay.run(steps.check)
    clay.create(NODES="3")
    assert clay.nodes() == ["node-1", "node-2", "node-3"] and not os.path.exists(
        clay.file("terraform.tfstate")
    )
    away = states.state()
    clay.values.update(TERRAFORM_BACKEND="local")
    with pytest.raises(Refused, match="kept in the http backend"):
        clay.run(steps.destroy)
    clay.run(migrate.migrate)
    assert same(clay.state(), away) and len(clay.made()) == 3
    clay.run(steps.check)
    assert "in this environment's folder already" in clay.run(migrate.migrate)
    clay.values.update(states.settings)
    clay.run(migrate.migrate)
    clay.run(steps.destroy)
    assert instances(states.state()) == []


def same(new, old):
    """Is it the same state? Terraform counts its serial up when it is put where there was none."""
    return {**new, "serial": 0} == {**old, "serial": 0} and new["serial"] >= old["serial"]


@pytest.mark.slow
def test_a_move_meets_another_or_a_newer_state(clay, states):
    clay.create()
    mine = clay.state()
    clay.values.update(states.settings)
    states.server.states["/pots"] = json.dumps({**mine, "lineage": "somebody-else"}).encode()
    with pytest.raises(Refused, match="holds the state of something else"):
        clay.run(migrate.migrate)
    states.server.states["/pots"] = json.dumps({**mine, "serial": 99, "outputs": {}}).encode()
    with pytest.raises(Refused, match="holds a newer state .serial 99"):
        clay.run(migrate.migrate)
    states.server.states["/pots"] = json.dumps({**mine, "serial": mine["serial"] - 1, "outputs": {}}).encode()
    clay.run(migrate.migrate)
    assert same(states.state(), mine)


@pytest.mark.slow
@pytest.mark.parametrize("broken", [1, 2])
def test_a_move_that_fails_leaves_the_state_where_it_was(clay, states, broken):
    clay.create()
    before = clay.bytes()
    states.server.broken = (broken,)
    clay.values.update(states.settings)
    with pytest.raises(StepFailed, match="is still in this environment's folder"):
        clay.run(migrate.migrate)
    assert clay.bytes() == before
    clay.values["TERRAFORM_BACKEND"] = "local"
    clay.run(steps.check)
    clay.values["TERRAFORM_BACKEND"] = "http"
    clay.run(migrate.migrate)
    assert same(states.state(), json.loads(before))


@pytest.mark.slow
def test_a_move_to_a_server_that_loses_things_is_noticed(clay, states):
    clay.create()
    states.server.keeps = lambda body: json.dumps({**json.loads(body), "resources": []}).encode()
    with pytest.raises(StepFailed, match="is still in this environment's folder: what is there now is not"):
        clay.run(migrate.migrate, **states.settings)
    clay.run(steps.check, TERRAFORM_BACKEND="local")


def killed_at(number, work):
    """Do some work in a process that is killed just before its n-th change to the file system; return whether it was."""
    child = os.fork()
    if not child:
        seen = []

        def falling(event, arguments):
            if event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "subprocess.Popen"):
                seen.append(event)
                if len(seen) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(falling)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
@pytest.mark.parametrize("back", [False, True])
def test_a_move_that_is_killed_leaves_the_state_in_one_known_place(clay, states, back):
    clay.create(NODES="1")
    configured = [{"TERRAFORM_BACKEND": "local"}, states.settings]
    if back:
        clay.run(migrate.migrate, **configured[1])
        configured.reverse()
    number, points = 1, []
    while True:
        shutil.copytree(clay.folder, clay.tmp_path / "kept", dirs_exist_ok=True)
        server = dict(states.server.states)
        if not killed_at(number, lambda: clay.run(migrate.migrate, **configured[1])):
            break
        known = []
        for settings in configured:
            clay.values.update(settings)
            try:
                clay.run(steps.check)
                known.append(settings["TERRAFORM_BACKEND"])
            except Refused:
                pass
        points.append(known)
        assert len(known) == 1, (number, known)
        shutil.rmtree(clay.folder)
        os.rename(clay.tmp_path / "kept", clay.folder)
        states.server.states = server
        number += 3
    assert len(points) > 3
    clay.values.update(configured[1])
    clay.run(steps.check)


@pytest.mark.slow
def test_the_state_moves_to_s3(clay):
    """S3 is moto's server, over real HTTP on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        import boto3

        url = f"http://{host}:{port}"
        given = dict(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1")
        s3 = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        s3.create_bucket(Bucket="states")
        clay.create()
        before = clay.state()
        skip = "skip_credentials_validation skip_metadata_api_check skip_requesting_account_id use_path_style"
        settings = "bucket=states key=pots region=us-east-1 " + " ".join(
            f"{name}=true" for name in skip.split()
        )
        shared = {"TERRAFORM_BACKEND": "s3", "TERRAFORM_BACKEND_CONFIG": settings, "AWS_ENDPOINT_URL_S3": url}
        clay.run(migrate.migrate, **shared, **given)
        assert (
            json.loads(s3.get_object(Bucket="states", Key="pots")["Body"].read())["lineage"]
            == before["lineage"]
        )
        clay.create(NODES="3")
        clay.run(migrate.migrate, TERRAFORM_BACKEND="local")
        assert clay.state()["lineage"] == before["lineage"] and len(clay.made()) == 3
    finally:
        server.stop()


POSTGRES = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [
    os.path.dirname(shutil.which("initdb") or "/initdb")
]


@pytest.fixture
def postgres():
    """A PostgreSQL on loopback, as the user postgres where this is root; its connection string."""
    if not os.path.exists(os.path.join(POSTGRES[-1], "initdb")):
        pytest.skip("there is no PostgreSQL server")
    folder = tempfile.mkdtemp(prefix="pg")
    as_user = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    initdb = [*as_user, f"{POSTGRES[-1]}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -p {port}"
    control = [*as_user, f"{POSTGRES[-1]}/pg_ctl", "-D", f"{folder}/data", "-w"]
    log = ["-l", f"{folder}/log", "-o", options]
    subprocess.run([*control, *log, "start"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    yield f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    shutil.rmtree(folder)


@pytest.mark.heavy
def test_the_state_moves_to_postgresql_and_back(clay, postgres):
    clay.create()
    before = clay.state()
    clay.run(migrate.migrate, TERRAFORM_BACKEND="pg", TERRAFORM_BACKEND_CONFIG=f"conn_str={postgres}")
    assert not os.path.exists(clay.file("terraform.tfstate"))
    clay.create(NODES="3")
    clay.run(migrate.migrate, TERRAFORM_BACKEND="local")
    assert clay.state()["lineage"] == before["lineage"] and len(clay.made()) == 3
    clay.run(steps.destroy)

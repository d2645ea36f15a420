"""Records in AWS, against moto's server over HTTP: what tables of older tools have, what is refused, and faults at each call."""

import json
import subprocess
import sys

import pytest
from helpers.aws_account import REGION
from helpers.aws_records import ACCOUNT
from helpers.clusters import ended
from helpers.shop import MANIFEST, Shop, image

from rigger.environments.call import Call
from rigger.errors import BadUsage, Locked, NotReady, Refused
from rigger.releases import aws_lock, aws_store
from rigger.releases.aws_reach import Aws
from rigger.releases.aws_store import AwsStore
from rigger.values import replace

from .test_store import deployment, release

TABLE = "wellcome-releases-storage"
ARN = "arn:aws:sts::123456789012:assumed-role/deployer/ann@example"


@pytest.fixture
def store(open_aws):
    return open_aws()


@pytest.mark.slow
def test_the_table_is_as_older_tools_know_it(store, aws_server):
    assert store.table.make() is False
    found = aws_server.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    assert found["KeySchema"] == [{"AttributeName": "release_id", "KeyType": "HASH"}]
    indexes = {
        i["IndexName"]: [k["AttributeName"] for k in i["KeySchema"]] for i in found["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "project_gsi": ["project_id", "date_created"],
        "deployment_gsi": ["project_id", "last_date_deployed"],
    }
    tags = aws_server.client("dynamodb").list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
    assert {"Key": "rigger:project", "Value": "storage"} in tags


def test_items_and_parameters_are_as_older_tools_know_them(store, aws_server):
    store.put_release(release())
    store.begin_deployment(deployment())
    store.set_images("stage", {"api": "a:1"}, "ann: why")
    item = aws_server.client("dynamodb").get_item(TableName=TABLE, Key={"release_id": {"S": "r1"}})["Item"]
    assert item["last_date_deployed"] == {"S": "2026-11-02T10:00:00.000000"}
    assert item["images"] == {"M": {"api": {"S": "a:1"}}} and item["created_at"]["N"].isdigit()
    [one] = item["deployments"]["L"]
    assert one["M"]["environment"]["M"] == {"id": {"S": "stage"}, "name": {"S": "Stage"}}
    [found] = aws_server.client("ssm").describe_parameters()["Parameters"]
    assert (found["Name"], found["Description"]) == ("/storage/images/stage/api", "ann: why")


def test_an_item_of_an_older_tool(store, aws_server):
    text = {
        "release_id": "old",
        "project_id": "storage",
        "requested_by": ARN,
        "release_manifest": json.dumps({"images": {"api": "a:0"}}),
    }
    plain = {name: {"S": value} for name, value in text.items()}
    made = {"environment": "stage", "date_created": "2026-11-01T10:00:00", "requested_by": ARN}
    deployments = {"L": [{"M": {name: {"S": value} for name, value in made.items()}}]}
    item = {**plain, "date_created": {"S": "1761991200"}, "deployments": deployments}
    aws_server.client("dynamodb").put_item(TableName=TABLE, Item=item)
    old = store.release("old")
    assert (old.date, dict(old.images)) == ("2025-11-01T10:00:00.000000", {"api": "a:0"})
    assert (old.requested_by.id, old.requested_by.name) == (ARN, "ann@example")
    [one] = store.deployments("stage")
    assert (one.id, one.status, one.requested_by.name) == ("old.1", "confirmed", "ann@example")
    store.change_deployment(replace(one, status="rolled-back"))
    store.begin_deployment(deployment(of="old"))
    assert [one.status for one in store.deployments("stage")] == ["requested", "rolled-back"]


@pytest.mark.slow
def test_a_release_goes_on_in_further_items(store, open_aws, monkeypatch, aws_server):
    monkeypatch.setattr(aws_store, "FULL", 4000)
    store.put_release(release())
    made = [replace(deployment(f"d{number}"), description="x" * 300) for number in range(20)]
    for one in made:
        store.begin_deployment(one)
    store.change_deployment(replace(made[-1], status="confirmed"))
    found = aws_server.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert len(found) > 3 and max(len(json.dumps(one)) for one in found) < 8000
    assert {one["release_id"]["S"] for one in found} >= {"r1", "r1#2", "r1#3"}
    read = open_aws().release("r1").deployments
    assert [one.id for one in read] == [one.id for one in made] and read[-1].status == "confirmed"
    assert open_aws().deployments()[0].id == "d19"


def test_a_clock_that_is_behind_another_puts_nothing_before_what_was_there(store):
    store.put_release(release())
    store.begin_deployment(deployment("d1", day=3))
    store.begin_deployment(deployment("d2", day=2))
    assert [one.id for one in store.deployments("stage")] == ["d2", "d1"]


# What is refused


def test_a_table_of_another_shape(aws_here, aws_server):
    aws_server.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    for act in (AwsStore(Aws(), "storage").releases, AwsStore(Aws(), "storage").table.make):
        with pytest.raises(
            Refused, match=f"The table {TABLE} has another shape .*its key is id, not the text release_id"
        ):
            act()


def test_no_table_yet(aws_here):
    with pytest.raises(
        NotReady, match=f"There is no table {TABLE} in account {ACCOUNT}, region {REGION}"
    ) as problem:
        AwsStore(Aws(), "storage").put_release(release())
    assert "rigger release make-table" in problem.value.next_step


def test_credentials_of_another_account(store, tmp_path):
    with pytest.raises(NotReady, match=f"of account {ACCOUNT}, and the records are in account 999"):
        AwsStore(Aws(account="999"), "storage").set_images("latest", {"api": "a:1"})
    assert store.labels() == []
    record = str(tmp_path / "projects" / "storage" / "aws-account")
    AwsStore(Aws(record=record), "storage").labels()
    with open(record, "r+") as file:
        assert file.read() == f"{ACCOUNT}\n"
        file.seek(0)
        file.write("888888888888\n")
    with pytest.raises(NotReady, match="in account 888888888888, as .*aws-account says"):
        AwsStore(Aws(record=record), "storage").labels()


@pytest.mark.parametrize("name", ["", "a/b", "a b", "..", "ä"])
def test_names_that_ssm_would_not_take(store, aws_proxy, name):
    aws_proxy.reset()
    for label, images in ((name, {"api": "a:1"}), ("latest", {"api": "a:2", name: "a:1"})):
        with pytest.raises(BadUsage, match="cannot be part of a parameter's name"):
            store.set_images(label, images)
    assert "ssm:PutParameter" not in aws_proxy.calls


def test_values_over_their_limits(store):
    with pytest.raises(BadUsage, match="The image of api has 5000 bytes, and SSM takes 4096"):
        store.set_images("latest", {"worker": "w:1", "api": "a" * 5000})
    assert store.images("latest") == {}
    with pytest.raises(BadUsage, match="Release r1 would have 4.. KB, and 350 are the most"):
        store.put_release(replace(release(), description="x" * 410_000))
    assert store.releases() == []
    with pytest.raises(BadUsage, match="begins with aws or ssm"):
        AwsStore(Aws(), "aws-tools")


def test_only_what_differs_is_written(store, aws_proxy):
    store.set_images("latest", {"api": "a:1", "worker": "w:1"})
    aws_proxy.reset()
    store.set_images("latest", {"api": "a:2", "worker": "w:1", "never": None})
    assert aws_proxy.calls.count("ssm:PutParameter") == 1
    aws_proxy.reset()
    store.set_images("latest", {"api": "a:2"})
    assert "ssm:PutParameter" not in aws_proxy.calls


def test_what_aws_does_not_allow(store, aws_proxy):
    aws_proxy.answer = ("ssm:PutParameter", 400, "AccessDeniedException", "no")
    with pytest.raises(NotReady, match="These AWS credentials may not call PutParameter"):
        store.set_images("latest", {"api": "a:1"})


def test_a_role_is_taken_on(store, aws_proxy):
    aws_proxy.reset()
    AwsStore(Aws(role="arn:aws:iam::123456789012:role/deploy"), "storage").set_images(
        "latest", {"api": "a:1"}
    )
    assert aws_proxy.calls[0] == "sts:AssumeRole"


def test_a_lost_answer_makes_nothing_twice(store, aws_proxy):
    """The call is made again, and finds what it wrote itself."""

    def losing(call, act):
        aws_proxy.reset()
        aws_proxy.break_at, aws_proxy.how = call, "lost"
        act()
        assert aws_proxy.broken == 1

    losing("dynamodb:PutItem", lambda: store.put_release(release()))
    losing("dynamodb:UpdateItem", lambda: store.begin_deployment(deployment()))
    losing("dynamodb:UpdateItem", lambda: store.change_deployment(replace(deployment(), status="confirmed")))
    assert [(one.id, one.status) for one in store.deployments()] == [("d1", "confirmed")]
    losing("dynamodb:PutItem", lambda: store.set_images("latest", {"api": "a:1"}))
    losing("dynamodb:DeleteItem", lambda: store.set_images("latest", {"api": "a:2"}))
    assert store.holder("latest") == "" and store.images("latest") == {"api": "a:2"}


# The lock


@pytest.mark.slow
def test_a_lock_whose_holder_was_killed_or_is_silent(store, open_aws, monkeypatch):
    program = (
        "import os, sys; from rigger.releases.aws_reach import Aws; from rigger.releases.aws_store import AwsStore;"
        "from rigger.environments.call import Call;"
        "AwsStore(Aws(), 'storage').lock('stage', 'rigger deploy stage', Call()).__enter__(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert open_aws().holder("stage") == ""
    with store.lock("stage", "mine", Call()), monkeypatch.context() as patch:
        patch.setattr(aws_lock, "_machine", lambda: "another")  # whose processes nobody here can see
        with pytest.raises(Locked, match="it is free at 20.* UTC if nothing more is heard"):
            open_aws().lock("stage", "theirs", Call()).__enter__()
        patch.setattr(Aws, "now", lambda self: 2e9)
        with open_aws().lock("stage", "theirs", Call()):
            store._locks["stage"]._sure_until = 0.0
            with pytest.raises(Locked, match="may be somebody else's by now"):
                store.set_images("stage", {"api": "a:1"})


# Deployments, with a fault at each call

FAULTS = ("broken", "cut before", "lost", "killed")


@pytest.fixture
def shop(rigger, modules, aws):
    manifest = {"storage": {**MANIFEST["storage"], "store": "aws", "account_id": ACCOUNT}}
    rigger.env |= {**aws, "AWS_MAX_ATTEMPTS": "1"}
    shop = Shop(rigger, modules, manifest=manifest)
    assert "is made" in rigger("release", "make-table", "-y").out
    shop.build("0")
    shop.deploy("stage", "--reason", "the first")
    return shop


def faulty(shop, proxy, number, how, *words):
    """Run a command with a fault at one of its calls; return its exit code, and whether it got that far."""
    proxy.reset()
    process = shop.rigger.start(*words)
    proxy.victim, proxy.break_at, proxy.how = process, number, how
    code, said = ended(process)
    assert code != 1, said
    got_there = bool(proxy.broken)
    proxy.reset()
    return code, got_there


def every_fault(shop, proxy, store, how, step):
    number, version = 1, 1
    while True:
        shop.build(str(version))
        old, new = image(str(version - 1)), image(str(version))
        words = ("deploy", "stage", "-y", "--confirm-within=2s", "--confirm-every=0s")
        code, got_there = faulty(shop, proxy, number, how, *words)
        last, label = store.deployments("stage")[0], store.images("stage")["api"]
        if not got_there:
            assert code == 0
            return number
        assert code == -9 if how == "killed" else code in (0, 4), (number, code)
        began = store.release(last.release).images["api"] == new
        if last.status == "confirmed":
            assert (label, shop.runs()) == ((new, new) if began else (old, old)), number
        elif last.status == "failed":
            assert began and (last.applied or label == old), number
        else:
            assert began and last.under_way and label in (old, new), number
        shop.deploy("stage")
        assert shop.runs() == new and store.images("stage") == {"api": new}, number
        assert store.deployments("stage")[0].status == "confirmed"
        assert [one.images["api"] for one in store.releases()].count(new) == 1, number
        number, version = number + step, version + 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["lost", "killed"])
def test_faults_at_some_calls(shop, aws_proxy, open_aws_there, how):
    assert every_fault(shop, aws_proxy, open_aws_there(), how, 9) > 20


@pytest.mark.slow
@pytest.mark.heavy
@pytest.mark.parametrize("how", FAULTS)
def test_faults_at_every_call(shop, aws_proxy, open_aws_there, how):
    assert every_fault(shop, aws_proxy, open_aws_there(), how, 1) > 20


@pytest.mark.slow
@pytest.mark.parametrize("how", ["lost", "killed"])
def test_faults_while_a_label_is_set(shop, aws_proxy, open_aws_there, how):
    store, number = open_aws_there(), 1
    while True:
        old, new = store.images("latest"), {"api": image(f"n{number}"), "notifier": image(f"n{number}", "n")}
        words = ("image", "set", "latest", *(f"{name}={uri}" for name, uri in new.items()))
        code, got_there = faulty(shop, aws_proxy, number, how, *words)
        found = store.images("latest")
        if not got_there:
            assert (code, found) == (0, new)
            break
        assert all(found.get(name) in (old.get(name), new[name]) for name in new)
        assert code != 0 or found == new
        shop.rigger(*words)
        assert store.images("latest") == new
        number += 1
    assert number > 6


@pytest.mark.slow
def test_two_deployments_at_once(shop, open_aws_there):
    shop.build("1")
    with open_aws_there().lock("stage", "rigger deploy stage latest", Call()):
        said = shop.deploy("stage", code=7).err
        assert 'Environment stage is locked by "rigger deploy stage latest"' in said
    running = [shop.rigger.start("deploy", "stage", "-y", "--wait=1m", "--again") for _ in range(2)]
    assert [ended(one)[0] for one in running] == [0, 0]
    assert [one.status for one in open_aws_there().deployments("stage")] == ["confirmed"] * 3

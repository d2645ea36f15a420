"""The provider `aws` against moto's server over real HTTP: a whole life, faults at its calls, bad input."""

import getpass
import glob
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import types

import pytest
from helpers.aws_account import KINDS, REGION, ROOT, SECRET, Proxy, Server, Sshd, account
from helpers.clusters import wait_for
from helpers.conversations import Conversation
from helpers.machines import Machines
from helpers.same_answers import same_answers
from helpers.second_machine import elsewhere

from rigger.envfile import file as envfile
from rigger.errors import StepFailed
from rigger.process import lookup

sys.path.insert(0, os.path.join(ROOT, "providers", "aws", "lib"))

from aws import claim as aws_claim  # noqa: E402
from aws import machines as aws_machines  # noqa: E402
from aws import steps  # noqa: E402
from main import main  # noqa: E402

pytestmark = pytest.mark.skipif(
    not (shutil.which("sshd") or os.path.exists("/usr/sbin/sshd")), reason="there is no sshd here"
)
ENTER = "\r"
WEB = "versions: [1.0.0]\nports: [2379, 8080]\n"
USER_DATA = "#!/bin/sh\necho {{ RIGGER_ENVIRONMENT }} >/etc/motd\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """moto, the proxy in front of it, and an sshd for all machines."""
    folder = tmp_path_factory.mktemp("aws")
    server = Server(str(folder / "server.log"))
    proxy, sshd = Proxy(server), Sshd(folder)
    yield server, proxy, sshd
    sshd.close()
    proxy.close()
    server.close()


class World:
    """An account with nothing in it, a rigger that reaches it, and the platform `web`."""

    def __init__(self, rigger, modules, cloud):
        self.rigger = rigger
        self.server, self.proxy, self.sshd = cloud
        self.shelf = self.sshd.path("configured")
        self.server.tell("moto-api/reset")
        self.proxy.reset()
        self.sshd.new_machines()
        self.sshd.configure(os.path.dirname(rigger.home))
        folder = modules.write("platform", "web", WEB)
        with open(os.path.join(folder, "user-data.j2"), "w") as file:
            file.write(USER_DATA)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            rigger.env.pop(name, None)
        rigger.env.update(
            AWS_ENDPOINT_URL=self.proxy.url,
            AWS_ACCESS_KEY_ID="AKIATESTONLY",
            AWS_SECRET_ACCESS_KEY=SECRET,
            RIGGER_SSH_TIMEOUT="3",
        )
        self.before = account(self.server)

    def usual(self):
        mine = {"SSH_KEY": self.sshd.key, "SSH_USER": getpass.getuser()}
        return {"AWS_REGION": REGION, "PLATFORM_FROM": "203.0.113.0/24", **mine}

    def configure(self, code=0, env=None, platform="web", **values):
        return self.rigger(
            "configure",
            "--no-input",
            *("--name", "shop", "--platform", platform, "--provider", "aws"),
            *(
                part
                for name, value in {**self.usual(), **values}.items()
                if value
                for part in ("--set", f"{name}={value}")
            ),
            code=code,
            env=env,
        )

    def configured(self):
        """Have the usual environment, which is made once and copied from then on."""
        if not os.path.isdir(self.shelf):
            self.configure()
            shutil.copytree(self.rigger.home, self.shelf, symlinks=True)
        else:
            shutil.copytree(self.shelf, self.rigger.home, symlinks=True, dirs_exist_ok=True)

    def vars(self):
        return envfile.read(self.rigger.path("environments", "shop", "vars"))

    def nodes(self):
        with open(self.rigger.path("environments", "shop", "inventory.json")) as file:
            return {node["name"]: node for node in json.load(file)}

    def etcdctl(self, *arguments):
        program = self.rigger.path("environments", "shop", "bin", "etcdctl")
        endpoints = ",".join(f"http://{node['address']}:2379" for node in self.nodes().values())
        argv = [program, "--endpoints", endpoints, *arguments]
        done = subprocess.run(argv, capture_output=True, timeout=60)
        return done.stdout.decode().strip() or done.stderr.decode()

    def lead_to(self, machines):
        """Let `ssh` reach machines, on the ports that they have, and nothing else."""
        with open(os.path.join(os.path.dirname(self.rigger.home), ".ssh", "config"), "w") as file:
            for machine in machines.machines:
                file.write(f"Host {machine.address}\n  Port {machine.port}\n  ProxyCommand none\n")
            file.write("Host *\n  ProxyCommand false\n")

    def state(self, name):
        with open(self.rigger.path("environments", "shop", "modules", "aws", name), "rb") as file:
            return file.read()

    @property
    def stack(self):
        return f"rigger-shop-{self.vars()['WEB_ID']}"

    def stacks(self):
        found = self.server.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in found}

    def everything_written(self):
        """Return all that rigger wrote, but for the secrets file."""
        found = b""
        for path in glob.glob(f"{self.rigger.home}/**/*", recursive=True):
            if os.path.isfile(path) and os.path.basename(path) != "secrets":
                with open(path, "rb") as file:
                    found += file.read()
        return found


def policy():
    """Return the actions of which the manual says that rigger calls them."""
    with open(os.path.join(ROOT, "docs", "provider-aws.rst")) as file:
        text = file.read()
    found = json.loads(re.search(r'^    \{\n +"Version": "2012-10-17".*?^    \}\n', text, re.M | re.S)[0])
    return {action for one in found["Statement"] if one["Sid"] == "Rigger" for action in one["Action"]}


@pytest.fixture
def world(rigger, modules, cloud):
    world = World(rigger, modules, cloud)
    yield world
    assert set(world.proxy.calls) - policy() == set(), "the manual's policy does not allow that"


def talk_through_the_questions(world):
    """Answer every question as a person does, with what AWS offers."""
    me = f"SSH_USER={getpass.getuser()}"
    arguments = ("--name", "shop", "--platform", "web", "--provider", "aws", "--set", me)
    conversation = Conversation(world.rigger, *arguments, "--set", f"SSH_KEY={world.sshd.key}")
    conversation.goes(
        ("Which version of web?", ENTER),
        ("Which type of cluster?", ENTER),
        ("Whose AWS credentials?", ENTER),
        ("123456789012", ENTER),
        ("Which region?", REGION + ENTER),
        ("How many machines?", ENTER),
        ("Which instance type?", ENTER),
        ("Which key pair of EC2?", ENTER),
        ("Which network?", ENTER),
        ("Which availability zones?", ENTER),
        ("Who may reach ssh?", ENTER),
        ("Who may reach what the platform publishes?", f"203.0.113.0/24{ENTER}"),
        ("Which DNS zone", ENTER),
        ("Is this right?", ENTER),
    ).sees("Environment shop is configured").ends(0)


@pytest.mark.slow
def test_a_whole_life(world):
    talk_through_the_questions(world)
    assert world.vars()["AWS_ACCOUNT_ID"] == "123456789012"
    world.rigger("provision", "-y")
    nodes = world.nodes()
    assert list(nodes) == ["node-1", "node-2", "node-3"]
    assert all(node["private_address"].startswith("10.") for node in nodes.values())
    found = world.vars()
    assert found["STACK_NAME"] == world.stack and found["STACK_TAG"] == world.stack.removeprefix("rigger-")
    assert found["ELB_NAME"] and found["ELB_DNS_NAME"] == found["DOMAIN"]
    user_data = world.state("user-data")
    assert b"echo shop >/etc/motd" in user_data and b"169.254.169.123" in user_data
    with open(f"{world.sshd.key}.pub", "rb") as file:
        assert file.read().split()[1] in user_data
    assert world.stack.encode() in world.state("stack.yml")
    world.rigger("check")

    # More machines leave those that are there alone; those that leave are the ones that the platform let go.
    world.rigger("config", "set", "NODES=5")
    world.rigger("provision", "-y")
    five = world.nodes()
    assert [five[name] for name in nodes] == list(nodes.values()) and len(five) == 5
    world.rigger("config", "set", "NODES=3")
    said = world.rigger("provision", "-y", "-v")
    assert f"node-5 ({five['node-5']['labels']['instance']}) leaves" in said.out
    assert world.nodes() == nodes
    running = account(world.server)["instances"]
    assert running == sorted(node["labels"]["instance"] for node in nodes.values())

    # What somebody changes by hand is found.
    assert "unbroken" in world.rigger("audit").out
    ec2 = world.server.client("ec2")
    group = next(g for g in ec2.describe_security_groups()["SecurityGroups"] if "Firewall" in g["GroupName"])
    rule = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
    said = world.rigger("audit", "-v", code=8)
    assert "Firewall" in said.out and "3306" in said.out
    assert "3306" in world.rigger("check", "-v").out
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])

    # Suspended: no machine, and everything else.
    world.rigger("suspend", "-y")
    assert account(world.server)["instances"] == [] and world.nodes() == {}
    assert account(world.server)["balancers"]
    said = world.rigger("provision", "-y", code=3)
    assert "rigger resume" in said.err
    world.rigger("resume")
    again = world.nodes()
    assert list(again) == list(nodes) and again != nodes
    world.rigger("check")

    world.rigger("destroy", "-y")
    assert account(world.server) == world.before
    assert SECRET.encode() not in world.everything_written()
    # The policy in the manual asks for no more than what was called here, and what other tests call.
    assert policy() - set(world.proxy.calls) == {
        "autoscaling:DescribeScalingActivities",  # while machines are slow to start
        "cloudformation:DeleteChangeSet",  # by rigger provision --plan
        "cloudformation:ListChangeSets",  # after a kill
        "ec2:DescribeImages",  # with IMAGE_ID
        "ec2:DescribeSubnets",  # in a network that exists
        "elasticloadbalancing:DescribeTargetGroups",  # while AWS still lists what is gone
        "servicequotas:GetAWSDefaultServiceQuota",  # in an account that never had a quota of its own
    }


@pytest.fixture
def machines(tmp_path, world):
    """Real machines: the account hands out their addresses, so that nothing stands between rigger and them."""
    with Machines(tmp_path, 3) as machines:
        world.server.tell("test/addresses", " ".join(m.address for m in machines.machines))
        world.lead_to(machines)
        yield machines
    world.server.tell("test/addresses")


@pytest.mark.slow
def test_etcd_on_machines_of_aws(world, machines, etcd_cache):
    os.makedirs(etcd_cache, exist_ok=True)
    os.makedirs(world.rigger.home, mode=0o700, exist_ok=True)
    os.symlink(etcd_cache, world.rigger.path("cache"))
    here = f"{machines[1].address}/32"
    mine = {"SSH_KEY": machines.key, "SSH_USER": machines.user, "SSH_FROM": here, "PLATFORM_FROM": ""}
    world.configure(platform="etcd", **mine)
    said = world.rigger("provision", "-y", "-v")
    nodes = world.nodes()
    assert {node["address"] for node in nodes.values()} == {m.address for m in machines.machines}
    assert world.etcdctl("member", "list").count("started") == 3
    assert "4 passed" in world.rigger("test", "smoke").out
    world.rigger("check")
    template = world.state("stack.yml").decode()
    assert re.findall(r"FromPort: 2379, ToPort: 2379, CidrIp: (.*)}", template) == [
        f'"{here}"',
        '"10.71.0.0/16"',
    ]
    assert world.etcdctl("put", "greeting", "from before") == "OK"

    # The machines go, their data stays here, and is on the new machines afterwards.
    world.rigger("suspend", "-y")
    assert account(world.server)["instances"] == []
    for number in (1, 2, 3):
        assert left_on(machines, number) == b""
        machines.new_host_key(number)
    said = world.rigger("resume", "-v")
    assert world.etcdctl("get", "greeting", "--print-value-only") == "from before", said.out
    assert "4 passed" in world.rigger("test", "smoke").out

    world.rigger("destroy", "-y")
    assert account(world.server) == world.before
    assert [left_on(machines, number) for number in (1, 2, 3)] == [b""] * 3


def left_on(machines, number):
    """Return the names of the environments that a machine has something of."""
    home = machines[number].home
    base = "/var/lib/rigger" if machines.user == "root" else f"{home}/.local/share/rigger"
    return machines.run(number, "ls", base, code=None).stdout


def broken_at(world, verb, number, how):
    """Run a command while one of its calls to AWS is broken, and wait until all that it started has ended."""
    world.proxy.reset()
    world.proxy.break_at, world.proxy.how = number, how
    running = world.rigger.start(*verb)
    world.proxy.victim = running
    said, _ = running.communicate(timeout=120)
    if how.startswith("cut"):  # what is tried again is nobody's concern
        assert running.returncode == 0, said.decode()
    reached = world.proxy.broken == 1
    world.proxy.reset()
    wait_for(lambda: world.rigger("list", code=None).code == 0 and not held(world))
    return reached


def held(world):
    return lookup.processes_holding(world.rigger.path("environments", "shop", "lock"))


def faulty_life(world, verb, number, how):
    """Break a call; whatever came of it, the same command goes on, and a destroy leaves nothing."""
    # The second try gets through where the first was cut; elsewhere the step ends by it.
    world.rigger.env["AWS_MAX_ATTEMPTS"] = "2" if how.startswith("cut") else "1"
    if verb == "destroy":
        world.rigger("provision", "-y")
    reached = broken_at(world, [verb, "-y"], number, how)
    assert len([name for name in world.stacks() if name.startswith("rigger-")]) <= 1
    if verb == "provision":
        world.rigger("provision", "-y")
        assert len(account(world.server)["instances"]) == 3
    world.rigger("destroy", "-y")
    assert account(world.server) == world.before
    return reached


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb, call, how",
    [
        ("provision", "cloudformation:CreateChangeSet", "cut after"),
        pytest.param("provision", "cloudformation:ExecuteChangeSet", "cut after", marks=pytest.mark.heavy),
        ("provision", "cloudformation:ExecuteChangeSet", "killed"),
        ("destroy", "cloudformation:DeleteStack", "killed"),
    ],
)
def test_a_fault_leaves_nothing_behind(world, verb, call, how):
    world.configured()
    assert faulty_life(world, verb, call, how)


@pytest.mark.heavy
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("verb, least", [("provision", 20), ("destroy", 12)])
def test_a_fault_at_every_call(world, verb, least, how):
    """At the first call, the second, and so on, until a run makes no more calls than that."""
    world.configured()
    number = 1
    while faulty_life(world, verb, number, how):
        print(f"{verb}, call {number}, {how}: nothing is left")
        number += 1
    assert number > least


# Bad input


@pytest.mark.slow
@pytest.mark.parametrize(
    "code, sentence",
    [
        ("ExpiredToken", "The AWS credentials have expired"),
        ("InvalidClientTokenId", "AWS does not accept these credentials"),
    ],
)
def test_credentials_that_are_not_accepted(world, code, sentence):
    world.proxy.answer = ("sts:GetCallerIdentity", 403, code, "no")
    said = world.configure(code=2)
    assert sentence in said.err and "Traceback" not in said.err
    assert SECRET not in said.err + said.out
    world.proxy.answer = None
    world.configured()
    world.proxy.answer = ("sts:GetCallerIdentity", 403, code, "no")
    said = world.rigger("provision", "-y", "-v", code=4)
    assert (
        f"nothing was started:\n  preflight of aws: {sentence}" in said.err and "rigger configure" in said.err
    )


@pytest.mark.slow
def test_a_profile_that_does_not_exist(world):
    said = world.configure(AWS_CREDENTIALS="nobody", code=2)
    assert "must be one of environment" in said.err


@pytest.mark.slow
def test_profiles_are_offered_and_used(world):
    home = os.path.dirname(world.rigger.home)
    os.makedirs(f"{home}/.aws")
    with open(f"{home}/.aws/credentials", "w") as file:
        file.write(f"[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = {SECRET}\n")
    del world.rigger.env["AWS_ACCESS_KEY_ID"], world.rigger.env["AWS_SECRET_ACCESS_KEY"]
    world.configure()
    assert world.vars()["AWS_CREDENTIALS"] == "work"


@pytest.mark.slow
def test_a_typed_key_is_kept_among_the_secrets(world):
    del world.rigger.env["AWS_ACCESS_KEY_ID"], world.rigger.env["AWS_SECRET_ACCESS_KEY"]
    typed = {"RIGGER_AWS_KEY_ID": "AKIATYPED", "RIGGER_AWS_KEY_SECRET": SECRET}
    world.configure(AWS_CREDENTIALS="typed", env=typed)
    assert envfile.read(world.rigger.path("environments", "shop", "secrets"))["AWS_KEY_SECRET"] == SECRET
    world.rigger("provision", "-y")
    assert SECRET.encode() not in world.everything_written()


@pytest.mark.slow
def test_another_account(world):
    world.configured()
    world.rigger("provision", "-y")
    path = world.rigger.path("environments", "shop", "vars")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("123456789012", "210987654321"))
    said = world.rigger("destroy", "-y", "-v", code=5)
    assert "belong to account 123456789012, but the environment is in account 210987654321" in said.out
    assert len(account(world.server)["instances"]) == 3


@pytest.mark.slow
def test_a_region_that_is_switched_off(world):
    ec2 = world.server.client("ec2")
    regions = ec2.describe_regions(AllRegions=True)["Regions"]
    off = next(r["RegionName"] for r in regions if r["OptInStatus"] == "not-opted-in")
    said = world.configure(AWS_REGION=off, code=2)
    assert f"{off} is switched off in this account" in said.err


@pytest.mark.slow
def test_a_quota_that_is_used_up(world):
    world.configured()
    world.server.tell("test/fail", "The maximum number of VPCs has been reached.")
    said = world.rigger("provision", "-y", "-v", code=5)
    assert "The maximum number of VPCs has been reached" in said.out and "ROLLBACK_COMPLETE" in said.out
    # What was rolled back is of no use: it goes, and is made again.
    said = world.rigger("provision", "-y", "-v")
    assert "made again" in said.out
    assert len(account(world.server)["instances"]) == 3


@pytest.fixture
def quota(world):
    """What changes a quota of the account, until the end of the test."""
    known = {"L-1216C47A": "32", "L-69A177A2": "50", "L-F678F1CE": "5"}
    yield lambda code, value="": world.server.tell("test/quota", f"{code} {value}")
    for code, value in known.items():
        world.server.tell("test/quota", f"{code} {value}")


def found_by_doctor(world):
    """Return the findings that are of quotas, by what they limit."""
    found = json.loads(world.rigger("doctor", "-o", "json", code=None).out)["findings"]
    return {one["what"]: one for one in found if one["what"].startswith("quota of")}


@pytest.mark.slow
def test_quotas_that_would_be_used_up_are_said_before_anything_is_made(world, quota):
    world.configured()
    found = found_by_doctor(world)
    assert [one["good"] and one["tried"] for one in found.values()] == [True, True, True]
    kind = next(name for name in found if "vCPUs" in name)
    assert found[kind]["detail"] == "32 allowed in this region, 0 used by others, 6 needed"

    # Somebody else's machines count: of the same quota alone, and only while they run.
    others = {"ImageId": "ami-12c6146b", "MinCount": 2, "MaxCount": 2}
    ec2 = world.server.client("ec2")
    ec2.run_instances(InstanceType="m5.large", **others)
    ec2.run_instances(InstanceType="g4dn.xlarge", **others)
    assert found_by_doctor(world)[kind]["detail"] == "32 allowed in this region, 4 used by others, 6 needed"
    quota("L-1216C47A", "9")
    said = world.rigger("provision", "-y", code=4)
    assert "nothing was started" in said.err and "9 allowed in this region, 4 used by others" in said.err
    assert "Service Quotas" in said.err and not world.stacks()
    quota("L-1216C47A", "10")
    world.rigger("provision", "-y")

    # Its own machines are not counted twice, and a network that is made is not asked for again.
    world.rigger("config", "set", "NODES=5")
    found = found_by_doctor(world)
    assert list(found) == [kind] and not found[kind]["good"], found
    assert found[kind]["detail"] == "10 allowed in this region, 4 used by others, 10 needed"


@pytest.mark.slow
def test_a_quota_of_networks_and_one_that_nobody_tells(world, quota):
    world.configured()
    networks = len(account(world.server)["networks"])
    quota("L-F678F1CE", str(networks))
    said = world.rigger("provision", "-y", code=4)
    assert (
        f"quota of networks (VPCs) ({networks} allowed in this region, {networks} used by others, 1 needed"
        in said.err
    )
    quota("L-F678F1CE", "5")
    quota("L-1216C47A")  # the value of every account, which another call tells
    assert all(one["good"] and one["tried"] for one in found_by_doctor(world).values())
    world.proxy.answer = ("servicequotas:GetServiceQuota", 400, "AccessDeniedException", "no")
    found = found_by_doctor(world)
    assert found and not any(one["tried"] for one in found.values())
    assert all("may not call GetServiceQuota" in one["detail"] for one in found.values())
    world.rigger("provision", "-y")


@pytest.mark.heavy
def test_a_key_pair_whose_private_half_is_missing(world):
    world.server.client("ec2").create_key_pair(KeyName="old")
    said = world.configure(KEY_PAIR="old", code=2)
    assert "is not the private half of the key pair old" in said.err
    assert "is the public half" in world.configure(SSH_KEY=f"{world.sshd.key}.pub", code=2).err


@pytest.mark.slow
def test_a_stack_that_rigger_did_not_make(world):
    world.configured()
    world.server.client("cloudformation").create_stack(
        StackName=world.stack,
        TemplateBody=json.dumps(
            {"Resources": {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}}
        ),
    )
    said = world.rigger("provision", "-y", "-v", code=5)
    assert f"There is a stack {world.stack}" in said.out and "did not make" in said.out
    world.rigger("destroy", "-y")
    assert world.stacks() == {world.stack: "CREATE_COMPLETE"}


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer(world):
    world.configured()
    world.rigger.env.update(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    said = world.rigger("provision", "-y", "-v", code=4)
    assert "AWS cannot be reached at http://127.0.0.1:9" in said.err and "AWS_ENDPOINT_URL" in said.err


@pytest.mark.slow
def test_one_byte_of_its_python_runs_create_again(world, modules):
    mine = os.path.join(modules.folder, "providers", "aws")
    shutil.copytree(os.path.join(ROOT, "providers", "aws"), mine)
    world.configured()

    def why():
        report = json.loads(world.rigger("provision", "-y", "--plan", "-o", "json").out)
        return {step["step"]: step["why"] for step in report["steps"] if step["module"] == "provider/aws"}

    world.rigger("provision", "-y")
    assert list(why()) == ["check"]
    for path in (f"{mine}/lib/main.py", f"{mine}/lib/aws/stack.py"):
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace(".", ",", 1))  # in the words of its docstring
        report = why()
        with open(path, "w") as file:
            file.write(text)
        assert (report["install"], report["create"]) == ("its script changed", "its script changed"), path
    assert list(why()) == ["check"]


@pytest.fixture
def asked(monkeypatch, tmp_path, capsys):
    """Return what a program behind a question says, with its exit code, where AWS is at an endpoint."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "RIGGER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def ask(verb, **values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        code = main([verb])
        said = capsys.readouterr()
        return code, said.out + said.err

    return ask


def test_a_listing_names_the_answer_that_it_misses(asked):
    assert asked("list-key-pairs") == (1, "SSH_KEY has no answer, and this depends on it.\n")
    assert asked("list-zones", AWS_ENDPOINT_URL="http://127.0.0.1:9")[1].startswith("INSTANCE_TYPE has no")


def test_a_key_is_typed_by_who_gives_one(asked):
    def listed(**values):
        return [line.split("\t")[0] for line in asked("list-credentials", **values)[1].splitlines()]

    assert listed() == ["environment", "typed"]
    assert listed(RIGGER_AWS_KEY_ID="AKIATYPED") == ["typed", "environment"]
    assert listed(AWS_ACCESS_KEY_ID="AKIATESTONLY") == ["environment", "typed"]


@pytest.mark.parametrize(
    "status, page",
    [
        (200, b"<!DOCTYPE html><p>Log in & go on<br>"),
        (200, b"<html></html>"),
        (404, b"<html></html>"),
        (200, b""),
    ],
)
def test_an_endpoint_that_is_not_aws(asked, status, page):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        key = {"AWS_ACCESS_KEY_ID": "AKIATESTONLY", "AWS_SECRET_ACCESS_KEY": SECRET}
        code, said = asked("list-account", AWS_ENDPOINT_URL=url, **key)
        server.shutdown()
        thread.join()
    assert code == 1 and said.count("\n") == 1
    assert said.startswith(
        f"What answers at {url} is not AWS: its reply is not the XML that AWS sends. Look at"
    )


@pytest.mark.heavy
def test_one_cause_is_told_once_and_no_key_is_asked_for(rigger):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        rigger.env.pop(name, None)
    rigger.env.update(
        AWS_EC2_METADATA_DISABLED="true", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"
    )
    arguments = ("--no-input", "--name", "shop", "--platform", "noop", "--provider", "aws")
    said = rigger("configure", *arguments, code=2).err
    assert said.count("There are no usable AWS credentials") == 1
    assert "the same reason as AWS_CREDENTIALS" in said and "AWS_KEY_ID" not in said
    assert "choices of KEY_PAIR: SSH_KEY has no answer" in said and "KeyError" not in said


@pytest.mark.slow
def test_a_stack_that_needs_a_person(world):
    world.configured()
    world.rigger("provision", "-y")
    world.server.tell("test/status", "UPDATE_ROLLBACK_FAILED")
    said = world.rigger("provision", "-y", "--again", "-v", code=5)
    assert "continue-update-rollback" in said.out
    world.rigger("destroy", "-y")
    assert account(world.server) == world.before


@pytest.mark.slow
def test_what_cannot_be_removed_is_listed(world):
    world.configured()
    world.rigger("provision", "-y")
    world.server.tell("test/block", "AWS::EC2::Subnet")
    said = world.rigger("destroy", "-y", code=5)
    assert re.search(r"subnet subnet-\w+ in eu-central-1", said.err) and "vpc vpc-" in said.err
    world.rigger("destroy", "-y")
    assert account(world.server) == world.before


@pytest.mark.slow
def test_two_networks_and_a_name(world):
    ec2 = world.server.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
    world.server.client("route53").create_hosted_zone(Name="example.org", CallerReference="1")
    world.configure(VPC_ID=vpc, SUBNET_IDS=subnet, DNS_ZONE="example.org")
    world.rigger("provision", "-y")
    assert world.vars()["DOMAIN"] == "shop.example.org"
    zone = world.server.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    names = world.server.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert "shop.example.org" in [record["Name"].rstrip(".") for record in names if record["Type"] == "A"]
    assert account(world.server)["networks"] == world.before["networks"]
    assert "ec2:DescribeSubnets" in world.proxy.calls
    world.rigger("destroy", "-y")
    assert account(world.server) == world.before


# Changes


@pytest.mark.slow
def test_the_plan_is_a_change_set_that_is_not_executed(world):
    world.configured()
    assert "does not exist; create makes it" in world.rigger("provision", "-y", "--plan").out
    assert world.stacks() == {}
    world.rigger("provision", "-y")
    before = account(world.server)
    world.rigger("config", "set", "SSH_FROM=198.51.100.0/24", "PLATFORM_FROM=198.51.100.0/24")
    said = world.rigger("provision", "-y", "--plan", "--exit-code", code=8)
    assert re.search(r"modify +Firewall  AWS::EC2::SecurityGroup", said.out)
    assert "cloudformation:DeleteChangeSet" in world.proxy.calls
    assert account(world.server) == before
    sets = world.server.client("cloudformation").list_change_sets(StackName=world.stack)["Summaries"]
    assert [one for one in sets if one["ExecutionStatus"] == "AVAILABLE"] == []


@pytest.mark.slow
def test_another_instance_type_replaces_the_machines(world):
    world.configured()
    world.rigger("provision", "-y")
    before = world.nodes()
    world.rigger("config", "set", "INSTANCE_TYPE=t3.medium")
    said = world.rigger("provision", code=2)
    assert "Machines will be replaced, and what is on them lost" in said.out + said.err
    assert world.nodes() == before
    world.rigger("provision", "-y")
    after = world.nodes()
    assert list(after) == list(before)
    assert {node["labels"]["type"] for node in after.values()} == {"t3.medium"}
    gone = {node["labels"]["instance"] for node in before.values()}
    assert gone.isdisjoint(account(world.server)["instances"])


@pytest.mark.slow
def test_production_is_spread_over_three_zones(world):
    world.configure(TYPE="production")
    world.rigger("provision", "-y")
    nodes = world.nodes().values()
    assert len(nodes) == 5 and {node["labels"]["type"] for node in nodes} == {"m6i.large"}
    # Where in a group's zones its machines are is AWS's business; moto puts all of them into the first.
    [group] = world.server.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    subnets = group["VPCZoneIdentifier"].split(",")
    found = world.server.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert {net["AvailabilityZone"] for net in found} == {f"{REGION}a", f"{REGION}b", f"{REGION}c"}
    [balancer] = world.server.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert len(balancer["AvailabilityZones"]) == 3


@pytest.mark.heavy
def test_an_image_of_ones_own(world):
    images = world.server.client("ec2").describe_images()["Images"]
    own = next(image for image in images if image["RootDeviceName"] == "/dev/sda1")["ImageId"]
    world.configure(IMAGE_ID="ami-00000000")
    said = world.rigger("provision", "-y", "-v", code=5)
    assert f"There is no image ami-00000000 in {REGION}" in said.out
    world.rigger("config", "set", f"IMAGE_ID={own}")
    world.rigger("provision", "-y")
    template = world.state("stack.yml").decode()
    assert f'ImageId: "{own}"' in template and 'DeviceName: "/dev/sda1"' in template


@pytest.mark.slow
def test_user_data_that_is_too_long(world):
    world.configured()
    path = os.path.join(world.rigger.env["RIGGER_PLATFORM_PATH"], "web", "user-data.j2")
    with open(path, "a") as file:
        file.write("# long\n" * 3000)
    said = world.rigger("provision", "-y", "-v", code=5)
    assert re.search(
        r"The user-data has 2\d{4} bytes; AWS takes 16384. Shorten what .*user-data.j2 adds", said.out
    )
    assert world.stacks() == {}


@pytest.mark.heavy
def test_what_is_under_way_is_waited_for(world):
    world.configured()
    world.rigger("provision", "-y")
    world.server.tell("test/status", "UPDATE_IN_PROGRESS")
    running = world.rigger.start("provision", "--again", "-v")
    said = b""
    while b"waiting for that to end" not in said:
        block = os.read(running.stdout.fileno(), 65536)
        assert block, said.decode()
        said += block
    world.server.tell("test/status", "UPDATE_COMPLETE")
    said += running.communicate(timeout=60)[0]
    assert running.returncode == 0, said.decode()


@pytest.mark.slow
def test_who_may_reach_the_platform_must_be_said(world):
    said = world.configure(PLATFORM_FROM="", code=2)
    assert "--set PLATFORM_FROM=" in said.err


@pytest.mark.heavy
def test_who_may_reach_ssh_may_reach_the_platform(world):
    world.configure(PLATFORM_FROM="", SSH_FROM="203.0.113.7/32")
    assert "PLATFORM_FROM" not in world.vars()
    said = world.rigger("config", "set", "SSH_FROM=0.0.0.0/0", code=None)
    assert said.code and "PLATFORM_FROM" in said.err


# What goes wrong later


def test_a_list_whose_next_page_is_no_longer_known_is_begun_again():
    """As after a lost answer: a token is good for one call. The replies are made up; the client is the real one."""
    import boto3
    from botocore.stub import Stubber

    client = boto3.client(
        "resourcegroupstaggingapi", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )

    def page(name, token=""):
        return {"ResourceTagMappingList": [{"ResourceARN": f"arn:{name}"}], "PaginationToken": token}

    def refused(stub):
        stub.add_client_error("get_resources", "PaginationTokenExpiredException", "Token does not exist", 400)

    with Stubber(client) as stub:
        stub.add_response("get_resources", page("one", "2"))
        refused(stub)
        stub.add_response("get_resources", page("one", "2"))
        stub.add_response("get_resources", page("two"))
        aws = types.SimpleNamespace(client=lambda service: client)
        assert aws_machines._tagged(aws, []) == ["arn:one", "arn:two"]
        stub.assert_no_pending_responses()
        for _ in range(aws_machines.LISTINGS):
            refused(stub)
        with pytest.raises(client.exceptions.PaginationTokenExpiredException):
            aws_machines._tagged(aws, [])


@pytest.fixture
def inside(world, monkeypatch):
    """Return what a step of the provider has, to be run here with shorter waits."""
    monkeypatch.setattr(aws_machines, "HEALTHY", 0)
    world.configured()
    world.rigger("provision", "-y")
    for name, value in world.rigger.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    folder = world.rigger.path("environments", "shop")
    found = {**world.vars(), "AWS_CREDENTIALS": "environment", "INSTANCE_TYPE": "t3.small", "NODES": "3"}
    values = {
        **found,
        "RIGGER_ENVIRONMENT": "shop",
        "RIGGER_ENVIRONMENT_ID": found["WEB_ID"],
        "RIGGER_STATE_DIR": f"{folder}/modules/aws",
        "RIGGER_INVENTORY": f"{folder}/inventory.json",
    }
    return lambda verb: getattr(steps, verb)(values)


@pytest.mark.slow
def test_machines_and_targets_that_are_unwell(world, inside, capsys):
    inside("check")
    world.server.tell("test/health", "unhealthy Health checks failed")
    with pytest.raises(StepFailed):
        inside("check")
    said = capsys.readouterr().out
    assert "error: the load balancer finds node-1 unhealthy on port 2379: Health checks failed" in said
    world.server.tell("test/health")
    # A machine that the group has put in place of another has nothing on it.
    gone = world.nodes()["node-2"]["labels"]["instance"]
    scaling = world.server.client("autoscaling")
    scaling.terminate_instance_in_auto_scaling_group(InstanceId=gone, ShouldDecrementDesiredCapacity=False)
    with pytest.raises(StepFailed):
        inside("check")
    assert "node-2 was replaced by i-" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "call, status, code, message, sentence",
    [
        (
            "cloudformation:DescribeChangeSet",
            403,
            "ExpiredToken",
            "expired",
            "The AWS credentials have expired. Renew them",
        ),
        pytest.param(
            "ec2:DescribeAvailabilityZones",
            401,
            "AuthFailure",
            "not able to validate",
            f"The region {REGION} is switched off in this account (AuthFailure). Switch it on",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "ec2:ImportKeyPair",
            401,
            "OptInRequired",
            "not subscribed",
            f"The region {REGION} is switched off in this account (OptInRequired). Switch it on",
            marks=pytest.mark.heavy,
        ),
        (
            "cloudformation:CreateChangeSet",
            400,
            "LimitExceededException",
            "Limit of 2000 stacks.",
            "A quota of the account is used up: Limit of 2000 stacks. Ask for more",
        ),
        pytest.param(
            "cloudformation:ExecuteChangeSet",
            403,
            "AccessDenied",
            "is not authorized",
            "These credentials may not call ExecuteChangeSet. Give them the rights that",
            marks=pytest.mark.heavy,
        ),
    ],
)
def test_what_aws_refuses_in_the_middle_of_a_create(world, call, status, code, message, sentence):
    world.configured()
    world.proxy.answer = (call, status, code, message)
    said = world.rigger("provision", "-y", "-v", code=5)
    assert f"error: {sentence}" in said.out and "Traceback" not in said.out + said.err


@pytest.fixture
def two(world, tmp_path):
    """Ada, who made the machines, and Bob, who loaded what she saved then."""
    world.configured()
    ada, bob = world.rigger, elsewhere(world.rigger, tmp_path, "bob")
    world.sshd.configure(os.path.dirname(bob.home))
    ada("provision", "-y")
    ada("save", "-o", str(tmp_path / "first.rigger"))
    bob("configure", "--no-input", "--trust", "--file", str(tmp_path / "first.rigger"))
    return ada, bob


def shut(who):
    """Have no machine answer: one sshd stands for all of them, and would tell what it was told."""
    with open(os.path.join(os.path.dirname(who.home), ".ssh", "config"), "w") as file:
        file.write("Host *\n  ProxyCommand false\n")


def claim_tags(world):
    found = world.server.client("ec2").describe_tags()["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found if tag["Key"].startswith("rigger:claim-")}


@pytest.mark.slow
def test_a_record_that_is_behind_is_told_by_the_tags_where_no_machine_is(world, two):
    ada, bob = two
    shut(bob)
    ada("suspend", "-y")
    before = account(world.server)
    for command in (("provision", "-y", "--again"), ("destroy", "-y"), ("check",)):
        said = bob(*command, code=8).err
        assert f"This record of shop is behind: {getpass.getuser()}@" in said
        assert 'continued with another one ("rigger suspend" at ' in said and "--take-over" in said
    assert account(world.server) == before

    # The newer bundle is the way on, and then it is the other one that is behind.
    path = os.path.join(os.path.dirname(ada.home), "second.rigger")
    ada("save", "-o", path)
    bob("configure", "--no-input", "--trust", "--file", path)
    world.sshd.configure(os.path.dirname(bob.home))
    bob("resume")
    assert "rigger resume" in ada("resume", code=8).err
    assert len(account(world.server)["instances"]) == 3
    bob("destroy", "-y")
    assert account(world.server) == world.before


@pytest.mark.slow
def test_machines_that_do_not_answer_are_guarded_by_the_tags(world, two):
    ada, bob = two
    ada("config", "set", "NODES=2")
    ada("provision", "-y")
    running = account(world.server)["instances"]
    shut(bob)
    said = bob("provision", "-y", "--again", code=8).err
    assert "It says 1.0.0 on node-1, node-2; this one 1.0.0 on node-1, node-2, node-3." in said
    assert account(world.server)["instances"] == running
    assert claim_tags(world)["rigger:claim-members"] == "node-1/node-2"

    # Whose cluster was destroyed elsewhere does not make another one by accident.
    ada("destroy", "-y")
    said = bob("provision", "-y", "--again", code=8).err
    assert "The claim of shop is gone from the tags of aws" in said
    assert account(world.server) == world.before
    ada("provision", "-y")


@pytest.mark.slow
def test_a_run_that_was_killed_stands_in_the_tags(world, two):
    ada, bob = two
    shut(bob)
    assert broken_at(world, ["suspend", "-y"], "cloudformation:ExecuteChangeSet", "killed")
    said = bob("destroy", "-y", code=8).err
    assert 'continued with another one ("rigger suspend" at ' in said
    ada("suspend", "-y")
    said = bob("destroy", "-y", "--take-over")
    assert "Taken over from " in said.out + said.err
    assert account(world.server) == world.before


@pytest.mark.slow
def test_who_may_not_read_the_tags_is_warned(world, two):
    ada, _ = two
    ada("suspend", "-y")
    world.proxy.answer = ("ec2:DescribeTags", 403, "UnauthorizedOperation", "no")
    assert "the tags of aws did not answer" in ada("resume").out


def test_a_claim_fits_into_tags():
    odd = "~/clusters of \u00c5sa/(new) 100%,=x\n"
    kept = aws_claim._encoded(odd)
    assert re.fullmatch(r"[A-Za-z0-9 +=._:/@-]*", kept) and aws_claim._decoded(kept) == odd
    assert len(aws_claim._encoded("é" * 200)) == aws_claim.LONGEST
    assert aws_claim._members([f"node-{n}" for n in range(1, 31)]).endswith("/node-30")
    assert aws_claim._members([f"node-{n}" for n in range(1, 100)]) == "99 nodes"


@pytest.mark.slow
def test_the_questions_as_data_give_the_same_answers_as_the_prompts(world):
    mine = ("--set", f"SSH_USER={getpass.getuser()}", "--set", f"SSH_KEY={world.sshd.key}")
    words = ("--provider", "aws", "--platform", "web", *mine)
    asked = same_answers(world.rigger, *words, typed={"PLATFORM_FROM": "203.0.113.0/24"})
    assert {"AWS_CREDENTIALS", "AWS_ACCOUNT_ID", "AWS_REGION", "INSTANCE_TYPE", "VPC_ID"} <= {*asked}

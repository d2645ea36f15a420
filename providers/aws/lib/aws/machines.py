"""The machines of a stack: which there are, how they are called, whether they are well."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from aws import keys
from aws.session import Aws, code
from aws.settings import TAG, Kept, Settings
from aws.stack import looks
from rigger.sdk import StepFailed, capture, read_nodes, say, write_nodes_file

STARTING = 900  # seconds until a machine is in service
ANSWERING = 600  # seconds until ssh answers
HEALTHY = 120  # seconds that a load balancer has to find a target well
LISTINGS = 3  # how often a list of several pages is begun


class Machines:
    """The autoscaling group of a stack and the instances in it."""

    def __init__(self, aws: Aws, settings: Settings, kept: Kept, group: str):
        self.aws = aws
        self.settings = settings
        self.kept = kept
        self.name = group
        self.scaling = aws.client("autoscaling")

    def group(self) -> Mapping | None:
        """Return what autoscaling says of the group."""
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        return found[0] if found else None

    def members(self) -> list[Mapping]:
        """Return the instances that belong to the group and are not on their way out."""
        found = self.group() or {}
        return [one for one in found.get("Instances", ()) if not one["LifecycleState"].startswith("Terminat")]

    def let_go(self, leaving: Sequence[str]) -> None:
        """End the very machines that the platform has let go; the group shrinks with them."""
        numbers = {name: number for number, name in self.kept.names.items()}
        present = {one["InstanceId"] for one in self.members()}
        gone = [numbers[name] for name in leaving if numbers.get(name) in present]
        for number in gone:
            say(f"{self.kept.names[number]} ({number}) leaves")
            self._terminate(number)
        if gone:
            for left in looks(lambda: {one["InstanceId"] for one in self.members()}, self.name, STARTING):
                if left.isdisjoint(gone):
                    return

    def _terminate(self, number: str) -> None:
        try:
            self.scaling.terminate_instance_in_auto_scaling_group(
                InstanceId=number, ShouldDecrementDesiredCapacity=True
            )
        except Exception as problem:
            # A try whose answer was lost has ended it already; asking again must not end another.
            if code(problem) not in ("ValidationError", "ScalingActivityInProgress"):
                raise
            if number in {one["InstanceId"] for one in self.members()}:
                raise

    def wait(self, wanted: int) -> list[Mapping]:
        """Wait until so many machines are in service and return what EC2 says of them."""
        for members in looks(self.members, self.name, STARTING):
            ready = [one for one in members if one["LifecycleState"] == "InService"]
            if len(ready) == len(members) == wanted:
                return self.described([one["InstanceId"] for one in ready])
            self._stop_if_hopeless()

    def _stop_if_hopeless(self) -> None:
        """Raise StepFailed where autoscaling says that it cannot start a machine: it would try for ever."""
        found = self.scaling.describe_scaling_activities(AutoScalingGroupName=self.name, MaxRecords=5)[
            "Activities"
        ]
        if found and found[0]["StatusCode"] == "Failed":
            raise StepFailed(
                f"{self.name} cannot start machines: {found[0].get('StatusMessage', 'no reason given').rstrip('.')}.",
                'Put that right (a quota, the instance type, the zones) and type "rigger provision".',
            )

    def described(self, numbers: Sequence[str]) -> list[Mapping]:
        """Return what EC2 says of instances, in the order of their names."""
        if not numbers:
            return []
        pages = self.aws.client("ec2").get_paginator("describe_instances").paginate(InstanceIds=list(numbers))
        found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
        self._name(sorted(found, key=lambda one: (one["LaunchTime"], one["InstanceId"])))
        return sorted(found, key=lambda one: _number(self.kept.names[one["InstanceId"]]))

    def _name(self, instances: Sequence[Mapping]) -> None:
        """Give every new instance the lowest name that is free, and take those of instances that left."""
        here = [one["InstanceId"] for one in instances]
        names = {number: name for number, name in self.kept.names.items() if number in here}
        free = (f"node-{n}" for n in range(1, 1000) if f"node-{n}" not in names.values())
        for number in here:
            if number not in names:
                names[number] = next(free)
        self.kept.names = names
        self.kept.write()

    def nodes(self, instances: Sequence[Mapping]) -> list[dict]:
        """Return the inventory's nodes."""
        return [
            {
                "name": self.kept.names[one["InstanceId"]],
                "address": one.get("PublicIpAddress") or one["PrivateIpAddress"],
                "private_address": one["PrivateIpAddress"],
                "ssh": {"user": self.settings.user, "key": self.settings.ssh_key},
                "labels": {
                    "instance": one["InstanceId"],
                    "type": one["InstanceType"],
                    "zone": one["Placement"]["AvailabilityZone"],
                },
            }
            for one in instances
        ]

    def unwell(self, values: Mapping[str, str]) -> list[str]:
        """Return a sentence about each machine that is missing, ill, or not what the inventory says."""
        members = self.members()
        problems = [
            f"{one['InstanceId']} is {one['LifecycleState']}, {one['HealthStatus']}"
            for one in members
            if (one["LifecycleState"], one["HealthStatus"].lower()) != ("InService", "healthy")
        ]
        if len(members) != self.settings.nodes:
            problems.append(f"{self.name} has {len(members)} machines, not {self.settings.nodes}")
        known = dict(self.kept.names)
        listed = {node["name"]: node["address"] for node in read_nodes(values)}
        for node in self.nodes(self.described([one["InstanceId"] for one in members])):
            if node["labels"]["instance"] not in known:
                problems.append(
                    f"{node['name']} was replaced by {node['labels']['instance']}, which has nothing on it"
                )
            elif listed.get(node["name"]) != node["address"]:
                problems.append(
                    f"{node['name']} has the address {node['address']} now, not {listed.get(node['name'])}"
                )
        self.kept.names = known  # a new machine counts as such until create has listed it
        self.kept.write()
        return problems + self._ill()

    def _ill(self) -> list[str]:
        """Return a sentence about each instance whose checks by EC2 failed."""
        numbers = [one["InstanceId"] for one in self.members()]
        if not numbers:
            return []
        found = self.aws.client("ec2").describe_instance_status(InstanceIds=numbers)["InstanceStatuses"]
        return [
            f"{one['InstanceId']} fails EC2's checks (instance {one['InstanceStatus']['Status']}, "
            f"system {one['SystemStatus']['Status']})"
            for one in found
            if "impaired" in (one["InstanceStatus"]["Status"], one["SystemStatus"]["Status"])
        ]

    def unreached(self) -> list[str]:
        """Return a sentence about each machine that the load balancer does not find well, after some patience."""
        end, pause = time.monotonic() + HEALTHY, 1.0
        while (problems := self._unhealthy()) and time.monotonic() < end:
            time.sleep(pause)
            pause = min(pause * 2, 10.0)
        return problems

    def _unhealthy(self) -> list[str]:
        balancers, problems = self.aws.client("elbv2"), []
        for target in (self.group() or {}).get("TargetGroupARNs", ()):
            for one in balancers.describe_target_health(TargetGroupArn=target)["TargetHealthDescriptions"]:
                health = one["TargetHealth"]
                if health["State"] in ("unhealthy", "initial", "unavailable"):
                    name = self.kept.names.get(one["Target"]["Id"], one["Target"]["Id"])
                    said = health.get("Description", "")
                    problems.append(
                        f"the load balancer finds {name} {health['State']} on port {one['Target'].get('Port')}"
                        + (f": {said}" if said else "")
                    )
        return problems


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def wait_for_ssh(nodes: Sequence[Mapping], values: Mapping[str, str]) -> None:
    """Wait until ssh answers on every machine; raises StepFailed with the names of those that stay silent."""
    table = os.path.join(values["RIGGER_STATE_DIR"], "starting.tsv")
    write_nodes_file(table, nodes)
    environ = {**os.environ, "RIGGER_NODES_FILE": table}
    end = time.monotonic() + ANSWERING
    while (said := capture(["rigger-node", "--all", "true"], env=environ)).exit_code:
        if time.monotonic() > end:
            reason = said.errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise StepFailed(
                f"ssh does not answer on all machines after {ANSWERING // 60} minutes: "
                f"{reason.removeprefix('error: rigger-node: ')}.",
                'See that SSH_FROM lets this machine in, and SSH_KEY; then type "rigger provision".',
            )
        time.sleep(3)


def left(aws: Aws, settings: Settings) -> list[str]:
    """Return whatever still carries the environment's tag, as `TYPE ID`.

    The tagging API lists a resource for a while after it is gone, and knows no autoscaling groups; EC2 and
    autoscaling are asked themselves:
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    others = [
        arn
        for arn in _tagged(aws, [{"Key": TAG, "Values": [settings.id]}])
        if f":{settings.account}:" in arn and arn.split(":")[2] not in ("ec2", "autoscaling")
    ]
    groups = aws.client("autoscaling").describe_tags(
        Filters=[{"Name": "key", "Values": [TAG]}, {"Name": "value", "Values": [settings.id]}]
    )
    found = [f"autoscaling group {tag['ResourceId']}" for tag in groups["Tags"]]
    return sorted({*_left_in_ec2(aws, settings), *found, *filter(None, (_there(aws, arn) for arn in others))})


def _tagged(aws: Aws, only: list[dict]) -> list[str]:
    """Return the ARNs of what carries a tag, listed anew when the answer with the next page's token was lost.

    A token is good for one call, and for 15 minutes (PaginationTokenExpiredException in the page named above).
    """
    pages = aws.client("resourcegroupstaggingapi").get_paginator("get_resources")
    listings = 0
    while True:
        listings += 1
        try:
            found = pages.paginate(TagFilters=only)
            return [resource["ResourceARN"] for page in found for resource in page["ResourceTagMappingList"]]
        except Exception as problem:
            if code(problem) != "PaginationTokenExpiredException" or listings == LISTINGS:
                raise


def _left_in_ec2(aws: Aws, settings: Settings) -> list[str]:
    ec2 = aws.client("ec2")
    only = [{"Name": "key", "Values": [TAG]}, {"Name": "value", "Values": [settings.id]}]
    tagged = [
        tag for page in ec2.get_paginator("describe_tags").paginate(Filters=only) for tag in page["Tags"]
    ]
    numbers = [tag["ResourceId"] for tag in tagged if tag["ResourceType"] == "instance"]
    pairs = [pair["KeyPairId"] for pair in keys.imported(aws, settings)]
    found = [f"key-pair {pair}" for pair in pairs]
    found += [
        f"{tag['ResourceType']} {tag['ResourceId']}"
        for tag in tagged
        if tag["ResourceType"] not in ("instance", "key-pair")
    ]
    # Terminated instances keep their tags for about an hour.
    states = [
        {
            "Name": "instance-state-name",
            "Values": ["pending", "running", "shutting-down", "stopping", "stopped"],
        }
    ]
    if numbers:
        pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=numbers, Filters=states)
        found += [
            f"instance {one['InstanceId']} ({one['State']['Name']})"
            for page in pages
            for group in page["Reservations"]
            for one in group["Instances"]
        ]
    return found


def _there(aws: Aws, arn: str) -> str:
    """Return what an ARN names, nothing where a closer look shows that it is gone."""
    balancers = aws.client("elbv2")
    looks_at = {
        "loadbalancer/": lambda: balancers.describe_load_balancers(LoadBalancerArns=[arn]),
        "targetgroup/": lambda: balancers.describe_target_groups(TargetGroupArns=[arn]),
        "stack/": lambda: _live_stack(aws, arn),
    }
    for kind, look in looks_at.items():
        if arn.split(":", 5)[5].startswith(kind):
            try:
                return f"{kind.rstrip('/')} {arn}" if look() else ""
            except Exception as problem:
                if code(problem) in ("LoadBalancerNotFound", "TargetGroupNotFound", "ValidationError"):
                    return ""
                raise
    return f"resource {arn}"


def _live_stack(aws: Aws, arn: str) -> bool:
    found = aws.client("cloudformation").describe_stacks(StackName=arn)["Stacks"]
    return bool(found) and found[0]["StackStatus"] != "DELETE_COMPLETE"

"""The machines of a stack: which there are, how they are called, whether they are well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws import keys
from aws.session import Aws, code
from aws.settings import TAG, Settings, State
from aws.stack import poll
from rigger.sdk import StepFailed, read_nodes, say

STARTING = 900  # seconds until a machine is in service
HEALTHY = 120  # seconds that a load balancer has to find a target well
LISTINGS = 3  # how often a list of several pages is begun


class Machines:
    """The autoscaling group of a stack and the instances in it."""

    def __init__(self, aws: Aws, settings: Settings, state: State, group: str):
        self.aws = aws
        self.settings = settings
        self.state = state
        self.name = group
        self.scaling = aws.client("autoscaling")

    def group(self) -> Mapping[str, Any] | None:
        """Return what autoscaling says of the group."""
        groups = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        return groups[0] if groups else None

    def members(self) -> list[Mapping[str, Any]]:
        """Return the instances that belong to the group and are not on their way out."""
        group = self.group() or {}
        return [
            instance
            for instance in group.get("Instances", ())
            if not instance["LifecycleState"].startswith("Terminat")
        ]

    def end_nodes(self, leaving: Sequence[str]) -> None:
        """End the very machines that the platform has let go; the group shrinks with them."""
        numbers = {name: number for number, name in self.state.names.items()}
        present = {instance["InstanceId"] for instance in self.members()}
        leaving_ids = [numbers[name] for name in leaving if numbers.get(name) in present]
        for number in leaving_ids:
            say(f"{self.state.names[number]} ({number}) leaves")
            self._terminate(number)
        if leaving_ids:
            for left in poll(
                lambda: {instance["InstanceId"] for instance in self.members()}, self.name, STARTING
            ):
                if left.isdisjoint(leaving_ids):
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
            if number in {instance["InstanceId"] for instance in self.members()}:
                raise

    def wait(self, wanted: int) -> list[Mapping[str, Any]]:
        """Wait until so many machines are in service and return what EC2 says of them."""
        for members in poll(self.members, self.name, STARTING):
            ready = [instance for instance in members if instance["LifecycleState"] == "InService"]
            if len(ready) == len(members) == wanted:
                return self.described([instance["InstanceId"] for instance in ready])
            self._stop_if_hopeless()
        raise AssertionError("a loop that ends by an error or a result")

    def _stop_if_hopeless(self) -> None:
        """Raise StepFailed where autoscaling says that it cannot start a machine: it would try for ever."""
        activities = self.scaling.describe_scaling_activities(AutoScalingGroupName=self.name, MaxRecords=5)[
            "Activities"
        ]
        if activities and activities[0]["StatusCode"] == "Failed":
            raise StepFailed(
                f"{self.name} cannot start machines: {activities[0].get('StatusMessage', 'no reason given').rstrip('.')}.",
                'Put that right (a quota, the instance type, the zones) and type "rigger provision".',
            )

    def described(self, numbers: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return what EC2 says of instances, in the order of their names."""
        if not numbers:
            return []
        pages = self.aws.client("ec2").get_paginator("describe_instances").paginate(InstanceIds=list(numbers))
        instances = [
            instance for page in pages for group in page["Reservations"] for instance in group["Instances"]
        ]
        self._name(sorted(instances, key=lambda instance: (instance["LaunchTime"], instance["InstanceId"])))
        return sorted(instances, key=lambda instance: _number(self.state.names[instance["InstanceId"]]))

    def _name(self, instances: Sequence[Mapping[str, Any]]) -> None:
        """Give every new instance the lowest name that is free, and take those of instances that left."""
        ids = [instance["InstanceId"] for instance in instances]
        names = {instance_id: name for instance_id, name in self.state.names.items() if instance_id in ids}
        free = (f"node-{n}" for n in range(1, 1000) if f"node-{n}" not in names.values())
        for instance_id in ids:
            if instance_id not in names:
                names[instance_id] = next(free)
        self.state.names = names
        self.state.write()

    def nodes(self, instances: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the inventory's nodes."""
        return [
            {
                "name": self.state.names[instance["InstanceId"]],
                "address": instance.get("PublicIpAddress") or instance["PrivateIpAddress"],
                "private_address": instance["PrivateIpAddress"],
                "ssh": {"user": self.settings.user, "key": self.settings.ssh_key},
                "labels": {
                    "instance": instance["InstanceId"],
                    "type": instance["InstanceType"],
                    "zone": instance["Placement"]["AvailabilityZone"],
                },
            }
            for instance in instances
        ]

    def unwell(self, values: Mapping[str, str]) -> list[str]:
        """Return a sentence about each machine that is missing, ill, or not what the inventory says."""
        members = self.members()
        problems = [
            f"{instance['InstanceId']} is {instance['LifecycleState']}, {instance['HealthStatus']}"
            for instance in members
            if (instance["LifecycleState"], instance["HealthStatus"].lower()) != ("InService", "healthy")
        ]
        if len(members) != self.settings.nodes:
            problems.append(f"{self.name} has {len(members)} machines, not {self.settings.nodes}")
        names = dict(self.state.names)
        listed = {node["name"]: node["address"] for node in read_nodes(values)}
        for node in self.nodes(self.described([instance["InstanceId"] for instance in members])):
            if node["labels"]["instance"] not in names:
                problems.append(
                    f"{node['name']} was replaced by {node['labels']['instance']}, which has nothing on it"
                )
            elif listed.get(node["name"]) != node["address"]:
                problems.append(
                    f"{node['name']} has the address {node['address']} now, not {listed.get(node['name'])}"
                )
        self.state.names = names  # a new machine counts as such until create has listed it
        self.state.write()
        return problems + self._ill()

    def _ill(self) -> list[str]:
        """Return a sentence about each instance whose checks by EC2 failed."""
        numbers = [instance["InstanceId"] for instance in self.members()]
        if not numbers:
            return []
        statuses = self.aws.client("ec2").describe_instance_status(InstanceIds=numbers)["InstanceStatuses"]
        return [
            f"{status['InstanceId']} fails EC2's checks (instance {status['InstanceStatus']['Status']}, "
            f"system {status['SystemStatus']['Status']})"
            for status in statuses
            if "impaired" in (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"])
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
            for target_health in balancers.describe_target_health(TargetGroupArn=target)[
                "TargetHealthDescriptions"
            ]:
                health = target_health["TargetHealth"]
                if health["State"] in ("unhealthy", "initial", "unavailable"):
                    name = self.state.names.get(target_health["Target"]["Id"], target_health["Target"]["Id"])
                    description = health.get("Description", "")
                    problems.append(
                        f"the load balancer finds {name} {health['State']} on port {target_health['Target'].get('Port')}"
                        + (f": {description}" if description else "")
                    )
        return problems


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def remaining_resources(aws: Aws, settings: Settings) -> list[str]:
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
    remaining = [f"autoscaling group {tag['ResourceId']}" for tag in groups["Tags"]]
    return sorted(
        {*_left_in_ec2(aws, settings), *remaining, *filter(None, (_there(aws, arn) for arn in others))}
    )


def _tagged(aws: Aws, only: list[dict[str, Any]]) -> list[str]:
    """Return the ARNs of what carries a tag, listed anew when the answer with the next page's token was lost.

    A token is good for one call, and for 15 minutes (PaginationTokenExpiredException in the page named above).
    """
    pages = aws.client("resourcegroupstaggingapi").get_paginator("get_resources")
    listings = 0
    while True:
        listings += 1
        try:
            answers = pages.paginate(TagFilters=only)
            return [
                resource["ResourceARN"] for page in answers for resource in page["ResourceTagMappingList"]
            ]
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
    remaining = [f"key-pair {pair}" for pair in pairs]
    remaining += [
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
        remaining += [
            f"instance {instance['InstanceId']} ({instance['State']['Name']})"
            for page in pages
            for group in page["Reservations"]
            for instance in group["Instances"]
        ]
    return remaining


def _there(aws: Aws, arn: str) -> str:
    """Return what an ARN names, nothing where a closer look shows that it is gone."""
    balancers = aws.client("elbv2")
    looks: dict[str, Callable[[], Any]] = {
        "loadbalancer/": lambda: balancers.describe_load_balancers(LoadBalancerArns=[arn]),
        "targetgroup/": lambda: balancers.describe_target_groups(TargetGroupArns=[arn]),
        "stack/": lambda: _live_stack(aws, arn),
    }
    for kind, look in looks.items():
        if arn.split(":", 5)[5].startswith(kind):
            try:
                return f"{kind.rstrip('/')} {arn}" if look() else ""
            except Exception as problem:
                if code(problem) in ("LoadBalancerNotFound", "TargetGroupNotFound", "ValidationError"):
                    return ""
                raise
    return f"resource {arn}"


def _live_stack(aws: Aws, arn: str) -> bool:
    stacks = aws.client("cloudformation").describe_stacks(StackName=arn)["Stacks"]
    return bool(stacks) and stacks[0]["StackStatus"] != "DELETE_COMPLETE"

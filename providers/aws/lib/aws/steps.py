"""The provider's scripts, one function each: what they do, in the order in which it is done."""

from __future__ import annotations

import time
from collections.abc import Mapping

from aws import claim as claims
from aws import keys
from aws.keys import remove_imported
from aws.machines import Machines, remaining_resources
from aws.quotas import outlooks
from aws.session import Aws
from aws.settings import Settings, State
from aws.stack import Change, Stack
from aws.template import write_template
from rigger.sdk import DifferencesFound, StepFailed, report_leftovers, save_vars, say, write_nodes

LINGERING = 60  # seconds that AWS may take to forget the tags of what it has removed


class Cluster:
    """What every step works with."""

    def __init__(self, values: Mapping[str, str]):
        self.values = values
        self.aws = Aws(values)
        self.settings = Settings.of(values)
        self.state = State.read(values["RIGGER_STATE_DIR"])
        self.aws.require_account()
        self.stack = Stack(self.aws, self.settings)

    def machines(self, group: str = "") -> Machines:
        group = group or self.stack.resource("Nodes")
        return Machines(self.aws, self.settings, self.state, group)

    def propose(self, nodes: int) -> Change | None:
        """Make the change set that leads to so many machines."""
        key_pair = keys.ensure(self.aws, self.settings)
        template = write_template(self.aws, self.settings, self.state, key_pair, self.values, nodes)
        description = self.stack.prepare_for_change()
        return self.stack.propose(description, template)

    def carry_out(self, change: Change | None) -> None:
        """Show a change as the plan, and execute it."""
        if change is None:
            say(f"{self.stack.name} is as its template says")
            return
        say(f"{self.stack.name} in {self.settings.region}, account {self.settings.account}:")
        for line in change.lines:
            say(line)
        self.stack.execute(change)

    def balancer(self) -> tuple[str, str]:
        """Return the load balancer's name and host name, nothing for a platform that publishes no port."""
        arn = self.stack.resource("Balancer")
        if not arn:
            return "", ""
        balancers = self.aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])
        balancer = balancers["LoadBalancers"][0]
        return balancer["LoadBalancerName"], balancer["DNSName"]

    def list_machines(self, nodes: int) -> None:
        """Wait for the machines and write the inventory."""
        machines = self.machines()
        instances = machines.wait(nodes)
        listed = machines.nodes(instances)
        write_nodes(listed, self.values)


def install(values: Mapping[str, str]) -> None:
    """See that the credentials are of the recorded account, and that the region answers."""
    aws = Aws(values)
    aws.require_account()
    aws.client("ec2").describe_availability_zones()


def create(values: Mapping[str, str]) -> None:
    """Make the stack, or bring it to what the answers say, and list its machines."""
    cluster = Cluster(values)
    settings, stack = cluster.settings, cluster.stack
    stack.require_ours(stack.describe())
    save_vars({"STACK_NAME": stack.name, "STACK_TAG": settings.stack_tag}, values)
    leaving = values.get("RIGGER_LEAVING", "").split()
    if leaving and stack.describe():
        cluster.machines().end_nodes(leaving)
    cluster.carry_out(cluster.propose(settings.nodes))
    name, address = cluster.balancer()
    domain = settings.domain if address and settings.dns_zone else address
    save_vars({"ELB_NAME": name, "ELB_DNS_NAME": address, "DOMAIN": domain}, values)
    cluster.state.suspended = False
    cluster.list_machines(settings.nodes)
    remove_imported(cluster.aws, settings, but=keys.ensure(cluster.aws, settings))


def plan(values: Mapping[str, str]) -> None:
    """Show what create would change, and change nothing."""
    cluster = Cluster(values)
    description = cluster.stack.describe()
    cluster.stack.require_ours(description)
    if description is None:
        say(f"{cluster.stack.name} does not exist; create makes it.")
        return
    change = cluster.propose(cluster.settings.nodes)
    for line in change.lines if change else ["nothing would change"]:
        say(line)
    if change:
        cluster.stack.discard(change, was_there=True)


def preflight(values: Mapping[str, str]) -> None:
    """Ask STS whose credentials these are, and if the account's quotas suffice, before anything is made."""
    aws = Aws(values)
    aws.require_account()
    account, who = aws.identity()
    print("finding", "ok", "AWS", f"account {account}, as {who}, in {aws.region}", sep="\t")
    settings = Settings.of(values)
    for outlook in outlooks(aws, settings, exists=Stack(aws, settings).describe() is not None):
        verdict = {True: "ok", False: "fail", None: "untried"}[outlook.suffices]
        print("finding", verdict, f"quota of {outlook.what}", outlook.detail, outlook.remedy, sep="\t")


def check(values: Mapping[str, str]) -> None:
    """Look at the stack, its machines and its load balancer."""
    cluster = Cluster(values)
    description = cluster.stack.describe()
    if description is None:
        raise StepFailed(f"There is no stack {cluster.stack.name} in {cluster.settings.region}.", "")
    cluster.stack.require_ours(description)
    if cluster.state.suspended:
        raise StepFailed("The machines are suspended.", 'Type "rigger resume".')
    if not description["StackStatus"].endswith("_COMPLETE") or description["StackStatus"].startswith(
        ("ROLLBACK", "DELETE")
    ):
        raise StepFailed(
            f"{cluster.stack.name} is in {description['StackStatus']}.", 'Type "rigger provision".'
        )
    for line in cluster.stack.drift():
        say(f'warning: {line} ("rigger audit" lists what was changed by hand)')
    machines = cluster.machines()
    problems = [*machines.unwell(values), *machines.unreached()]
    for problem in problems:
        say(f"error: {problem}")
    if problems:
        raise StepFailed(f"{cluster.stack.name} is not as it should be: {len(problems)} problems.", "")


def audit(values: Mapping[str, str]) -> None:
    """Say what was changed by hand since rigger made it; raises DifferencesFound."""
    cluster = Cluster(values)
    description = cluster.stack.describe()
    cluster.stack.require_ours(description)
    if description is None:
        raise DifferencesFound(f"The stack {cluster.stack.name} is gone.", "")
    differences = cluster.stack.drift()
    for line in differences:
        say(f"changed by hand: {line}")
    if differences:
        raise DifferencesFound(
            f"{len(differences)} resources of {cluster.stack.name} were changed by hand.", ""
        )


def suspend(values: Mapping[str, str]) -> None:
    """End all machines, and keep everything else."""
    cluster = Cluster(values)
    _require_stack(cluster)
    cluster.state.suspended = True
    cluster.carry_out(cluster.propose(0))
    cluster.machines().wait(0)
    cluster.state.names = {}
    cluster.state.write()


def resume(values: Mapping[str, str]) -> None:
    """Start the machines again; they are new, and have new addresses."""
    cluster = Cluster(values)
    _require_stack(cluster)
    cluster.carry_out(cluster.propose(cluster.settings.nodes))
    cluster.state.suspended = False
    cluster.list_machines(cluster.settings.nodes)


def claim(values: Mapping[str, str], word: str, line: str = "") -> None:
    """Say who changed the machines last (read), or write that down (leave), in tags that outlive the machines."""
    aws, settings = Aws(values), Settings.of(values)
    aws.require_account()
    if word == "read":
        if found := claims.read(aws, settings):
            print(f"claim {found}")
    elif claims.leave(aws, settings, line):
        print("taken")


def _require_stack(cluster: Cluster) -> None:
    description = cluster.stack.describe()
    if description is None:
        raise StepFailed(f"There is no stack {cluster.stack.name}.", 'Type "rigger provision".')
    cluster.stack.require_ours(description)


def destroy(values: Mapping[str, str]) -> None:
    """Delete the stack and the imported key pair, and list whatever still carries the environment's tag."""
    cluster = Cluster(values)
    description = cluster.stack.describe()
    problem = None
    if description is not None and not cluster.stack.ours(description):
        say(f"warning: the stack {cluster.stack.name} is not rigger's; it stays")
    elif description is not None:
        try:
            cluster.stack.remove(description)
        except StepFailed as stuck:
            problem = stuck
    remove_imported(cluster.aws, cluster.settings)
    remains = _remaining(cluster, patient=problem is None)
    if remains:
        report_leftovers([f"{item} in {cluster.settings.region}" for item in remains], values)
    if problem is not None:
        raise problem
    cluster.state.remove()


def _remaining(cluster: Cluster, patient: bool) -> list[str]:
    """Return what still carries the tag once AWS has had time to forget what is gone."""
    end, pause = time.monotonic() + (LINGERING if patient else 0), 1.0
    while (remains := remaining_resources(cluster.aws, cluster.settings)) and time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 2, 10.0)
    return remains

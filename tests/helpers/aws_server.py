"""moto's server, brought nearer to AWS where rigger depends on the difference. Usage: aws_server.py PORT

What it changes, each with the source that says how AWS behaves:

* A group whose sizes alone change keeps its machines; moto would replace all of them.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html
  (MinSize, MaxSize, DesiredCapacity: "Update requires: No interruption")
* A group whose launch template gets a new version gets new machines; moto does not look at what it refers to.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
* A change set of the type CREATE for a stack that only has change sets belongs to that stack, and one that is asked
  for twice with one ClientToken is one, and without it is refused; moto would make a second stack of the same name.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
* A change set can be executed once.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
* A load balancer has the type, the tags and the hosted zone of
  https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-loadbalancer.html
  and a target group its tags; moto makes an application load balancer, without.
* A stack that is deleted takes all of its resources with it; moto leaves several behind. One that cannot be removed
  leaves the stack in DELETE_FAILED.
  https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
* Drift detection, which moto lacks, for security groups, in the words of
  https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html
* Quotas of EC2 and of load balancers, of which moto knows none, with the values that an account begins with.
  https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
* POST /test/NAME changes what happens next: `fail` (a change fails and is rolled back, for the reason in its body),
  `status` (every stack gets the status in its body), `block` (the next delete stops at the type in its body),
  `addresses` (instances from now on have these addresses, each as its private and its public one, where real
  machines wait), `health` (the load balancers say this of every target), `quota` (CODE VALUE; with no value the account
  never had one of its own).
"""

import json
import sys
import uuid

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.cloudformation import models, responses
from moto.cloudformation.models import CloudFormationBackend, ValidationError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse
from werkzeug.serving import make_server

FAILURES: list[str] = []


class ExecutedAlready(ServiceException):
    code = "InvalidChangeSetStatus"


class ThereAlready(ServiceException):
    code = "AlreadyExistsException"


TOKENS: dict[str, object] = {}
NAMES: set[str] = set()  # of change sets; tests never make two of one name


def update_group(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    """Change a group in place where only its sizes change."""
    new = cloudformation_json["Properties"]
    template = new["LaunchTemplate"]
    same = template["LaunchTemplateId"] == original_resource.ec2_launch_template.id
    if not same or str(template["Version"]) != str(original_resource.launch_template_version):
        return replace_group(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )
    original_resource.max_size, original_resource.min_size = int(new["MaxSize"]), int(new["MinSize"])
    original_resource.set_desired_capacity(int(new["DesiredCapacity"]))
    return original_resource


replace_group = FakeAutoScalingGroup.update_from_cloudformation_json
FakeAutoScalingGroup.update_from_cloudformation_json = classmethod(update_group)


def create_balancer(cls, resource_name, cloudformation_json, account_id, region_name, **more):
    """Make a load balancer of the type that its template names, with its tags."""
    properties = cloudformation_json["Properties"]
    backend = elbv2_backends[account_id][region_name]
    return backend.create_load_balancer(
        resource_name,
        properties.get("SecurityGroups") or [],
        properties["Subnets"],
        scheme=properties["Scheme"],
        loadbalancer_type=properties["Type"],
        tags=properties["Tags"],
    )


def balancer_attribute(self, name):
    """Know the zone that an alias of Route 53 needs."""
    return "Z3F0SRJ5LGBH90" if name == "CanonicalHostedZoneID" else known_attribute(self, name)


known_attribute = FakeLoadBalancer.get_cfn_attribute
FakeLoadBalancer.get_cfn_attribute = balancer_attribute
FakeLoadBalancer.create_from_cloudformation_json = classmethod(create_balancer)


def create_target(cls, resource_name, cloudformation_json, account_id, region_name, **more):
    """Make a target group with its tags."""
    made = make_target(resource_name, cloudformation_json, account_id, region_name, **more)
    tags = cloudformation_json["Properties"]["Tags"]
    elbv2_backends[account_id][region_name].tagging_service.tag_resource(made.arn, tags)
    return made


make_target = FakeTargetGroup.create_from_cloudformation_json
FakeTargetGroup.create_from_cloudformation_json = classmethod(create_target)


def create_change_set(self):
    """Answer a token that was seen before as before."""
    token = self._get_param("ClientToken")
    if token and token in TOKENS:
        return ActionResult(TOKENS[token])
    name = self._get_param("ChangeSetName")
    if name in NAMES:
        raise ThereAlready(
            f"ChangeSet {name} cannot be created due to a mismatch with existing attribute Name"
        )
    NAMES.add(name)
    said = make_change_set(self)
    TOKENS[token] = said.result
    return said


make_change_set = responses.CloudFormationResponse.create_change_set
responses.CloudFormationResponse.create_change_set = create_change_set


def create_in_backend(self, stack_name, change_set_type, **more):
    """Refuse a second stack of a name; take the empty one where there is one."""
    there = [stack for stack in self.stacks.values() if stack.name == stack_name]
    if change_set_type != "CREATE" or not there:
        return create(self, stack_name=stack_name, change_set_type=change_set_type, **more)
    if there[0].status != "REVIEW_IN_PROGRESS":
        raise ValidationError(stack_name, f"Stack {stack_name} already exists")
    make_id = models.generate_stack_id
    models.generate_stack_id = lambda *arguments: there[0].stack_id
    try:
        return create(self, stack_name=stack_name, change_set_type=change_set_type, **more)
    finally:
        models.generate_stack_id = make_id


create = CloudFormationBackend.create_change_set
CloudFormationBackend.create_change_set = create_in_backend


def execute_change_set(self, change_set_name, stack_name=None):
    """Fail where a test wants that, as AWS does: with events, and everything rolled back."""
    change = self.describe_change_set(change_set_name)
    if change.execution_status != "AVAILABLE":
        raise ExecutedAlready(f"ChangeSet [{change_set_name}] cannot be executed in its current status")
    if not FAILURES:
        execute(self, change_set_name, stack_name)
        return renew_groups(change.stack)
    reason = FAILURES.pop()
    stack = change.stack
    stack._add_stack_event(f"{change.change_set_type}_IN_PROGRESS", resource_status_reason="User Initiated")
    stack._add_stack_event(f"{change.change_set_type}_FAILED", resource_status_reason=reason)
    stack.status = "ROLLBACK_COMPLETE" if change.change_set_type == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)
    stack.tags = stack.tags or change.tags


def renew_groups(stack):
    """Replace the machines of a group whose launch template has a newer version."""
    for group in stack.resource_map._parsed_resources.values():
        if not isinstance(group, FakeAutoScalingGroup):
            continue
        newest = group.ec2_launch_template.latest_version_number
        if int(group.launch_template_version) < newest:
            group.launch_template_version, wanted = str(newest), group.desired_capacity
            group.set_desired_capacity(0)
            group.set_desired_capacity(wanted)


execute = CloudFormationBackend.execute_change_set
CloudFormationBackend.execute_change_set = execute_change_set


def remover(kind, account, region):
    """Return what removes a resource of a type, given its physical id; None where it goes with another."""
    ec2, balancers = ec2_backends[account][region], elbv2_backends[account][region]
    return {
        "AWS::Route53::RecordSet": None,
        "AWS::ElasticLoadBalancingV2::Listener": balancers.delete_listener,
        "AWS::ElasticLoadBalancingV2::LoadBalancer": balancers.delete_load_balancer,
        "AWS::AutoScaling::AutoScalingGroup": autoscaling_backends[account][region].delete_auto_scaling_group,
        "AWS::ElasticLoadBalancingV2::TargetGroup": balancers.delete_target_group,
        "AWS::EC2::LaunchTemplate": lambda number: ec2.delete_launch_template(None, number),
        "AWS::EC2::SecurityGroup": lambda number: ec2.delete_security_group(group_id=number),
        "AWS::EC2::RouteTable": ec2.delete_route_table,
        "AWS::EC2::Subnet": ec2.delete_subnet,
        "AWS::EC2::InternetGateway": ec2.delete_internet_gateway,
        "AWS::EC2::VPC": ec2.delete_vpc,
    }[kind]


ORDER = (
    "Route53::RecordSet ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::LoadBalancer "
    "AutoScaling::AutoScalingGroup ElasticLoadBalancingV2::TargetGroup EC2::LaunchTemplate EC2::SecurityGroup "
    "EC2::RouteTable EC2::Subnet EC2::InternetGateway EC2::VPC"
)


def delete_stack(self, name_or_stack_id):
    """Remove every resource of a stack, in order; keep the stack where one cannot go."""
    stack = next((s for s in self.stacks.values() if name_or_stack_id in (s.name, s.stack_id)), None)
    if stack is None:
        return
    stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
    made = {
        name: made
        for name, made in stack.resource_map._parsed_resources.items()
        if not isinstance(made, str) and hasattr(made, "physical_resource_id")
    }
    types = {n: r["Type"] for n, r in stack.resource_map._resource_json_map.items()}
    try:
        for kind in (f"AWS::{word}" for word in ORDER.split()):
            for name in [name for name in made if types.get(name) == kind]:
                remove_resource(stack, kind, made[name])
                ec2_backends[stack.account_id][stack.region_name].tags.pop(
                    made[name].physical_resource_id, None
                )
                del stack.resource_map._parsed_resources[name]
    except Exception as problem:
        if kind in BLOCKS:
            BLOCKS.remove(kind)
        stack.status = "DELETE_FAILED"
        event = ("DELETE_FAILED", str(getattr(problem, "message", problem)))
        stack._add_stack_event(event[0], resource_status_reason=event[1])
        return
    stack._add_stack_event("DELETE_COMPLETE")
    stack.status = "DELETE_COMPLETE"
    self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)


def remove_resource(stack, kind, made):
    if kind in BLOCKS:
        raise ValueError(f"{kind} is in use by somebody else")
    if kind == "AWS::Route53::RecordSet":
        made.delete(stack.account_id, stack.region_name)
        return
    if kind == "AWS::EC2::InternetGateway" and made.vpc:
        ec2_backends[stack.account_id][stack.region_name].detach_internet_gateway(made.id, made.vpc.id)
    if kind == "AWS::EC2::RouteTable":
        for association in list(made._associations):
            ec2_backends[stack.account_id][stack.region_name].disassociate_route_table(association)
    remover(kind, stack.account_id, stack.region_name)(made.physical_resource_id)


BLOCKS: list[str] = []
CloudFormationBackend.delete_stack = delete_stack


def detect_stack_drift(self):
    return ActionResult({"StackDriftDetectionId": str(uuid.uuid4())})


def describe_stack_drift_detection_status(self):
    return ActionResult({"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "IN_SYNC"})


def describe_stack_resource_drifts(self):
    """Compare the rules of a stack's security groups with its template."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    groups = ec2_backends[self.current_account][self.region]
    drifts = []
    for name, resource in stack.template_dict_now["Resources"].items():
        if resource["Type"] != "AWS::EC2::SecurityGroup":
            continue
        number = stack.resource_map[name].physical_resource_id
        found = groups.get_security_group_from_id(number)
        wanted = {
            (r["IpProtocol"], int(r["FromPort"]), r["CidrIp"])
            for r in resource["Properties"]["SecurityGroupIngress"]
        }
        actual = {
            (rule.ip_protocol, rule.from_port, rule.ip_range["CidrIp"])
            for rule in (found.ingress_rules if found else ())
            if rule.ip_range
        }
        drift = {
            "StackId": stack.stack_id,
            "LogicalResourceId": name,
            "PhysicalResourceId": number,
            "ResourceType": resource["Type"],
            "Timestamp": "2026-01-01T00:00:00Z",
            "StackResourceDriftStatus": "MODIFIED",
        }
        if found is None:
            drifts.append({**drift, "StackResourceDriftStatus": "DELETED"})
        elif wanted != actual:
            difference = {
                "PropertyPath": "/SecurityGroupIngress",
                "ExpectedValue": json.dumps(sorted(wanted)),
                "ActualValue": json.dumps(sorted(actual)),
                "DifferenceType": "NOT_EQUAL",
            }
            drifts.append({**drift, "PropertyDifferences": [difference]})
    return ActionResult({"StackResourceDrifts": drifts})


for function in (detect_stack_drift, describe_stack_drift_detection_status, describe_stack_resource_drifts):
    setattr(responses.CloudFormationResponse, function.__name__, function)
models.Stack.template_dict_now = property(lambda self: models.Stack.parse_template(self.template))


ADDRESSES: list[str] = []
HELD: dict[str, str] = {}  # by instance


def address_of(instance):
    """Return the address of the machine that stands for an instance, nothing where none was named."""
    if instance.id not in HELD and ADDRESSES:
        HELD[instance.id] = next(address for address in ADDRESSES if address not in HELD.values())
    return HELD.get(instance.id)


def terminate(self, *arguments, **more):
    """End an instance; the next one may have its address."""
    if self.id in HELD:
        HELD[self.id] = ""
    return end_instance(self, *arguments, **more)


end_instance = Instance.terminate
Instance.terminate = terminate


def instead(name):
    known = getattr(Instance, name)
    setattr(Instance, name, property(lambda self: address_of(self) or known.fget(self)))


for name in ("private_ip", "private_ip_address", "public_ip", "public_ip_address"):
    instead(name)


HEALTH: list[str] = []  # what every target is, and why


def health_for(self, target, ec2_backend):
    """Say of a target what a test says of all."""
    known = look_at_health(self, target, ec2_backend)
    if HEALTH:
        known.status, known.reason, known.description = HEALTH[0], "Target.FailedHealthChecks", HEALTH[1]
    return known


look_at_health = FakeTargetGroup.health_for
FakeTargetGroup.health_for = health_for


QUOTAS = {"L-1216C47A": 32.0, "L-69A177A2": 50.0}  # vCPUs of standard machines, network load balancers
DEFAULTS: dict[str, float] = {}  # of quotas of which the account has no value of its own


def get_service_quota(self, service_code, quota_code):
    if quota_code in QUOTAS:
        return {"QuotaCode": quota_code, "ServiceCode": service_code, "Value": QUOTAS[quota_code]}
    return known_quota(self, service_code, quota_code)


def get_default_quota(self):
    value = DEFAULTS[self._get_param("QuotaCode")]
    return json.dumps({"Quota": {"QuotaCode": self._get_param("QuotaCode"), "Value": value}})


def set_quota(code, *value):
    if value:
        QUOTAS[code] = float(value[0])
    else:
        DEFAULTS[code] = QUOTAS.pop(code)


known_quota = ServiceQuotasBackend.get_service_quota
ServiceQuotasBackend.get_service_quota = get_service_quota
ServiceQuotasResponse.get_aws_default_service_quota = get_default_quota


class Front:
    """moto, and the tests' own addresses beside it."""

    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/test/"):
            return self.moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        if path == "/test/fail":
            FAILURES.append(body)
        elif path == "/test/block":
            BLOCKS.append(body)
        elif path == "/test/addresses":
            ADDRESSES[:] = body.split()
            HELD.clear()
        elif path == "/test/health":
            HEALTH[:] = body.split(maxsplit=1)
        elif path == "/test/quota":
            set_quota(*body.split())
        elif path == "/test/status":
            for regions in models.cloudformation_backends.values():
                for backend in regions.values():
                    for stack in backend.stacks.values():
                        stack.status = body
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok\n"]


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), Front(), threaded=True).serve_forever()

"""One CloudFormation stack: what state it is in, and how it gets to another."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aws.session import Aws, code, message
from aws.settings import TAG, Settings, tag_list
from rigger.sdk import StepFailed, say

T = TypeVar("T")

DEADLINE = 2700  # seconds for one change; rigger's own timeout for the step is longer
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between two looks
UNCHANGED = ("didn't contain changes", "No updates are to be performed")
ANEW = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class Change:
    """A change set that has been made and not been executed."""

    name: str
    stack_id: str
    lines: tuple[str, ...]


class Stack:
    """The stack of an environment."""

    def __init__(self, aws: Aws, settings: Settings):
        self.aws = aws
        self.settings = settings
        self.name = settings.stack
        self.cfn = aws.client("cloudformation")

    def describe(self, name: str = "") -> Mapping[str, Any] | None:
        """Return what CloudFormation says about the stack, None where there is none."""
        try:
            stacks = self.cfn.describe_stacks(StackName=name or self.name)["Stacks"]
        except Exception as problem:
            if code(problem) == "ValidationError" and "does not exist" in message(problem):
                return None
            raise
        return stacks[0] if stacks and stacks[0]["StackStatus"] != "DELETE_COMPLETE" else None

    def ours(self, description: Mapping[str, Any]) -> bool:
        """Return whether rigger made a stack for this environment.

        A stack that only has change sets may not have its tags yet: the name of one of them tells.
        """
        tags = {tag["Key"]: tag["Value"] for tag in description.get("Tags", ())}
        if tags.get(TAG) == self.settings.id:
            return True
        if description["StackStatus"] != "REVIEW_IN_PROGRESS":
            return False
        sets = self.cfn.list_change_sets(StackName=description["StackId"])["Summaries"]
        return any(change["ChangeSetName"].startswith(self._stem) for change in sets)

    @property
    def _stem(self) -> str:
        return f"rigger-{self.settings.id}-"

    def require_ours(self, description: Mapping[str, Any] | None) -> None:
        """Raise StepFailed for a stack of that name that somebody else made."""
        if description is not None and not self.ours(description):
            raise StepFailed(
                f"There is a stack {self.name} in {self.settings.region} that rigger did not make: "
                f"it has no tag {TAG}={self.settings.id}.",
                "Look at it in the AWS console; rename or remove it there if it is not needed.",
            )

    def prepare_for_change(self) -> Mapping[str, Any] | None:
        """Wait until nothing is under way, clear away what cannot be changed, and return what is there then."""
        description = self.describe()
        self.require_ours(description)
        if description is not None and _in_progress(description):
            say(f"{self.name} is in {description['StackStatus']}; waiting for that to end")
            self._follow(description["StackId"], self._last_event(description["StackId"]))
            description = self.describe()
        if description is None or description["StackStatus"] in (*SETTLED, "REVIEW_IN_PROGRESS"):
            return description
        if description["StackStatus"] in ANEW:
            say(
                f"{self.name} is in {description['StackStatus']}: nothing in it is of use. It is removed and made again."
            )
            self.remove(description)
            return None
        raise self._stuck(description)

    def _stuck(self, description: Mapping[str, Any]) -> StepFailed:
        status, reason = description["StackStatus"], description.get("StackStatusReason", "")
        because = f": {reason.rstrip('.')}" if reason else ""
        if status == "UPDATE_ROLLBACK_FAILED":
            return StepFailed(
                f"{self.name} is in {status}: a change failed, and so did the way back{because}.",
                "Correct what is named there, then type: aws cloudformation continue-update-rollback "
                f'--region {self.settings.region} --stack-name {self.name}. After that "rigger provision" resumes; '
                '"rigger destroy" removes all of it instead.',
            )
        return StepFailed(
            f"{self.name} is in {status}, which rigger cannot change{because}.",
            'Look at it in the AWS console; "rigger destroy" removes it.',
        )

    def propose(self, description: Mapping[str, Any] | None, text: str) -> Change | None:
        """Make a change set and return what it would do, None where that is nothing."""
        new = description is None or description["StackStatus"] == "REVIEW_IN_PROGRESS"
        # One token for all tries of this call: an answer that is lost never makes a second stack.
        token = uuid.uuid4().hex
        try:
            created = self.cfn.create_change_set(
                StackName=self.name,
                ChangeSetName=f"{self._stem}{token[:12]}",
                ChangeSetType="CREATE" if new else "UPDATE",
                Description=f"rigger, environment {self.settings.environment}",
                TemplateBody=text,
                Tags=tag_list(self.settings.tags),
                ClientToken=token,
            )
        except Exception as problem:  # AWS makes a change set that FAILED of it; moto refuses at once
            if any(words in message(problem) for words in UNCHANGED):
                return None
            raise
        name, stack_id = created["Id"], created["StackId"]
        for change in poll(lambda: self._describe_change(name, stack_id), f"the change set of {self.name}"):
            if change["Status"] == "CREATE_COMPLETE":
                return Change(name, stack_id, tuple(_lines(change)))
            if change["Status"] == "FAILED":
                self.cfn.delete_change_set(ChangeSetName=name, StackName=stack_id)
                if any(words in change.get("StatusReason", "") for words in UNCHANGED):
                    return None
                raise StepFailed(
                    f"CloudFormation does not accept the change of {self.name}: {change.get('StatusReason')}",
                    "Its template is stack.yml in the module's folder of the environment.",
                )
        raise AssertionError("a loop that ends by an error or a result")

    def _describe_change(self, name: str, stack_id: str) -> Mapping[str, Any]:
        change = self.cfn.describe_change_set(ChangeSetName=name, StackName=stack_id)
        changes, token = list(change.get("Changes", ())), change.get("NextToken")
        while token:
            page = self.cfn.describe_change_set(ChangeSetName=name, StackName=stack_id, NextToken=token)
            changes, token = changes + page.get("Changes", []), page.get("NextToken")
        return {**change, "Changes": changes}

    def discard(self, change: Change, was_there: bool) -> None:
        """Forget a change set that was only to be shown, and the empty stack that it may have made."""
        self.cfn.delete_change_set(ChangeSetName=change.name, StackName=change.stack_id)
        if not was_there:
            self.cfn.delete_stack(StackName=change.stack_id)

    def execute(self, change: Change) -> None:
        """Carry a change set out and follow it to its end; raises StepFailed with CloudFormation's reason."""
        since = self._last_event(change.stack_id)
        try:
            self.cfn.execute_change_set(
                ChangeSetName=change.name, StackName=change.stack_id, ClientRequestToken=uuid.uuid4().hex
            )
        except Exception as problem:
            # Executed already, by a try whose answer was lost: CloudFormation forgets a change set by and by.
            if code(problem) not in ("InvalidChangeSetStatus", "ChangeSetNotFound"):
                raise
            if self._last_event(change.stack_id) == since:
                raise
        description = self._follow(change.stack_id, since)
        if description is None or description["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            status = description["StackStatus"] if description else "DELETE_COMPLETE"
            raise StepFailed(
                f"{self.name} ended in {status}: {self._reason(change.stack_id, since)}.",
                'Correct that and type "rigger provision"; "rigger destroy" removes what is there.',
            )

    def remove(self, description: Mapping[str, Any]) -> None:
        """Delete the stack and wait until it is gone; raises StepFailed with what stands in the way."""
        stack_id = description["StackId"]
        if description["StackStatus"].startswith("UPDATE_") and _in_progress(description):
            self._follow(stack_id, self._last_event(stack_id))  # an update cannot be deleted under way
        since = self._last_event(stack_id)
        if description["StackStatus"] != "DELETE_IN_PROGRESS":
            self.cfn.delete_stack(StackName=stack_id, ClientRequestToken=uuid.uuid4().hex)
        left = self._follow(stack_id, since)
        if left is not None:
            raise StepFailed(
                f"{self.name} ended in {left['StackStatus']}: {self._reason(stack_id, since)}.",
                'Correct that and type "rigger destroy" again.',
            )

    def resource(self, logical: str, stack_id: str = "") -> str:
        """Return the physical id of a resource, nothing where the stack has none of that name."""
        resources = self.cfn.describe_stack_resources(StackName=stack_id or self.name)["StackResources"]
        return next(
            (
                resource.get("PhysicalResourceId", "")
                for resource in resources
                if resource["LogicalResourceId"] == logical
            ),
            "",
        )

    def drift(self) -> list[str]:
        """Return a sentence about each resource that is not as the template says."""
        token = self.cfn.detect_stack_drift(StackName=self.name)["StackDriftDetectionId"]
        look = self.cfn.describe_stack_drift_detection_status
        for detection in poll(
            lambda: look(StackDriftDetectionId=token), f"the drift detection of {self.name}"
        ):
            if detection["DetectionStatus"] == "DETECTION_COMPLETE":
                break
            if detection["DetectionStatus"] == "DETECTION_FAILED":
                say(
                    f"warning: not all of {self.name} could be looked at: {detection.get('DetectionStatusReason')}"
                )
                break
        pages = self.cfn.describe_stack_resource_drifts(
            StackName=self.name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )
        return [_drifted(drift) for drift in pages["StackResourceDrifts"]]

    def _follow(self, stack_id: str, since: str) -> Mapping[str, Any] | None:
        """Show events as they come until nothing is under way any more; return the stack, None when it is gone."""
        for description in poll(lambda: self.describe(stack_id) or {}, self.name):
            since = self._show_events(stack_id, since)
            if not description or not _in_progress(description):
                return description or None
        raise AssertionError("a loop that ends by an error or a result")

    def _events(self, stack_id: str, since: str) -> list[Mapping[str, Any]]:
        """Return the events after one of them, the oldest first."""
        events = []
        pages = self.cfn.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for event in (event for page in pages for event in page["StackEvents"]):
            if event["EventId"] == since:
                break
            events.append(event)
        return events[::-1]

    def _last_event(self, stack_id: str) -> str:
        events = self.cfn.describe_stack_events(StackName=stack_id)["StackEvents"]
        return events[0]["EventId"] if events else ""

    def _show_events(self, stack_id: str, since: str) -> str:
        for event in self._events(stack_id, since):
            reason = event.get("ResourceStatusReason", "")
            say(
                f"  {event['ResourceStatus']:<20} {event['LogicalResourceId']}"
                + (f": {reason}" if reason else "")
            )
            since = event["EventId"]
        return since

    def _reason(self, stack_id: str, since: str) -> str:
        """Return why a change failed: the first failure that is not the echo of another."""
        for event in self._events(stack_id, since):
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED") and reason and "cancelled" not in reason:
                return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason.rstrip('.')}"
        description = self.describe(stack_id) or {}
        return description.get("StackStatusReason") or "CloudFormation gives no reason"


def _in_progress(description: Mapping[str, Any]) -> bool:
    status = str(description["StackStatus"])
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def poll(look: Callable[[], T], what: str, deadline: float = DEADLINE) -> Iterator[T]:
    """Yield what a call says, again and again with growing pauses; raises StepFailed after the deadline."""
    end, pause = time.monotonic() + deadline, FIRST_PAUSE
    while True:
        yield look()
        if time.monotonic() > end:
            raise StepFailed(
                f"{what} is not ready after {deadline / 60:.0f} minutes.",
                "Look at it in the AWS console; the same command resumes from here.",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _lines(description: Mapping[str, Any]) -> list[str]:
    lines = []
    resources = [
        change["ResourceChange"] for change in description.get("Changes", ()) if "ResourceChange" in change
    ]
    for resource in resources:
        replaced = " (replaced)" if resource.get("Replacement") == "True" else ""
        action = resource["Action"].lower()
        lines.append(f"  {action:<7} {resource['LogicalResourceId']}  {resource['ResourceType']}{replaced}")
    return lines


def _drifted(resource: Mapping[str, Any]) -> str:
    name = f"{resource['LogicalResourceId']} ({resource['ResourceType']}, {resource.get('PhysicalResourceId', '')})"
    if resource["StackResourceDriftStatus"] == "DELETED":
        return f"{name} was deleted"
    differences = [
        f"{d['PropertyPath']} is {d.get('ActualValue')}, not {d.get('ExpectedValue')}"
        for d in resource.get("PropertyDifferences", ())
    ]
    return f"{name} was changed: {'; '.join(differences) or 'CloudFormation does not say how'}"

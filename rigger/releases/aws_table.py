"""The DynamoDB table of a project's releases: its shape, how it is made, and reading and writing that loses nothing.

The names are those of the tables that `weco-deploy` made: `wellcome-releases-{project_id}`, key `release_id`, and the two
indexes. Reads are consistent, which an index cannot be: the newest record counts, so the table is read, not an index.
"""

from __future__ import annotations

import re
import time

from rigger.errors import NotReady, Refused
from rigger.releases.aws_reach import Unmet, as_item, of_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rigger.releases.aws_reach import Aws

KEY = "release_id"
INDEXES = {
    "project_gsi": ("project_id", "date_created"),
    "deployment_gsi": ("project_id", "last_date_deployed"),
}
UNMET = ("ConditionalCheckFailedException", "TransactionCanceledException")
MISSING = "ResourceNotFoundException"
WAIT = 120.0  # seconds for a table that is being made


class Table:
    """One table; whatever is asked of it first looks whether it has the right shape."""

    def __init__(self, aws: Aws, name: str, project: str):
        self.aws, self.name, self._project = aws, name, project
        self._looked_at = False

    @property
    def where(self) -> str:
        return f"the DynamoDB table {self.name}"

    def make(self) -> bool:
        """Make it, unless it is there, and return whether it was made now; raises NotReady, or Refused for another shape."""
        made = not self._description()
        if made:
            try:
                self.aws.call("dynamodb", "create_table", ("ResourceInUseException",), **self._shape())
            except Unmet:  # somebody else made it meanwhile
                made = False
        self._wait()
        self.aws.call(
            "dynamodb",
            "update_continuous_backups",
            TableName=self.name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        return made

    def there(self) -> bool:
        """Return whether it is there; raises Refused where it has another shape."""
        return bool(self._description())

    def get(self, key: str) -> dict[str, Any] | None:
        """Return an item, None where there is none."""
        answer = self._call("get_item", Key=as_item({KEY: key}), ConsistentRead=True)
        return of_item(answer["Item"]) if "Item" in answer else None

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield all items."""
        self._require()
        for page in self.aws.pages("dynamodb", "scan", TableName=self.name, ConsistentRead=True):
            yield from map(of_item, page["Items"])

    def put(self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any] | None = None) -> bool:
        """Write a whole item, and return whether the condition was met; else nothing is written."""
        given = {"ExpressionAttributeValues": as_item(values)} if values else {}
        return self._conditional("put_item", Item=as_item(item), ConditionExpression=condition, **given)

    def update(self, key: str, change: str, condition: str, values: Mapping[str, Any]) -> bool:
        """Change an item, and return whether the condition was met; names in the expressions that start with # are meant."""
        return self._conditional("update_item", **update_of(key, change, condition, values))

    def together(self, *changes: Mapping[str, Any]) -> bool:
        """Write several items, all of them or none, and return whether their conditions were met."""
        own = [
            {kind: {"TableName": self.name, **words} for kind, words in change.items()} for change in changes
        ]
        try:
            self._require()
            self.aws.call("dynamodb", "transact_write_items", UNMET, TransactItems=own)
        except Unmet:
            return False
        return True

    def delete(self, key: str, condition: str, values: Mapping[str, Any]) -> bool:
        """Remove an item, and return whether the condition was met."""
        given = {"ConditionExpression": condition, "ExpressionAttributeValues": as_item(values)}
        return self._conditional("delete_item", Key=as_item({KEY: key}), **given)

    def _conditional(self, name: str, **words: Any) -> bool:
        try:
            self._call(name, UNMET, **words)
        except Unmet:
            return False
        return True

    def _call(self, name: str, unmet: tuple[str, ...] = (), **words: Any) -> dict[str, Any]:
        self._require()
        return self.aws.call("dynamodb", name, unmet, TableName=self.name, **words)

    def _require(self) -> None:
        """Raise NotReady where it is not there or not ready, Refused where it has another shape."""
        if self._looked_at:
            return
        found = self._description()
        if not found:
            raise NotReady(
                f"There is no table {self.name} in account {self.aws.account()}, region {self.aws.region}.",
                'Make it: "rigger release make-table".',
            )
        if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
            raise NotReady(
                f"The table {self.name} is {found['TableStatus'].lower()}.",
                "Run the same command again in a minute.",
            )
        self._looked_at = True

    def _description(self) -> dict[str, Any]:
        """Return what AWS says of it, {} where it is not there; raises Refused where it has another shape."""
        try:
            answer = self.aws.call("dynamodb", "describe_table", (MISSING,), TableName=self.name)
        except Unmet:
            return {}
        found: dict[str, Any] = answer["Table"]
        types = {one["AttributeName"]: one["AttributeType"] for one in found["AttributeDefinitions"]}
        indexes = {one["IndexName"]: _keys(one) for one in found.get("GlobalSecondaryIndexes", ())}
        problem = ""
        if _keys(found) != (KEY,) or types[KEY] != "S":
            problem = f"its key is {' and '.join(_keys(found))}, not the text {KEY}"
        for name, keys in INDEXES.items():
            if not problem and indexes.get(name) != keys:
                problem = f"it has no index {name} of {' and '.join(keys)}"
        if problem:
            raise Refused(
                f"The table {self.name} has another shape than one of releases: {problem}.",
                "Name another one in the manifest: releases_table.",
            )
        return found

    def _shape(self) -> dict[str, Any]:
        names = dict.fromkeys([KEY, *(name for keys in INDEXES.values() for name in keys)])
        return {
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": True,
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
            "KeySchema": _schema(KEY),
            "GlobalSecondaryIndexes": [
                {"IndexName": name, "KeySchema": _schema(*keys), "Projection": {"ProjectionType": "ALL"}}
                for name, keys in INDEXES.items()
            ],
            "Tags": [
                {"Key": "rigger:project", "Value": self._project},
                {"Key": "rigger:what", "Value": "releases"},
            ],
        }

    def _wait(self) -> None:
        end = time.monotonic() + WAIT
        while self._description().get("TableStatus") != "ACTIVE":
            if time.monotonic() > end:
                raise NotReady(
                    f"The table {self.name} is not ready yet.", "Run the same command again in a minute."
                )
            time.sleep(1)


def update_of(key: str, change: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words of an update; `#status` and the like stand for that name, as DynamoDB reserves some."""
    names = {word: word[1:] for word in re.findall(r"#\w+", f"{change} {condition}")}
    return {
        "Key": as_item({KEY: key}),
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": as_item(values),
        **({"ExpressionAttributeNames": names} if names else {}),
    }


def _keys(of: Mapping[str, Any]) -> tuple[str, ...]:
    ordered = sorted(of["KeySchema"], key=lambda one: one["KeyType"] != "HASH")
    return tuple(one["AttributeName"] for one in ordered)


def _schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, ("HASH", "RANGE"), strict=False)]

"""How the records of a project reach AWS: whose credentials, which region, and errors in plain words.

The one home of boto3 here; the provider `aws` has its own, as it is a module like any other.
"""

from __future__ import annotations

import email.utils
import os
import time

from rigger.errors import NotReady
from rigger.files import saying_what_failed, write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

ATTEMPTS = 5  # of one call, the first included, unless AWS_MAX_ATTEMPTS says otherwise
CREDENTIALS = 'Renew them ("aws sso login", "aws configure"), or name others with AWS_PROFILE.'
AGAIN = "Run the same command again."
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
}
DENIED = {"AccessDenied", "AccessDeniedException"}


class Unmet(Exception):
    """An answer that the caller asked to hear: the code of an error of AWS."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class Aws:
    """The clients of one account and region.

    `account` is the one that the records are in; where it is not known, `record` is the file that keeps the first one seen.
    """

    def __init__(self, region: str = "", account: str = "", role: str = "", record: str = ""):
        self._region, self._account, self._role, self._record = region, account, role, record
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._ours = False  # whether the account was looked at
        self._ahead = 0.0  # seconds by which AWS's clock is ahead of this machine's

    @property
    def region(self) -> str:
        """The region of the manifest, or of the credentials; raises NotReady where neither says one."""
        found = (
            self._region or os.environ.get("AWS_REGION") or self._own_session().region_name
        )  # boto3 reads AWS_DEFAULT_REGION alone
        if not found:
            raise NotReady(
                "It is not known in which region of AWS the records are.",
                "Add aws_region_name to the manifest, or set AWS_REGION.",
            )
        return str(found)

    def account(self) -> str:
        """Return the account of the credentials; raises NotReady where that is not the recorded one."""
        if not self._ours:
            found = str(self._call("sts", "get_caller_identity", (), {})["Account"])
            recorded = self._account or self._recorded()
            if recorded and found != recorded:
                said = "the manifest" if self._account else self._record
                raise NotReady(
                    f"These credentials are of account {found}, and the records are in account {recorded}, as {said} says.",
                    f"Use credentials of account {recorded}.",
                )
            if not recorded and self._record:
                with saying_what_failed(self._record):
                    os.makedirs(os.path.dirname(self._record), mode=0o700, exist_ok=True)
                    write_bytes(self._record, f"{found}\n".encode())
            self._account, self._ours = found, True
        return self._account

    def call(self, service: str, name: str, unmet: tuple[str, ...] = (), **words: Any) -> dict[str, Any]:
        """Make one call and return its answer.

        Raises Unmet for an error whose code the caller names, NotReady for all others, and for credentials of another account.
        """
        self.account()
        return self._call(service, name, unmet, words)

    def pages(self, service: str, name: str, **words: Any) -> Iterator[dict[str, Any]]:
        """Yield the answers to a call that has several; raises NotReady."""
        token: dict[str, Any] = {}
        while True:
            answer = self.call(service, name, **words, **token)
            yield answer
            if answer.get("LastEvaluatedKey"):
                token = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            elif answer.get("NextToken"):
                token = {"NextToken": answer["NextToken"]}
            else:
                return

    def now(self) -> float:
        """Return the time by AWS's clock, in seconds since 1970, as far as its last answer told it."""
        return time.time() + self._ahead

    def _call(
        self, service: str, name: str, unmet: tuple[str, ...], words: Mapping[str, Any]
    ) -> dict[str, Any]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError  # an answer from something that is not AWS

        try:
            answer: dict[str, Any] = getattr(self._client(service), name)(**words)
        except (ClientError, BotoCoreError, Boto3Error, ResponseParserError) as problem:
            code = _code(problem)
            if code in unmet:
                raise Unmet(code) from None
            raise _plainly(problem, code, name) from None
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if service == "dynamodb" and date:
            self._ahead = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        return answer

    def _recorded(self) -> str:
        try:
            with open(self._record) as file:
                return file.read().strip()
        except OSError:
            return ""

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            session = self._own_session()
            if self._role:
                session = _of_role(session, self._role, self.region)
            self._clients[service] = session.client(service, region_name=self.region, config=_config())
        return self._clients[service]

    def _own_session(self) -> Any:
        if self._session is None:
            import boto3
            from botocore.exceptions import BotoCoreError

            try:
                self._session = boto3.session.Session()
            except BotoCoreError as problem:  # a profile that is not there
                raise _plainly(problem, "", "") from None
        return self._session


def _config() -> Any:
    from botocore.config import Config

    attempts = {} if os.environ.get("AWS_MAX_ATTEMPTS") else {"total_max_attempts": ATTEMPTS}
    return Config(
        retries={"mode": "standard", **attempts}, connect_timeout=10, read_timeout=60, tcp_keepalive=True
    )


def _of_role(session: Any, role: str, region: str) -> Any:
    """Return a session of a role, which is taken on again before its credentials expire."""
    import boto3
    import botocore.credentials
    import botocore.session

    own = session._session
    fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
        lambda service, **words: session.client(
            service,
            region_name=region,
            config=_config(),
            **{n: w for n, w in words.items() if n != "region_name"},
        ),
        own.get_credentials(),
        role,
        extra_args={"RoleSessionName": "rigger"},
    )
    taken = botocore.session.get_session()
    taken._credentials = botocore.credentials.DeferredRefreshableCredentials(
        fetcher.fetch_credentials, "assume-role"
    )
    return boto3.session.Session(botocore_session=taken, region_name=region)


def of_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of DynamoDB as plain values; numbers are Decimals."""
    from boto3.dynamodb.types import TypeDeserializer

    reader = TypeDeserializer()
    return {name: reader.deserialize(value) for name, value in item.items()}


def as_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as DynamoDB has them."""
    from boto3.dynamodb.types import TypeSerializer

    writer = TypeSerializer()
    return {name: writer.serialize(value) for name, value in values.items()}


def _answer(problem: Exception) -> dict[str, Any]:
    """Return the answer that an error came with, {} where nothing answered."""
    return getattr(problem, "response", None) or {}


def _code(problem: Exception) -> str:
    return str(_answer(problem).get("Error", {}).get("Code", ""))


def _plainly(problem: Exception, code: str, name: str) -> NotReady:
    """Return an error as a sentence and a next step; no credential is part of it."""
    call = str(getattr(problem, "operation_name", name))
    answer = _answer(problem)
    if code in EXPIRED:
        return NotReady("The AWS credentials have expired.", CREDENTIALS)
    if code in UNKNOWN:
        return NotReady(f"AWS does not accept these credentials ({code}).", CREDENTIALS)
    if code in DENIED:
        return NotReady(
            f"These AWS credentials may not call {call}.",
            'Give them the rights that "rigger docs releases" lists, or use others.',
        )
    if code:
        said = " ".join(str(answer.get("Error", {}).get("Message", "")).split()).rstrip(".")
        return NotReady(f"AWS refused {call}: {said or 'without a word why'} ({code}).", AGAIN)
    kind = type(problem).__name__
    if "Credentials" in kind or "Token" in kind:
        return NotReady("There are no AWS credentials that can be used.", CREDENTIALS)
    if kind == "ResponseParserError" or answer:
        return NotReady("What answers is not AWS.", "Look at AWS_ENDPOINT_URL and at HTTPS_PROXY.")
    return NotReady(
        f"AWS cannot be asked: {' '.join(str(problem).split()).rstrip('.')} ({kind}).",
        f"Look at the network, at HTTPS_PROXY and at AWS_ENDPOINT_URL. {AGAIN}",
    )

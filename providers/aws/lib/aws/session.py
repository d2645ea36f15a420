"""How AWS is reached: whose credentials, which region, and its errors in plain words (the one home of boto3)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rigger.sdk import StepFailed

ANYWHERE = "us-east-1"  # the region that answers what belongs to no region
ATTEMPTS = 5  # of one call, the first included, unless AWS_MAX_ATTEMPTS says otherwise
ENVIRONMENT, TYPED = "environment", "typed"

GO_ON = "The same command resumes from here."
POLICY = 'Give them the rights that "rigger docs provider-aws" lists, or use others.'
MORE_QUOTA = 'Ask for more under "Service Quotas" in the AWS console, or choose fewer or smaller machines.'
NEW_CREDENTIALS = 'Renew them (aws sso login, aws configure), or choose others with "rigger configure".'
OTHER_REGION = "Switch it on in the AWS console (Account > AWS Regions), or choose another region."

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and each service's "Common Errors"
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidAccessKeyId",
    "IncompleteSignature",
    "MissingAuthenticationToken",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
SWITCHED_OFF = {"OptInRequired", "SubscriptionRequiredException"}
THROTTLED = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
USED_UP = ("LimitExceeded", "QuotaExceeded", "InsufficientInstanceCapacity", "TooManyVpcs")


class Aws:
    """The clients of one account and region, as the values of the environment say."""

    def __init__(self, values: Mapping[str, str], region: str = ""):
        self.values = values
        self.region = region or values.get("AWS_REGION", "")
        self._session: Any = None
        self._clients: dict[str, object] = {}

    @property
    def session(self) -> Any:
        if self._session is None:
            import boto3

            self._session = boto3.session.Session(**self._credentials())
        return self._session

    def _credentials(self) -> dict[str, str]:
        source = self.values.get("AWS_CREDENTIALS", ENVIRONMENT)
        if source == TYPED:
            typed = {
                "aws_access_key_id": self.values.get("AWS_KEY_ID", ""),
                "aws_secret_access_key": self.values.get("AWS_KEY_SECRET", ""),
                "aws_session_token": self.values.get("AWS_KEY_TOKEN", ""),
            }
            # A profile that the shell names may not exist; it has no say here.
            os.environ.pop("AWS_PROFILE", None)
            return {name: value for name, value in typed.items() if value}
        return {} if source == ENVIRONMENT else {"profile_name": source}

    def home_region(self) -> str:
        """Return the region that was chosen, or the one of the profile or process environment, or any."""
        return self.region or self.session.region_name or ANYWHERE

    def client(self, service: str) -> Any:
        """Return a client that tries again what failed by accident, with a limit to every wait."""
        if service not in self._clients:
            from botocore.config import Config

            attempts = {} if os.environ.get("AWS_MAX_ATTEMPTS") else {"total_max_attempts": ATTEMPTS}
            config = Config(
                retries={"mode": "standard", **attempts},
                connect_timeout=10,
                read_timeout=60,
                tcp_keepalive=True,
            )
            self._clients[service] = self.session.client(
                service, region_name=self.home_region(), config=config
            )
        return self._clients[service]

    def identity(self) -> tuple[str, str]:
        """Return the account of the credentials, and who they stand for; raises StepFailed for no answer of AWS."""
        try:
            caller = self.client("sts").get_caller_identity()
            return caller["Account"], caller["Arn"]
        except KeyError:  # XML of somebody else, such as a page that asks for a login
            raise _not_aws() from None

    def require_account(self) -> None:
        """Raise StepFailed unless the credentials belong to the account that the environment was made in."""
        account, _ = self.identity()
        recorded = self.values.get("AWS_ACCOUNT_ID", "")
        if recorded and account != recorded:
            raise StepFailed(
                f"These credentials belong to account {account}, but the environment is in account {recorded}.",
                f"Use credentials of account {recorded}.",
            )


def problems() -> tuple[type[Exception], ...]:
    """Return the kinds of error that a call to AWS may end with."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError  # an answer from something that is not AWS

    return (ClientError, BotoCoreError, Boto3Error, ResponseParserError)


def code(problem: Exception) -> str:
    """Return the code of an answer that is an error, nothing for an error of another kind."""
    return str(getattr(problem, "response", {}).get("Error", {}).get("Code", ""))


def message(problem: Exception) -> str:
    """Return what AWS says about an error."""
    return getattr(problem, "response", {}).get("Error", {}).get("Message", "") or str(problem)


def plainly(problem: Exception, region: str = "") -> StepFailed:
    """Return an error of AWS as a sentence and a next step; no credential is part of it."""
    if not code(problem):
        return _unreachable(problem)
    what, call = code(problem), getattr(problem, "operation_name", "a call")
    status = getattr(problem, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if what in EXPIRED:
        return StepFailed("The AWS credentials have expired.", NEW_CREDENTIALS)
    if what in SWITCHED_OFF or (what in UNKNOWN and region and call != "GetCallerIdentity"):
        return StepFailed(f"The region {region} is switched off in this account ({what}).", OTHER_REGION)
    if what in UNKNOWN:
        return StepFailed(f"AWS does not accept these credentials ({what}).", NEW_CREDENTIALS)
    if what in DENIED:
        return StepFailed(f"These credentials may not call {call}.", POLICY)
    if what in THROTTLED:
        return StepFailed(f"AWS is asked too often at the moment; it refused {call}.", GO_ON)
    if any(word in what for word in USED_UP):
        return StepFailed(f"A quota of the account is used up: {_line(message(problem))}.", MORE_QUOTA)
    if status >= 500:
        return StepFailed(f"AWS failed at {call} ({what}, HTTP {status}).", GO_ON)
    return StepFailed(f"AWS refused {call}: {_line(message(problem))} ({what}).", GO_ON)


def _unreachable(problem: Exception) -> StepFailed:
    kind = type(problem).__name__
    if kind == "ProfileNotFound":
        return StepFailed(
            f"{_line(str(problem))}.", "aws configure list-profiles shows those that there are."
        )
    if "Credentials" in kind or "Token" in kind or kind == "CredentialRetrievalError":
        return StepFailed("There are no usable AWS credentials.", NEW_CREDENTIALS)
    if kind == "ResponseParserError" or hasattr(problem, "response"):  # an answer, but without a code of AWS
        return _not_aws()
    where = "/".join(getattr(problem, "kwargs", {}).get("endpoint_url", "").split("/")[:3])
    if where or kind in ("ConnectionError", "HTTPClientError", "ProxyConnectionError", "SSLError"):
        return StepFailed(
            f"AWS cannot be reached{f' at {where}' if where else ''} ({kind}).",
            f"Look at the network, at HTTPS_PROXY and at AWS_ENDPOINT_URL. {GO_ON}",
        )
    return StepFailed(f"The AWS client failed: {_line(str(problem))} ({kind}).", GO_ON)


def _not_aws() -> StepFailed:
    named = {value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL") and value}
    where = f" at {named.pop()}" if len(named) == 1 else ""
    return StepFailed(
        f"What answers{where} is not AWS: its reply is not the XML that AWS sends.",
        f"Look at AWS_ENDPOINT_URL and at HTTPS_PROXY. {GO_ON}",
    )


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")

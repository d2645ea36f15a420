"""The records of releases and deployments, in the form that older tables have."""

import re
import uuid

import pytest

from rigger.errors import NotReady, Refused
from rigger.releases import moments
from rigger.releases.model import Deployment, Named, Release, new_id
from rigger.releases.names import commit_of, short, tag_of, variable

ASKED = Named("ann@laptop", "ann")
RELEASE = Release(
    "8f6d0a3e-0000-4000-8000-000000000000",
    Named("storage", "Storage service"),
    "2026-11-20T21:44:00.123456",
    ASKED,
    "the fix of the leak",
    {"api": "registry.example/api:1.2"},
)
DEPLOYMENT = Deployment(
    "d1", RELEASE.id, Named("stage", "Staging"), "2026-11-20T22:00:00.000000", ASKED, "why"
)


def test_the_record_of_a_release():
    record = RELEASE.as_dict()
    assert [*record] == [
        *("release_id", "project_id", "project_name", "date_created", "created_at", "release_manifest"),
        *("requested_by", "description", "images", "deployments"),
    ]
    assert (record["created_at"], record["deployments"]) == (1795211040, [])
    assert record["requested_by"] == {"id": "ann@laptop", "name": "ann"}
    assert Release.read(record) == RELEASE


def test_the_record_of_a_deployment():
    release = RELEASE.with_deployments((DEPLOYMENT,))
    record = release.as_dict()
    assert record["last_date_deployed"] == DEPLOYMENT.date
    assert record["deployments"][0] == {
        "date_created": "2026-11-20T22:00:00.000000",
        "environment": {"id": "stage", "name": "Staging"},
        "requested_by": {"id": "ann@laptop", "name": "ann"},
        "description": "why",
        "deployment_id": "d1",
        "release_id": RELEASE.id,
        "status": "requested",
        "run": "",
        "previous": "",
        "before": {},
        "applied": False,
    }
    assert Release.read(record) == release


def test_records_of_older_tools_are_read():
    arn = "arn:aws:sts::975596993436:assumed-role/dev/ann"
    old = {
        "release_id": "r",
        "project_id": "storage",
        "project_name": "Storage",
        "created_at": 1548337440,
        "requested_by": arn,
        "release_manifest": '{"images": {"api": "a:1", "gone": null}}',
        "deployments": [
            {"date_created": "2019-01-24T13:44:00", "environment": "stage", "requested_by": {"id": arn}},
            {
                "date_created": 1548337500,
                "environment": {"id": "prod"},
                "requested_by": arn,
                "description": None,
            },
        ],
    }
    release = Release.read(old)
    assert release.date == "2019-01-24T13:44:00.000000"
    assert release.requested_by == Named(arn, "ann")
    assert release.images == {"api": "a:1"}
    first, second = release.deployments
    assert (first.status, first.environment.id, first.id) == ("confirmed", "stage", "r.1")
    assert second.date == "2019-01-24T13:45:00.000000"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"release_id": "r"},
        {"release_id": "r", "date_created": "yesterday", "images": {}},
        {"release_id": "r", "date_created": "2019-13-01T00:00:00"},
    ],
)
def test_what_is_no_release(record):
    with pytest.raises(Refused):
        Release.read({"images": {}, **record})


@pytest.mark.parametrize(
    "text",
    [
        "2019-01-24T13:44:00",
        "2019-01-24 13:44:00Z",
        "2019-01-24T13:44:00.0+00:00",
        1548337440,
        "1548337440.0",
    ],
)
def test_moments(text):
    assert moments.read(text, "x") == "2019-01-24T13:44:00.000000"


def test_a_clock_that_is_behind(monkeypatch):
    moments.require_clock("", "x")
    moments.require_clock(moments.now(), "x")
    with pytest.raises(
        NotReady,
        match="The clock of this machine says 20.., and x is from 2099-01-01 00:00 UTC".replace("20..", ".*"),
    ):
        moments.require_clock("2099-01-01T00:00:00.000000", "x")


def test_a_clock_that_was_never_set(monkeypatch):
    monkeypatch.setattr(moments.time, "time", lambda: 86400.0)
    with pytest.raises(NotReady, match="The clock of this machine says 1970-01-02 00:00 UTC"):
        moments.require_clock("", "x")


def test_new_ids_are_uuids():
    assert uuid.UUID(new_id()).version == 4 and new_id() != new_id()
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_id())


@pytest.mark.parametrize(
    ("uri", "tag", "commit", "shown"),
    [
        ("host:5000/api", "", "", "api"),
        ("host:5000/api:1.2", "1.2", "", "1.2"),
        ("api:ref." + "1b8f" * 10, "ref." + "1b8f" * 10, "1b8f" * 10, "ref.1b8f1b8f1b8f"),
        ("api:main-1b8f00c@sha256:" + "ab" * 32, "main-1b8f00c", "1b8f00c", "main-1b8f00c (abababababab)"),
        ("api@sha256:" + "ab" * 32, "", "", "abababababab"),
        ("api:20260101", "20260101", "", "20260101"),
    ],
)
def test_what_an_image_says(uri, tag, commit, shown):
    assert (tag_of(uri), commit_of(uri), short(uri)) == (tag, commit, shown)


def test_the_variable_of_a_service():
    assert variable("bag-register.v2") == "IMAGE_BAG_REGISTER_V2"

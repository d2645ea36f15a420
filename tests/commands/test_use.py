"""rigger use"""

import json


def current(rigger) -> list[str]:
    return [
        row["name"] for row in json.loads(rigger("list", "-o", "json").out)["environments"] if row["current"]
    ]


def test_another_environment_becomes_the_current_one(cluster):
    cluster.configure("--name", "other")
    assert current(cluster.rigger) == ["other"]
    assert cluster.rigger("use", "wood").out == "wood is the current environment.\n"
    assert current(cluster.rigger) == ["wood"]
    assert cluster.rigger("config", "get", "PLATFORM").out == "tree\n"


def test_one_that_does_not_exist_changes_nothing(cluster):
    assert "'woood'" in cluster.rigger("use", "woood", code=3).err
    assert current(cluster.rigger) == ["wood"]

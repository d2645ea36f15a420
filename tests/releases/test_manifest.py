"""The manifest of a project, as repositories have it."""

import json
import os

import pytest

from rigger.errors import BadUsage, InvalidConfig, ProjectRefused
from rigger.releases import manifest

PROJECT = {
    "storage": {
        "name": "Storage service",
        "account_id": "975596993436",
        "environments": [{"id": "stage", "name": "Staging"}, {"id": "prod", "name": "Production"}],
        "image_repositories": [
            {"id": "api", "services": [{"id": "api"}, "worker"]},
            {"id": "ingests", "services": []},
            {"id": "notifier"},
        ],
        "role_arn": "arn:aws:iam::975596993436:role/ci",
        "aws_region_name": "eu-west-1",
        "tf_stack_root": "terraform",
        "github_repository": "wellcomecollection/storage-service",
        "namespace": "uk.ac.wellcome",
    }
}


@pytest.fixture
def read(tmp_path):
    def read(text, wanted=""):
        path = tmp_path / ".rigger_project"
        path.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))
        return manifest.read(str(path), wanted)

    return read


def other(**changes):
    return {"storage": {**PROJECT["storage"], **changes}}


def test_a_manifest_as_repositories_have_it(read):
    project = read(PROJECT)
    assert (project.id, project.name, project.region) == ("storage", "Storage service", "eu-west-1")
    assert {place.id: place.name for place in project.places.values()} == {
        "stage": "Staging",
        "prod": "Production",
    }
    assert project.services({"api": "a:1", "ingests": "i:2"}) == {
        "api": "a:1",
        "worker": "a:1",
        "ingests": "i:2",
    }
    assert project.image("worker").id == "api"


def test_what_carries_deployments_out(read):
    places = [
        {"id": "stage", "rigger": {"environment": "wood"}},
        {"id": "prod", "stack": "terraform/prod"},
        {"id": "dev"},
    ]
    project = read(other(environments=places))
    found = {place.id: (place.carrier, place.target) for place in project.places.values()}
    assert found == {"stage": ("rigger", "wood"), "prod": ("stack", "terraform/prod"), "dev": ("", "")}


def test_ids_that_look_like_dates_or_numbers_stay_text(read):
    text = """
        2020-01-01:
          environments: [{id: 2021-02-03}, {id: 007}, {id: no}, {id: 1e3}]
          image_repositories: [{id: 1.10, services: [0x10, 12:30:00]}]
    """
    with pytest.raises(ProjectRefused, match=r"'12:30:00' is not an id"):
        read(text)
    project = read(text.replace(", 12:30:00", ""))
    assert project.id == "2020-01-01"
    assert [*project.places] == ["2021-02-03", "007", "no", "1e3"]
    assert project.image("1.10").services == ("0x10",)


def test_several_projects_in_one_file(read):
    both = {**PROJECT, "catalogue": PROJECT["storage"]}
    assert read(both, "catalogue").id == "catalogue"
    with pytest.raises(BadUsage, match="has 2 projects: storage, catalogue"):
        read(both)
    with pytest.raises(BadUsage, match="has no project 'catalog' .did you mean catalogue"):
        read(both, "catalog")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"region_name": "us-east-1"},
            r"line \d+: storage.aws_region_name: is 'eu-west-1', and region_name in line \d+ is 'us-east-1'",
        ),
        ({"environments": []}, r"line \d+: storage.environments: must have at least one environment"),
        (
            {"environments": [{"id": "a"}, {"id": "a"}]},
            r"environments\[1\]: environment 'a' is there already, in line",
        ),
        ({"environments": [{"name": "a"}]}, r"environments\[0\]: has no id"),
        ({"environments": [{"id": "a/b"}]}, r"environments\[0\].id: 'a/b' is not an id"),
        ({"environments": [{"id": ".."}]}, r"'..' is not an id"),
        ({"environments": "stage"}, r"storage.environments: must be a list"),
        (
            {"environments": [{"id": "a", "rigger": {"environment": "w"}, "stack": "s"}]},
            r"one of rigger and stack, not both",
        ),
        ({"environments": [{"id": "a", "rigger": {"enviroment": "w"}}]}, r"did you mean environment"),
        ({"environments": [{"id": "a", "rigger": {}}]}, r"must name a rigger environment"),
        ({"image_repositories": [{"id": "a"}, {"id": "a"}]}, r"'a' is there already, in line"),
        (
            {"image_repositories": [{"id": "a", "services": ["x"]}, {"id": "b", "services": ["x"]}]},
            r"image_repositories\[1\]: service 'x' is one of 'a' already, in line",
        ),
        (
            {"image_repositories": [{"id": "a", "services": ["x", {"id": "x"}]}]},
            r"service 'x' is given twice",
        ),
        ({"image_repositories": [{"id": "a-b"}, {"id": "a_b"}]}, r"would have the same IMAGE_A_B"),
        (
            {"image_repositories": [{"id": "a", "services": ["b"]}, {"id": "b", "services": ["c"]}]},
            r"'b' is an image repository, in line \d+, and a service of 'a'",
        ),
    ],
)
def test_what_is_wrong_is_named_with_line_and_key(read, changes, said):
    with pytest.raises(ProjectRefused, match=said) as problem:
        read(other(**changes))
    assert ".rigger_project, line " in problem.value.message
    assert problem.value.next_step and problem.value.topic == "releases"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("{}", "line 1: has no project"),
        ("[1]", "line 1: must be a map"),
        ('{"a": {', "line 2: "),
        ('{"a": {}, "a": {}}', "a: is given twice"),
        ("a: {environmnts: [], image_repositories: []}", "has no environments .did you mean environmnts"),
        ("a:\n  name: x\n  name: y\n", "line 3: a.name: is given twice"),
        ("a/b: {}", "'a/b' is not the id of a project"),
    ],
)
def test_a_file_that_is_none(read, text, said):
    with pytest.raises(ProjectRefused, match=said):
        read(text)


def test_where_it_is_looked_for(tmp_path):
    inner = tmp_path / "repository" / "src" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / ".rigger_project").write_text("not of this repository")
    with pytest.raises(InvalidConfig, match="There is no project here"):
        manifest.find(str(inner))
    own = tmp_path / "repository" / ".wellcome_project"
    own.write_text(json.dumps(PROJECT))
    assert manifest.find(str(inner)) == str(own)
    (tmp_path / "repository" / ".rigger_project").write_text(json.dumps(PROJECT))
    with pytest.raises(ProjectRefused, match="has both .rigger_project and .wellcome_project"):
        manifest.find(str(inner))
    with pytest.raises(BadUsage, match="There is no file"):
        manifest.read(os.path.join(str(inner), "none"))

"""What every store of a project does."""

import multiprocessing
import os

import pytest

from rigger.environments.call import Call
from rigger.errors import BadUsage, InvalidConfig, Locked
from rigger.releases.model import APPLYING, CONFIRMED, FAILED, Deployment, Named, Release
from rigger.releases.store import newest
from rigger.values import replace

ANN = Named("ann@laptop", "ann")
PROJECT = Named("storage", "Storage service")


def release(id="r1", day=1, **images):
    return Release(id, PROJECT, f"2026-11-{day:02d}T10:00:00.000000", ANN, "why", images or {"api": "a:1"})


def deployment(id="d1", of="r1", environment="stage", day=2):
    place = Named(environment, environment.title())
    return Deployment(id, of, place, f"2026-11-{day:02d}T10:00:00.000000", ANN, "because")


def test_labels(store, open_store):
    assert (store.labels(), store.images("latest")) == ([], {})
    store.set_images("latest", {"api": "a:1", "worker": "w:1"})
    store.set_images("latest", {"api": "a:2", "worker": None})
    store.set_images("2026-11-20", {"api": "a:1"})
    store.set_images("gone", {"api": "a:1"})
    store.set_images("gone", {"api": None, "never": None})
    assert open_store().images("latest") == {"api": "a:2"}
    assert open_store().labels() == ["2026-11-20", "latest"]


def test_releases(store, open_store):
    assert (store.releases(), newest(store)) == ([], "")
    store.put_release(release())
    store.put_release(release("r2", 3, api="a:2"))
    assert open_store().release("r1") == release()
    assert [one.id for one in open_store().releases()] == ["r2", "r1"]
    assert newest(store) == "2026-11-03T10:00:00.000000"


def test_a_release_never_changes(store):
    store.put_release(release())
    with pytest.raises(BadUsage, match="There is a release r1 already"):
        store.put_release(release(api="a:2"))
    assert store.release("r1").images == {"api": "a:1"}


def test_a_release_that_is_not_there(store):
    with pytest.raises(BadUsage, match="There is no release 'r1'") as problem:
        store.release("r1")
    assert "rigger release create" in problem.value.next_step


def test_deployments(store, open_store):
    for one in (release(), release("r2", 3)):
        store.put_release(one)
    first, second = deployment(), deployment("d2", "r2", "prod", 4)
    for one in (first, second):
        store.begin_deployment(one)
    first = replace(first, status=APPLYING, run="run-1")
    store.change_deployment(first)
    first = replace(first, status=CONFIRMED, applied=True, ended="2026-11-05T10:00:00.000000")
    store.change_deployment(first)
    assert open_store().deployments() == [second, first]
    assert open_store().deployments("stage") == [first]
    assert open_store().release("r1").deployments == (first,)
    assert open_store().release("r1").last_deployed == first.date
    assert newest(store) == first.ended


def test_how_a_deployment_failed_is_kept(store, open_store):
    store.put_release(release())
    store.begin_deployment(deployment())
    failed = replace(
        deployment(), status=FAILED, problem="It is shut.", exit_code=7, ended="2026-11-05T10:00:00.000000"
    )
    store.change_deployment(failed)
    assert open_store().deployments() == [failed]


def test_what_a_deployment_began_with_stays(store):
    store.put_release(release())
    store.begin_deployment(deployment())
    store.change_deployment(replace(deployment(), description="another", requested_by=Named("x", "x")))
    assert store.deployments() == [deployment()]


def test_a_deployment_needs_a_release_and_an_id_of_its_own(store):
    with pytest.raises(BadUsage, match="no release 'r1'"):
        store.begin_deployment(deployment())
    with pytest.raises(BadUsage, match="no deployment d1"):
        store.change_deployment(deployment())
    store.put_release(release())
    store.begin_deployment(deployment())
    with pytest.raises(BadUsage, match="There is a deployment d1 already"):
        store.begin_deployment(deployment())


def test_the_lock_of_an_environment(store, open_store):
    with store.lock("stage", "rigger deploy stage", Call()):
        with pytest.raises(
            Locked, match='Environment stage is locked by "rigger deploy stage" .*process'
        ) as problem:
            open_store().lock("stage", "rigger deploy stage", Call()).__enter__()
        assert "--wait" in problem.value.next_step
        assert "rigger deploy stage" in open_store().holder("stage")
        with open_store().lock("prod", "rigger deploy prod", Call()):
            pass
    assert open_store().holder("stage") == ""
    with open_store().lock("stage", "rigger deploy stage", Call()):
        pass


def put(open_store, number):
    own = open_store()
    for count in range(5):
        own.put_release(release(f"r{number}-{count}"))


def test_writers_at_once_lose_nothing(store, open_store):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=put, args=(open_store, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert len({one.id for one in open_store().releases()}) == 20


# What the folder alone has


@pytest.mark.parametrize("harm", ["cut", "edit", "foreign"])
def test_a_folder_that_somebody_harmed_is_neither_read_nor_added_to(open_folder, harm):
    open_store, store = open_folder, open_folder()
    store.put_release(release())
    store.put_release(release("r2"))
    with open(store.log.path, "rb+") as file:
        lines = file.read().splitlines(keepends=True)
        file.seek(0)
        file.truncate()
        file.write(
            {"cut": lines[0], "edit": lines[0].replace(b"a:1", b"a:9") + lines[1], "foreign": b"[]\n"}[harm]
        )
    for act in (lambda: open_store().releases(), lambda: open_store().put_release(release("r3"))):
        with pytest.raises(InvalidConfig) as problem:
            act()
        assert store.folder in problem.value.message
        assert "rigger release repair" in problem.value.next_step


def test_a_torn_line_is_set_aside(open_folder):
    open_store, store = open_folder, open_folder()
    store.put_release(release())
    with open(store.log.path, "ab") as file:
        file.write(b'{"seq":2,"time":"')
    assert open_store().releases() == [release()]
    open_store().put_release(release("r2"))
    assert [one.id for one in open_store().releases()] == ["r2", "r1"]
    assert any(".torn-" in name for name in os.listdir(store.folder))

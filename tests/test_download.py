"""Files over http: what is too slow, too large, cut off, or somewhere else."""

import time

import pytest
from helpers.web import served

from rigger import download
from rigger.errors import BadUsage, NotReady, Refused


def test_a_file_is_read_also_where_it_was_moved(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    with served(tmp_path) as url:
        assert download.read(f"{url}/to/{url}/file", 100, 5) == b"content"
        with pytest.raises(Refused, match="larger than 6 bytes"):
            download.read(f"{url}/file", 6, 5)


def test_a_server_that_drips_is_left_in_time(tmp_path):
    begun = time.monotonic()
    with served(tmp_path) as url, pytest.raises(NotReady, match="took longer than 1 s"):
        download.read(f"{url}/slow/file", 1 << 20, 1)
    assert time.monotonic() - begun < 5


def test_redirects_that_lead_round_and_round(tmp_path):
    with served(tmp_path) as url:
        round_trip = "/to/" * 9 + f"{url}/file"
        with pytest.raises(NotReady, match="answered 302"):
            download.read(f"{url}{round_trip}", 100, 5)


@pytest.mark.parametrize(
    "url", ["https://a:b@x/y", "ftp://x/y", "http://x/y", "https://x/y z", "file:///etc/passwd", ""]
)
def test_what_is_no_url_that_may_be_read(url):
    with pytest.raises(BadUsage):
        download.check_url(url)


def test_a_password_in_a_url_is_not_shown():
    with pytest.raises(BadUsage) as problem:
        download.check_url("https://user:hunter2@example.com/v1.yaml")
    assert "hunter2" not in str(problem.value) and "at example.com carries" in problem.value.message


def test_what_a_digest_verifies_may_come_by_http():
    assert download.check_url("http://x/y", verified=True) == "http://x/y"

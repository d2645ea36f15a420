"""How many programs a cluster of etcd starts on its way: they are most of what its first start takes."""

import collections
import os

import pytest
from helpers.programs_started import programs_started

WAITING = {"sleep", "date", "etcdctl"}  # how often depends on how fast the members come up


@pytest.mark.slow
def test_three_nodes_take_a_few_hundred(rigger, etcd_cache):
    os.makedirs(etcd_cache, exist_ok=True)
    os.makedirs(rigger.home, mode=0o700, exist_ok=True)
    os.symlink(etcd_cache, rigger.path("cache"))
    rigger.env["USER"] = "somebody"  # as a login has it
    rigger("configure", "--no-input", "--name", "iron", "--platform", "etcd", "--provider", "local")
    try:
        started = collections.Counter(program for program, _ in programs_started(rigger, "provision"))
    finally:
        rigger("destroy", "--yes")
    assert started["etcd"] == 6  # three that tell their version, three that stay
    assert sum(started[program] for program in started.keys() - WAITING) <= 450, started.most_common()

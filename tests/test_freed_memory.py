"""The memory that networks free stays with the process."""

import platform

import pytest

from tests.factories import in_new_python

PAGES_TAKEN = """
import resource
from sneaker_core.networks.architectures import build_network
import torch

def taken():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.ones(16 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = taken()
build_network("sneaker_cnn", 2)
taken()
print(before, taken())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_a_process_that_builds_a_network_asks_for_its_memory_once():
    returned, kept = map(int, in_new_python(PAGES_TAKEN).split())
    assert kept < returned / 20

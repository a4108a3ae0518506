"""rawkit's fields beside tshark's: every capture of the project, and a sample of the corpus.

The whole corpus is for `make agree`, which takes minutes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from agree.accepted import ACCEPTED, Accepted, reason_for
from agree.comparison import Difference, compare_file
from other_readers import corpus
from programs import require
from test_captures import FIXTURES

EACH = 30
"""One file of so many is in the sample."""


def explained(paths):
    """How many values were compared, and the differences that are not accepted."""
    require("tshark")
    with ThreadPoolExecutor(2) as workers:
        found = list(workers.map(compare_file, paths))
    differences = [difference for comparison in found for difference in comparison.differences]
    return sum(comparison.values for comparison in found), [one for one in differences if not reason_for(one)]


def test_tshark_prints_the_same_for_every_capture_of_the_project():
    values, unexplained = explained(FIXTURES)
    assert unexplained == []
    assert values > 10_000


def test_tshark_prints_the_same_for_a_sample_of_the_captures_of_others():
    values, unexplained = explained(corpus("tcpdump")[::EACH])
    assert unexplained == []
    assert values > 1000


@pytest.mark.parametrize(
    "name",
    ["nflog", "LINKTYPE_USER2_PKTAP", "bgp-aigp", "macsec-short-valid", "macsec-encrypted", "nsh", "nhrp-trace"],
)
def test_tshark_prints_the_same_for_what_link_types_and_tags_carry(name):
    values, unexplained = explained([path for path in corpus("tcpdump") if path.stem == name])
    assert unexplained == []
    assert values > 3


@pytest.mark.parametrize("accepted", ACCEPTED, ids=lambda accepted: accepted.fields)
def test_an_accepted_difference_says_why_and_where(accepted):
    assert len(accepted.reason) > 40
    assert (accepted.files, accepted.protocols, accepted.ours, accepted.theirs) != (".*",) * 4


def test_an_entry_explains_what_it_names_and_no_more():
    entry = Accepted(r"tcp\.flags\.(ae|str)", "a reason", files=r"tcpdump/one\.pcap", theirs="")
    known = Difference("tcpdump/one.pcap", 3, "tcp.flags.ae", "1", "", "eth:ethertype:ip:tcp")
    assert entry.explains(known)
    for change in ({"field": "tcp.flags"}, {"file": "tcpdump/two.pcap"}, {"theirs": "0"}):
        assert not entry.explains(known._replace(**change))

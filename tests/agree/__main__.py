"""`make agree`: rawkit's fields beside tshark's, on every capture of the project and of the corpus.

It prints files, packets, values compared, equal and different, and each difference that `accepted.py` does not
explain. It exits with 1 if there is such a difference, or if fewer values than wanted are equal before that list
is applied.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from multiprocessing import Pool, cpu_count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from agree.accepted import ACCEPTED, in_application, reason_for
from agree.comparison import Comparison, Difference, compare_file
from agree.peer import tshark_version
from other_readers import corpus

CAPTURES = Path(__file__).parents[2] / "captures"
WANTED = 0.999
"""The part of the values that is to be equal before the list of accepted differences is applied."""

SHOWN = 20
"""So many packets are shown of a difference in one field of one file."""


def files() -> list[Path]:
    """The captures of the project, then those of the corpus."""
    return [*sorted(CAPTURES.glob("*.pcap*")), *corpus("pcapng"), *corpus("tcpdump")]


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments] or files()
    with Pool(cpu_count()) as workers:
        found = list(workers.imap(compare_file, paths, chunksize=4))
    everything = [difference for comparison in found for difference in comparison.differences]
    differences = [difference for difference in everything if not in_application(difference)]
    explained = Counter(reason_for(difference) for difference in differences)
    show(difference for difference in differences if reason_for(difference) is None)
    return report(found, len(differences), len(everything) - len(differences), explained)


def show(differences: Iterable[Difference]) -> None:
    """Print the differences, those of one field of one file together."""
    groups: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for difference in differences:
        groups[difference.file, difference.field].append(difference)
    for (file, field), members in groups.items():
        print(f"{file} {field}")
        for member in members[:SHOWN]:
            print(f"    {member.packet:5} rawkit {member.ours!r}, tshark {member.theirs!r} ({member.protocols})")
        if len(members) > SHOWN:
            print(f"    and {len(members) - SHOWN} more packets")


def report(found: list[Comparison], different: int, left_out: int, explained: Counter[str | None]) -> int:
    """Print the totals; the exit code."""
    values = sum(comparison.values for comparison in found) - left_out
    refused = [comparison for comparison in found if comparison.refused]
    equal = values - different
    print(tshark_version())
    print(f"files      {len(found) - len(refused):8}, and {len(refused)} that tshark does not read:")
    for comparison in refused:
        print(f"             {comparison.file}: {comparison.refused}")
    print(f"packets    {sum(comparison.packets for comparison in found):8}")
    print(f"values     {values:8}")
    if not values:
        return 1
    print(f"equal      {equal:8}   {equal / values:.4%}, wanted {WANTED:.1%}")
    print(f"different  {different:8}")
    print(f"left out   {left_out:8}   fields of frames in sFlow and OpenFlow, which are left to scapy")
    print(f"           {'':8}   {equal / (values + left_out):.4%} equal if they count as different")
    print(f"accepted   {different - explained[None]:8}   {len(ACCEPTED)} reasons")
    for accepted in ACCEPTED:
        print(f"  {explained[accepted.reason]:6} {accepted.reason}")
    print(f"remaining  {explained[None]:8}")
    return int(equal / values < WANTED or explained[None] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

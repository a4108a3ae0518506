"""`make fuzz`: mutations of every capture there is, each of which is decoded, or refused by the documented error.

Nothing else may be raised, none may take long, and no process may take more than 100 MB. A failure tells the seed
and the number that make it again: `python tests/fuzz --seed SEED --first NUMBER --count 1`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.worker import MOST_MEMORY, Outcome, decode_whole, mutate_and_decode, seeds

PROCESSES = 2
BATCH = 500
SHOWN = 5
"""How many failures are shown as a whole."""


def run(seed: int, first: int, count: int) -> Iterator[Outcome]:
    """Every file as it is, then the mutations in batches."""
    firsts = range(first, first + count, BATCH)
    sizes = [min(BATCH, first + count - at) for at in firsts]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        if first == 0:
            yield from pool.map(decode_whole, seeds(), chunksize=32)
        yield from pool.map(partial(mutate_and_decode, seed), firsts, sizes)


def watched(outcomes: Iterable[Outcome], whole: int) -> Iterator[Outcome]:
    """Shows on a terminal how far it is."""
    done = 0
    for outcome in outcomes:
        done += outcome.count
        if sys.stderr.isatty():
            print(f"\r{done} of {whole}", end="", file=sys.stderr, flush=True)
        yield outcome
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    if not seeds():
        print("there are no captures to mutate")
        return 1
    whole = options.count + (len(seeds()) if options.first == 0 else 0)
    started = time.perf_counter()
    outcomes = list(watched(run(options.seed, options.first, options.count), whole))
    seconds = time.perf_counter() - started
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    memory = max(outcome.memory for outcome in outcomes)
    for failure in failures[:SHOWN]:
        print(f"\nseed {options.seed}, number {failure.number}, of {failure.name}: {failure.data[:2048].hex()}")
        print(failure.trace)
    print(f"seed {options.seed}: {len(seeds())} captures and {options.count} mutations of them")
    print(f"{len(failures)} failed; {whole / seconds:.0f} a second, at most {memory / 1e6:.0f} MB in a process")
    return int(bool(failures) or memory > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())

"""Record the fixtures anew, each with its golden decoding: python captures/record.py [NAME ...]

Everything happens between network namespaces of its own; nothing is sent from this machine or to it. Needs root
or user namespaces, and the programs that captures/README.md lists.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from golden import tshark_version, write_golden
from recipes import RECIPES
from studio import PROGRAMS_COMMENT, Studio

from rawkit.netns import reexec_in_user_namespace
from rawkit.pcap import open_capture, write_capture

HERE = Path(__file__).parent
README = HERE / "README.md"
TABLE_BEGIN, TABLE_END = "<!-- written by record.py -->\n", "<!-- to here -->\n"
MOST_PACKETS = 60


def main() -> None:
    """Record what is asked for, everything by default; then bring the table in the README up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(RECIPES)}; all by default")
    parser.add_argument("--golden", action="store_true", help="only redo the golden decodings")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(RECIPES):
        parser.error(f"no such fixture: {', '.join(sorted(unknown))}")
    if not arguments.golden:
        reexec_in_user_namespace()
    for name in arguments.names or RECIPES:
        if not arguments.golden:
            record(name)
        write_golden(capture_of(name))
        print(capture_of(name).name)
    write_table()


def capture_of(name: str) -> Path:
    """Where the fixture of that name is kept."""
    return HERE / f"{name}.pcapng"


def record(name: str) -> None:
    """Make one fixture. Raises RuntimeError when a program fails, or when too much or nothing was heard."""
    recipe = RECIPES[name]
    with Studio(shows(name)) as studio:
        recipe(studio)
        records = list(studio.records())
    if not 0 < len(records) <= MOST_PACKETS:
        raise RuntimeError(f"{name}: {len(records)} packets; a fixture has 1 to {MOST_PACKETS}")
    write_capture(capture_of(name), records)


def shows(name: str) -> str:
    """What the fixture shows, in a sentence."""
    return (RECIPES[name].__doc__ or "").strip()


def write_table() -> None:
    """Write the README's table from the fixtures themselves: what they show, and the programs they name."""
    rows = ["| file | packets | shows | programs | read by |", "|---|---|---|---|---|"]
    for name in RECIPES:
        path = capture_of(name)
        with open_capture(path) as capture:
            records = list(capture)
        made_by = next(text for text in records[0].comments if text.startswith(PROGRAMS_COMMENT))
        programs = made_by.removeprefix(PROGRAMS_COMMENT)
        rows.append(f"| {path.name} | {len(records)} | {shows(name)} | {programs} | tests/test_captures.py |")
    table = "\n".join([*rows, "", f"Golden decodings by tshark {tshark_version()}.", ""])
    before, _, rest = README.read_text().partition(TABLE_BEGIN)
    _, _, after = rest.partition(TABLE_END)
    README.write_text(before + TABLE_BEGIN + table + TABLE_END + after)


if __name__ == "__main__":
    main()

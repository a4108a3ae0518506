"""The evidence of a run as one file: judged again from it, without privileges, the verdict is the same.

A zip file with a capture for each link, what the kernels knew, the command's output, the verdict, and a
manifest with a digest (SHA-256) of each of them, and of itself. What is judged are the frames and states; the
verdict in it is for people. Whoever can write a bundle can write another one, digests included; a key that
students do not have (`key`) seals it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import stat
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

from rawkit._version import __version__
from rawkit.errors import CaptureError, RawkitError, file_error
from rawkit.lab.bounds import missing_in
from rawkit.lab.evidence import Evidence
from rawkit.lab.exercise import Exercise
from rawkit.lab.records import records, transit_in
from rawkit.lab.seed import STUDENT_NAME, Seed
from rawkit.lab.stage import Played
from rawkit.lab.verdict import Verdict
from rawkit.lab.wire import Wire
from rawkit.netns import State, Transit
from rawkit.netns.listening import MOST_FRAMES as MOST_OF_A_SOURCE
from rawkit.pcap import CaptureWriter, Interface, open_capture
from rawkit.pcap.files import output, write_all
from rawkit.wire import LinkType

__all__ = [
    "MOST_PREDICTED",
    "NOT_SEALED",
    "SEALED",
    "UNCHECKED",
    "UNPREPARED",
    "Bundle",
    "Heading",
    "Preparation",
    "passed_in",
    "read_bundle",
    "read_heading",
    "write_bundle",
]

Member = TypeVar("Member")

FORMAT: Final = 3
MANIFEST, STATES, OUTPUT, VERDICT = "manifest.json", "states.json", "output.txt", "verdict.json"

SEALED, NOT_SEALED, UNCHECKED = "sealed", "not sealed", "seal not checked"
"""With the key that was given; not, or with another one; or with some key, while none was given."""

MEBIBYTE: Final = 1024 * 1024
MOST_MEMBERS: Final = 128
MOST: Final = {MANIFEST: MEBIBYTE, STATES: 4 * MEBIBYTE, OUTPUT: MEBIBYTE, VERDICT: MEBIBYTE}
MOST_CAPTURED: Final = 32 * MEBIBYTE
"""Bytes of each member, unpacked, and of all captures together: more than a check keeps, and no more than a
reader can hold once it is taken apart."""

MOST_FRAMES: Final = 3 * MOST_OF_A_SOURCE
"""Frames of all captures together: those of all plain links, and of two that do something to frames."""

MOST_PREDICTED: Final = 200
MOST_HINTS: Final = 3
"""Characters of a prediction, and how many hints there are."""

_EXERCISE: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")
_STOPPED: Final = re.compile(r"(it [a-zA-Z0-9 .,:-]{1,100})?")
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{0,64}")
_LINK: Final = re.compile(r"links/([A-Za-z0-9._-]{1,64})\.pcapng")
_PREDICTED: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f]{{0,{MOST_PREDICTED}}}")


class Preparation(NamedTuple):
    """What a student did before a run."""

    predicted: str = ""
    """The first answer to the exercise's question; empty if there was none."""
    hints: int = 0
    """How many hints were taken."""


UNPREPARED: Final = Preparation()


class Heading(NamedTuple):
    """What a bundle's manifest says."""

    name: str
    """Its file."""
    exercise: str
    student: str
    salt: str
    """What the run's secrets were drawn with."""
    values: str
    """Digest of the run's values."""
    defended: bool
    stopped: str
    status: int | None
    preparation: Preparation
    seal: str
    """`SEALED`, `NOT_SEALED` or `UNCHECKED`."""
    fingerprint: str
    """Of what was recorded, times included: the same in a copy, and in nothing else."""


class Bundle(NamedTuple):
    """What a bundle holds."""

    heading: Heading
    transits: tuple[Transit, ...]
    states: dict[str, dict[str, State]]
    output: bytes

    def evidence(self, exercise: Exercise) -> Evidence:
        """What to judge. Raises CaptureError where the exercise gives other values than its run had."""
        heading = self.heading
        values = exercise.values_of(heading.student, heading.salt)
        if values.digest() != heading.values:
            whose = f"values that {exercise.name} does not give {heading.student}: another version's, or student's"
            raise _damaged(heading.name, whose)
        topology = exercise.topology_of(values)
        seen = [name for transit in self.transits for name in (transit.sender, transit.receiver)]
        links = [transit.link for transit in self.transits]
        nodes = {*topology.nodes, *seen}
        wire = Wire(
            self.transits, nodes=nodes, links={*topology.link_names, *links}, missing=missing_in(heading.stopped)
        )
        return Evidence(values, wire, self.states, self.output, heading.status)


def write_bundle(
    path: str | Path,
    played: Played,
    verdict: Verdict,
    *,
    key: bytes = b"",
    preparation: Preparation = UNPREPARED,
) -> None:
    """Write the evidence of a run; the file appears under its name when it is finished. Raises FileError."""
    members = _members_of(played, verdict)
    manifest = {
        "format": FORMAT,
        "rawkit": __version__,
        "exercise": verdict.exercise,
        "student": verdict.student,
        "seed": Seed(verdict.exercise, verdict.student).text,
        "salt": played.evidence.values.salt,
        "values": played.evidence.values.digest(),
        "defended": verdict.defended,
        "stopped": verdict.stopped,
        "status": played.outcome.status,
        **preparation._asdict(),
        "made_ns": time.time_ns(),
        "sha256": {name: _digest(data) for name, data in members.items()},
    }
    manifest |= {"digest": _digest(_json(manifest)), "seal": _seal(manifest, key)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {MANIFEST: _json(manifest), **members}.items():
            archive.writestr(name, data)
    with output(str(path)) as file:
        write_all(file, bytearray(packed.getvalue()), str(path))


def _members_of(played: Played, verdict: Verdict) -> dict[str, bytes]:
    links = dict.fromkeys([*played.evidence.wire.links, *(transit.link for transit in played.transits)])
    states = {
        moment: {host: state.as_object() for host, state in states.items()}
        for moment, states in played.evidence.states.items()
    }
    results = [result.as_object() for result in verdict.results]
    return {
        **{f"links/{link}.pcapng": _capture(link, played.transits) for link in links},
        STATES: _json(states),
        OUTPUT: played.outcome.output,
        VERDICT: _json(verdict.as_object() | {"results": results}),
    }


def read_heading(path: str | Path, *, key: bytes = b"") -> Heading:
    """Read what it is about, and see to it that nothing in it was altered. Raises FileError, CaptureError."""
    return _read(str(path), key)[0]


def read_bundle(path: str | Path, *, key: bytes = b"") -> Bundle:
    """Read a bundle, and see to it that nothing in it was altered. Raises FileError, CaptureError."""
    heading, members = _read(str(path), key)
    with _reading(heading.name, STATES):
        states = {
            moment: {host: State.from_object(state) for host, state in hosts.items()}
            for moment, hosts in json.loads(members[STATES]).items()
        }
    transits = _transits(heading.name, _links(members))
    return Bundle(heading, tuple(transits), states, members.get(OUTPUT, b""))


def _read(name: str, key: bytes) -> tuple[Heading, dict[str, bytes]]:
    """What the manifest says, and the members, whose digests are right."""
    with _open(name) as file, _reading(name, "it is no zip file that is whole"), zipfile.ZipFile(file) as archive:
        members = _members(archive, name)
    with _reading(name, MANIFEST):
        manifest = json.loads(members.pop(MANIFEST))
        claimed = {str(one): str(digest) for one, digest in manifest["sha256"].items()}
        version = manifest["format"]
    if version != FORMAT or isinstance(version, bool):
        raise _damaged(name, f"format {version!r}, which another version of rawkit wrote")
    found = {one: _digest(data) for one, data in members.items()}
    if found != claimed:
        changed = sorted(one for one in found | claimed if found.get(one) != claimed.get(one))
        raise _damaged(name, f"altered: {', '.join(map(repr, changed[:3]))}")
    with _reading(name, MANIFEST):
        return _heading(name, manifest, key, _digest(_json(sorted(_links(found).items())))), members


def _heading(name: str, manifest: dict[str, Any], key: bytes, fingerprint: str) -> Heading:
    """What it says. Raises CaptureError for one that was altered, and anything for what was never written."""
    seal, digest = str(manifest.pop("seal")), str(manifest.pop("digest"))
    if digest != _digest(_json(manifest)):
        raise _damaged(name, f"altered: {MANIFEST}")
    exercise, student = _told(manifest["exercise"], _EXERCISE), _told(manifest["student"], STUDENT_NAME)
    if manifest["seed"] != Seed(exercise, student).text:
        raise _damaged(name, f"altered: the seed is not that of {student}")
    status, hints = manifest["status"], manifest["hints"]
    if not isinstance(status, int | None) or hints not in range(MOST_HINTS + 1):
        raise ValueError("the exit status, or the number of hints")
    sealed = bool(key) and hmac.compare_digest(seal.encode(), _seal(manifest, key).encode())
    return Heading(
        name=name,
        exercise=exercise,
        student=student,
        salt=_told(manifest["salt"], _HEXADECIMAL),
        values=_told(manifest["values"], _HEXADECIMAL),
        defended=manifest["defended"] is True,
        stopped=_told(manifest["stopped"], _STOPPED),
        status=status,
        preparation=Preparation(_told(manifest["predicted"], _PREDICTED), hints),
        seal=SEALED if sealed else UNCHECKED if seal and not key else NOT_SEALED,
        fingerprint=fingerprint,
    )


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    """The file, which is a plain one: what is no file may have no end, or wait for somebody who writes."""
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _damaged(name, "no plain file")
            yield file
    except OSError as error:
        raise file_error(error, f"read {name}") from error


@contextmanager
def _reading(name: str, what: str) -> Iterator[None]:
    """Tell of whatever goes wrong as of that part of a bundle, which anybody may have written."""
    try:
        yield
    except RawkitError:
        raise
    except Exception as error:  # it holds anything: wrong types, endless numbers, depths, what zlib cannot read
        raise _damaged(name, what if " " in what else f"{what} is not as it was written") from error


def _told(text: object, pattern: re.Pattern[str]) -> str:
    """What is shown to people later, at their terminals and in their tables. Raises ValueError."""
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError(repr(text))
    return text


def passed_in(path: str | Path) -> bool | None:
    """Whether the verdict in a bundle says that it passed, which is not verified; None where there is none."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(VERDICT) as member:
            return bool(json.loads(member.read(MOST[VERDICT]))["passed"])
    except Exception:  # noqa: BLE001 - there is no file, or no bundle in it: zipfile raises anything then
        return None


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    """Everything in it, as far as it is not too much."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise _damaged(name, f"{len(infos)} members")
    if len({info.filename for info in infos}) < len(infos):
        raise _damaged(name, "a member that is there twice")
    members, captured = {}, MOST_CAPTURED
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(name, "a member that is packed in a way of its own")
        most = MOST.get(info.filename, captured)
        with archive.open(info) as member:
            data = member.read(most + 1)  # what the directory says of its size need not be so
        if len(data) > most:
            raise _damaged(name, f"more than {most} bytes in {info.filename!r}")
        if info.filename not in MOST:
            captured -= len(data)
        members[info.filename] = data
    return members


def _damaged(name: str, found: str) -> CaptureError:
    return CaptureError(name, 0, "an evidence bundle as `rawkit lab check` wrote it", found)


def _seal(manifest: dict[str, Any], key: bytes) -> str:
    """With a key, an HMAC that nobody makes who does not have it; else nothing."""
    return hmac.new(key, _json(manifest), hashlib.sha256).hexdigest() if key else ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _links(members: Mapping[str, Member]) -> dict[str, Member]:
    """Of what there is for each member, that for captures."""
    return {name: member for name, member in members.items() if name.startswith("links/")}


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _capture(link: str, transits: Iterable[Transit]) -> bytes:
    file = io.BytesIO()
    interface = Interface(0, LinkType.ETHERNET, name=link)  # also of a link on which nothing crossed
    with CaptureWriter(file, format="pcapng", interfaces=[interface]) as writer:
        for record in records(transits, link):
            writer.write(record)
    return file.getvalue()


def _transits(name: str, links: dict[str, bytes]) -> list[Transit]:
    """The frames of all captures, in the order of their numbers. Raises CaptureError."""
    found: list[tuple[int, Transit]] = []
    for member, data in links.items():
        link = _LINK.fullmatch(member)
        if link is None:
            raise _damaged(name, f"a link named {member!r}")
        try:
            with open_capture(io.BytesIO(data)) as capture:
                found += [transit_in(record, link[1]) for record in islice(capture, MOST_FRAMES + 1 - len(found))]
        except (RawkitError, ValueError) as error:
            raise _damaged(name, f"{member}: {error}") from error
        if len(found) > MOST_FRAMES:
            raise _damaged(name, f"more than {MOST_FRAMES} frames")
    found.sort(key=lambda each: each[0])
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise _damaged(name, "frames are missing, or there twice")
    return [transit for _, transit in found]

"""The evidence of a run as one file: judged again from it, without privileges, the verdict is the same.

A zip file with a capture for each link, what the kernels knew, the command's output, the verdict, and a
manifest with a digest (SHA-256) of each of them. What is judged are the frames and states; the verdict in it
is for people. Whoever can write a bundle can write another one, digests included; a key that students do not
have (`key`) seals it.
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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from rawkit._version import __version__
from rawkit.errors import CaptureError, RawkitError, file_error
from rawkit.lab.confine import missing_in
from rawkit.lab.evidence import Evidence
from rawkit.lab.exercise import Exercise
from rawkit.lab.records import records, transit_in
from rawkit.lab.seed import STUDENT_NAME, Seed
from rawkit.lab.stage import Played
from rawkit.lab.verdict import Verdict
from rawkit.lab.wire import Wire
from rawkit.netns import State, Transit
from rawkit.pcap import open_capture, write_capture
from rawkit.pcap.files import output, write_all

__all__ = ["Bundle", "passed_in", "read_bundle", "write_bundle"]

FORMAT: Final = 2
MANIFEST, STATES, OUTPUT, VERDICT = "manifest.json", "states.json", "output.txt", "verdict.json"

MOST_MEMBERS: Final = 128
MOST_BYTES: Final = 128 * 1024 * 1024
"""What a bundle can hold, unpacked."""
MOST_VERDICT: Final = 1024 * 1024

_EXERCISE: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")
_STOPPED: Final = re.compile(r"(it [a-zA-Z0-9 .,:]{1,100})?")
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{0,64}")
_LINK: Final = re.compile(r"links/([A-Za-z0-9._-]{1,64})\.pcapng")


class Bundle(NamedTuple):
    """What a bundle says."""

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
    sealed: bool
    """Whether the key that it was read with is the one that it was sealed with."""
    fingerprint: str
    """Of what was recorded, times included: the same in a copy, and in nothing else."""
    transits: tuple[Transit, ...]
    states: dict[str, dict[str, State]]
    output: bytes
    status: int | None

    def evidence(self, exercise: Exercise) -> Evidence:
        """What to judge. Raises CaptureError where the exercise gives other values than its run had."""
        values = exercise.values_of(self.student, self.salt)
        if values.digest() != self.values:
            raise _damaged(
                self.name,
                f"values that {exercise.name} does not give {self.student}: another version's, or student's",
            )
        topology = exercise.topology_of(values)
        seen = [name for transit in self.transits for name in (transit.sender, transit.receiver)]
        links = [transit.link for transit in self.transits]
        nodes = {*topology.nodes, *seen}
        wire = Wire(
            self.transits, nodes=nodes, links={*topology.link_names, *links}, missing=missing_in(self.stopped)
        )
        return Evidence(values, wire, self.states, self.output, self.status)


def write_bundle(path: str | Path, played: Played, verdict: Verdict, *, key: bytes = b"") -> None:
    """Write the evidence of a run; the file appears under its name when it is finished. Raises FileError."""
    links = dict.fromkeys(transit.link for transit in played.transits)
    members = {f"links/{link}.pcapng": _capture(link, played.transits) for link in links}
    members[STATES] = _json(
        {
            moment: {host: state.as_object() for host, state in states.items()}
            for moment, states in played.evidence.states.items()
        }
    )
    members[OUTPUT] = played.outcome.output
    members[VERDICT] = _json(verdict.as_object() | {"results": [result.as_object() for result in verdict.results]})
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
        "made_ns": time.time_ns(),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    manifest["seal"] = _seal(manifest, key)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {MANIFEST: _json(manifest), **members}.items():
            archive.writestr(name, data)
    with output(str(path)) as file:
        write_all(file, bytearray(packed.getvalue()), str(path))


def read_bundle(path: str | Path, *, key: bytes = b"") -> Bundle:
    """Read a bundle, and see to it that nothing in it was altered. Raises FileError, CaptureError."""
    name = str(path)
    with _open(name) as file, _reading(name, "it is no zip file that is whole"), zipfile.ZipFile(file) as archive:
        members = _members(archive, name)
    with _reading(name, MANIFEST):
        manifest = json.loads(members.pop(MANIFEST))
        claimed = {str(one): str(digest) for one, digest in manifest["sha256"].items()}
        version = manifest["format"]
    if version != FORMAT or isinstance(version, bool):
        raise _damaged(name, f"format {version!r}, which another version of rawkit wrote")
    found = {one: hashlib.sha256(data).hexdigest() for one, data in members.items()}
    if found != claimed:
        changed = sorted(one for one in found | claimed if found.get(one) != claimed.get(one))
        raise _damaged(name, f"altered: {', '.join(map(repr, changed[:3]))}")
    with _reading(name, MANIFEST):
        seal = str(manifest.pop("seal"))
        sealed = hmac.compare_digest(seal, _seal(manifest, key))
        exercise, student = _told(manifest["exercise"], _EXERCISE), _told(manifest["student"], STUDENT_NAME)
        stopped, status = _told(manifest["stopped"], _STOPPED), manifest["status"]
        salt, values = _told(manifest["salt"], _HEXADECIMAL), _told(manifest["values"], _HEXADECIMAL)
        defended = manifest["defended"] is True
        if not isinstance(status, int | None):
            raise ValueError("the exit status")
    if not key and not sealed and not seal.startswith("hmac:"):
        raise _damaged(name, f"altered: {MANIFEST}")
    if manifest["seed"] != Seed(exercise, student).text:
        raise _damaged(name, f"altered: the seed is not that of {student}")
    with _reading(name, STATES):
        states = {
            moment: {host: State.from_object(state) for host, state in hosts.items()}
            for moment, hosts in json.loads(members[STATES]).items()
        }
    links = {one: data for one, data in members.items() if one.startswith("links/")}
    fingerprint = _json(sorted((one, found[one]) for one in links))
    return Bundle(
        name=name,
        exercise=exercise,
        student=student,
        salt=salt,
        values=values,
        defended=defended,
        stopped=stopped,
        sealed=sealed and bool(key),
        fingerprint=hashlib.sha256(fingerprint).hexdigest(),
        transits=tuple(_transits(name, links)),
        states=states,
        output=members.get(OUTPUT, b""),
        status=status,
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
            return bool(json.loads(member.read(MOST_VERDICT))["passed"])
    except Exception:  # noqa: BLE001 - there is no file, or no bundle in it: zipfile raises anything then
        return None


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    """Everything in it, as far as it is not too much."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise _damaged(name, f"{len(infos)} members")
    if len({info.filename for info in infos}) < len(infos):
        raise _damaged(name, "a member that is there twice")
    members, left = {}, MOST_BYTES
    for info in infos:
        with archive.open(info) as member:
            data = member.read(left + 1)  # what the directory says of its size need not be so
        left -= len(data)
        if left < 0:
            raise _damaged(name, f"more than {MOST_BYTES} bytes")
        members[info.filename] = data
    return members


def _damaged(name: str, found: str) -> CaptureError:
    return CaptureError(name, 0, "an evidence bundle as `rawkit lab check` wrote it", found)


def _seal(manifest: dict[str, Any], key: bytes) -> str:
    """With a key, an HMAC that nobody makes who does not have it; else a digest."""
    text = _json({name: value for name, value in manifest.items() if name != "seal"})
    if key:
        return f"hmac:{hmac.new(key, text, hashlib.sha256).hexdigest()}"
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _capture(link: str, transits: Iterable[Transit]) -> bytes:
    file = io.BytesIO()
    write_capture(file, records(transits, link), format="pcapng")
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
                found += [transit_in(record, link[1]) for record in capture]
        except (RawkitError, ValueError) as error:
            raise _damaged(name, f"{member}: {error}") from error
    found.sort(key=lambda each: each[0])
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise _damaged(name, "frames are missing, or there twice")
    return [transit for _, transit in found]

"""Bundles of evidence: whatever was altered, cut or made up is refused with one error."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import require

from rawkit.errors import CaptureError, FileError, RawkitError
from rawkit.lab import Bounds, judge, play, read_bundle, running, write_bundle
from rawkit.lab.bundle import read_heading
from rawkit.lab.catalogue import catalogue
from rawkit.lab.grade import grade
from rawkit.lab.rehearsal import command_of
from rawkit.lab.seed import Seed
from rawkit.pcap import open_capture, write_capture

pytestmark = pytest.mark.root

PING = catalogue()["ping"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of two students, and of one that is sealed."""
    folder = tmp_path_factory.mktemp("bundles")
    for student in ("alice", "bob"):
        played = play(PING, student, running(command_of(PING.solution), Bounds()))
        verdict = judge(PING, student, played.evidence)
        assert verdict.passed
        write_bundle(folder / f"ping--{student}.zip", played, verdict)
        write_bundle(folder / f"sealed--{student}.zip", played, verdict, key=b"secret")
    return folder


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, found: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return path


def forged(folder: Path, path: Path, manifest: dict[str, Any], **changed: bytes) -> Path:
    """Alice's bundle with other words in its manifest and other members, and with digests to go with them."""
    found = {**members(folder / "ping--alice.zip"), **changed}
    said = {**json.loads(found.pop("manifest.json")), **manifest}
    said["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    return packed(path, {"manifest.json": digested(said), **found})


def digested(said: dict[str, Any]) -> bytes:
    """A manifest with the digest of it that whoever can write one can make; its seal stays as it is."""
    plain = {name: value for name, value in said.items() if name not in ("digest", "seal")}
    text = json.dumps(plain, indent=1, sort_keys=True).encode()
    return json.dumps({**said, "digest": hashlib.sha256(text).hexdigest()}).encode()


def recorded(folder: Path, numbers: Iterable[int]) -> dict[str, bytes]:
    """A capture with the first frame of Alice's, with each of these numbers."""
    link = "links/you-target.pcapng"
    with open_capture(io.BytesIO(members(folder / "ping--alice.zip")[link])) as capture:
        first = next(iter(capture))
    file = io.BytesIO()
    write_capture(
        file, (first._replace(comments=(f"{number}: you > target",)) for number in numbers), format="pcapng"
    )
    return {link: file.getvalue()}


def test_other_programs_read_what_is_in_it(folder: Path) -> None:
    found = members(folder / "ping--alice.zip")
    assert set(found) == {"manifest.json", "states.json", "output.txt", "verdict.json", "links/you-target.pcapng"}
    assert json.loads(found["verdict.json"])["passed"] is True
    with open_capture(io.BytesIO(found["links/you-target.pcapng"])) as capture:
        assert [record.comments[0] for record in capture][:1] == ["1: you > target"]
    assert set(json.loads(found["states.json"])) == {"before", "after"}


def test_a_link_on_which_nothing_crossed_has_a_capture_too(tmp_path: Path) -> None:
    require("tshark")
    exercise = catalogue()["arp"]
    played = play(exercise, "alice", running(["true"], Bounds()))
    write_bundle(tmp_path / "arp.zip", played, judge(exercise, "alice", played.evidence))
    captures = {name: data for name, data in members(tmp_path / "arp.zip").items() if name.startswith("links/")}
    assert list(captures) == [f"links/{name}-switch.pcapng" for name in ("you", "target", "bystander")]
    for data in captures.values():
        done = subprocess.run(["tshark", "-r", "-"], input=data, capture_output=True, check=True)
        assert done.stdout == b""
    assert read_bundle(tmp_path / "arp.zip").transits == ()


ALTERATIONS: dict[str, Callable[[dict[str, bytes]], None]] = {
    "a frame": lambda found: found.update({"links/you-target.pcapng": found["links/you-target.pcapng"][:-40]}),
    "a state": lambda found: found.update({"states.json": b"{}"}),
    "the verdict": lambda found: found.update({"verdict.json": found["verdict.json"].replace(b"true", b"false")}),
    "the student": lambda found: found.update(
        {"manifest.json": found["manifest.json"].replace(b"alice", b"carol")}
    ),
    "the bound": lambda found: found.update(
        {"manifest.json": found["manifest.json"].replace(b'"stopped": ""', b'"stopped": "it was"')}
    ),
    "how it was prepared": lambda found: found.update(
        {"manifest.json": found["manifest.json"].replace(b'"hints": 0', b'"hints": 1')}
    ),
    "a file more": lambda found: found.update({"links/other.pcapng": b""}),
    "a file less": lambda found: found.__delitem__("output.txt"),
    "no manifest": lambda found: found.__delitem__("manifest.json"),
    "no JSON": lambda found: found.update({"manifest.json": b"["}),
    "deep JSON": lambda found: found.update({"manifest.json": b"[" * 100_000}),
    "other JSON": lambda found: found.update({"manifest.json": b'{"format": 1, "sha256": 3}'}),
}


@pytest.mark.parametrize("what", ALTERATIONS)
@pytest.mark.parametrize(("name", "key"), [("ping", b""), ("sealed", b""), ("sealed", b"secret")])
def test_what_was_altered_is_refused(folder: Path, tmp_path: Path, name: str, key: bytes, what: str) -> None:
    found = members(folder / f"{name}--alice.zip")
    ALTERATIONS[what](found)
    (graded,) = grade([str(packed(tmp_path / "ping--alice.zip", found))], key=key)
    assert graded.verdict is None
    assert graded.refused


def test_with_digests_made_anew_the_seal_tells(folder: Path, tmp_path: Path) -> None:
    found = members(folder / "sealed--alice.zip")
    changed = packed(
        tmp_path / "ping--alice.zip",
        {**found, "manifest.json": digested({**json.loads(found["manifest.json"]), "hints": 1})},
    )
    (graded,) = grade([str(changed)])
    assert (graded.seal, graded.hints) == ("seal not checked", 1)
    (graded,) = grade([str(changed)], key=b"secret")
    assert graded.refused == "not sealed with this key"


def test_what_is_not_sealed_takes_nothing_from_what_is(folder: Path, tmp_path: Path) -> None:
    """A recording of somebody else's that is claimed is refused alone, and so is one that was not sealed."""
    sealed = tmp_path / "ping--alice.zip"
    sealed.write_bytes((folder / "sealed--alice.zip").read_bytes())
    seed = Seed("ping", "thief").text
    thief = forged(folder, tmp_path / "ping--thief.zip", {"student": "thief", "seed": seed})
    mine, stolen = grade([str(sealed), str(thief)], key=b"secret")
    assert mine.verdict is not None
    assert mine.verdict.passed
    assert stolen.refused == "not sealed with this key"


def test_it_is_judged_again_and_not_believed(folder: Path) -> None:
    (graded,) = grade([str(folder / "ping--alice.zip")])
    assert graded.verdict is not None
    assert graded.verdict.passed


def test_another_student_s_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "ping--bob.zip"
    copy.write_bytes((folder / "ping--alice.zip").read_bytes())
    for files, student in (([copy], None), ([folder / "ping--alice.zip"], "bob")):
        (graded,) = grade([str(file) for file in files], student=student)
        assert graded.verdict is None
        assert "alice" in graded.refused
        assert "bob" in graded.refused


def test_a_recording_that_two_hand_in_is_refused_for_both(folder: Path, tmp_path: Path) -> None:
    """With all digests made anew, as whoever can write a bundle can: then the frames tell."""
    played = play(PING, "alice", running(command_of(PING.solution), Bounds()))
    for student in ("alice", "bob"):
        values = PING.values_of(student, played.evidence.values.salt)
        claimed = played._replace(evidence=played.evidence._replace(values=values))
        write_bundle(tmp_path / f"ping--{student}.zip", claimed, judge(PING, student, played.evidence))
    graded = list(grade([str(tmp_path / f"ping--{student}.zip") for student in ("alice", "bob")]))
    assert [each.verdict for each in graded] == [None, None]
    (alone,) = grade([str(tmp_path / "ping--bob.zip")])
    assert alone.verdict is not None
    assert not alone.verdict.passed  # alice's numbers are not bob's


def test_a_seal_is_that_of_its_key(folder: Path) -> None:
    sealed, plain = str(folder / "sealed--alice.zip"), str(folder / "ping--alice.zip")
    assert [read_heading(sealed, key=key).seal for key in (b"secret", b"other", b"")] == [
        "sealed",
        "not sealed",
        "seal not checked",
    ]
    assert read_heading(plain).seal == "not sealed"
    for file, key in ((sealed, b"other"), (plain, b"secret")):
        (graded,) = grade([file], key=key)
        assert graded.verdict is None
        assert "sealed" in graded.refused


@settings(max_examples=150)
@given(data=st.data())
def test_damage_is_one_error(folder: Path, data: st.DataObject) -> None:
    whole = (folder / "ping--alice.zip").read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    if data.draw(st.booleans()):
        damaged[at] ^= data.draw(st.integers(1, 255))
    else:
        del damaged[at:]
    path = folder / "damaged.zip"
    path.write_bytes(damaged)
    with suppress(RawkitError):  # whole still, where it was no byte that counts
        read_bundle(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * 300_000_000)
    with pytest.raises(CaptureError, match="more than"):
        read_bundle(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("states.json", b"[" + b"[]," * 2_000_000 + b"[]]"),
        ("output.txt", bytes(2_000_000)),
        ("links/a-b.pcapng", bytes(40_000_000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_member_is_larger_than_a_check_makes_it(folder: Path, tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(CaptureError, match=rf"more than \d+ bytes in '{name}'"):
        read_bundle(forged(folder, tmp_path / "bomb.zip", {}, **{name: data}))


def test_there_are_no_more_frames_than_a_check_keeps(folder: Path, tmp_path: Path) -> None:
    captured = recorded(folder, range(1, 60_002))
    with pytest.raises(CaptureError, match="more than 60000 frames"):
        read_bundle(forged(folder, tmp_path / "bomb.zip", {}, **captured))


def test_no_more_than_one_is_held_at_a_time(folder: Path, tmp_path: Path) -> None:
    """Of each, a megabyte of output; the first frames of each are others."""
    written = {"output.txt": bytes(1_000_000)}
    files = [
        forged(folder, tmp_path / f"{at}.zip", {}, **written, **recorded(folder, range(1, at)))
        for at in range(2, 22)
    ]
    tracemalloc.start()
    assert all(graded.verdict is not None for graded in grade([str(file) for file in files]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


def test_what_a_bundle_is_about_is_never_run(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "evil.py"
    program.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for exercise in (str(program), "5", "../ping"):
        seed = Seed(exercise, "alice").text
        path = forged(folder, tmp_path / "evil.zip", {"exercise": exercise, "seed": seed})
        (graded,) = grade([str(path)])
        assert graded.verdict is None
    assert not (tmp_path / "ran").exists()
    seed = Seed("source-port", "alice").text
    (graded,) = grade([str(forged(folder, tmp_path / "own.zip", {"exercise": "source-port", "seed": seed}))])
    assert "--exercise FILE" in graded.refused


@pytest.mark.parametrize(
    "manifest",
    [
        {"status": float("inf")},
        {"status": "0"},
        {"student": ""},
        {"student": "x\npassed   mallory ping 4/4"},
        {"student": ["alice"]},
        {"stopped": "\x1b[31m"},
        {"stopped": "=1+1"},
        {"stopped": None},
        {"seed": 7},
        {"salt": "x"},
        {"format": True},
        {"exercise": None},
        {"predicted": "\x1b[31m"},
        {"predicted": "x" * 1000},
        {"hints": 10**9},
        {"hints": "2"},
    ],
    ids=str,
)
def test_what_is_made_up_ends_no_grading_and_writes_nothing_of_its_own(
    folder: Path, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    path = forged(folder, tmp_path / "forged.zip", manifest)
    refused, judged = grade([str(path), str(folder / "ping--alice.zip")])
    assert refused.verdict is None
    assert refused.refused.isprintable()
    assert judged.verdict is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"states.json": b"[]"},
        {"states.json": b"[" * 100_000},
        {"states.json": b'{"after": {"you": {"counters": {"x": 1e999}}}}'},
        {"links/../../etc/x.pcapng": b""},
        {"links/you-target.pcapng": b"hello"},
    ],
    ids=lambda changed: " ".join(f"{name} {data[:9]!r}" for name, data in changed.items()),
)
def test_members_that_are_made_up_are_named(folder: Path, tmp_path: Path, changed: dict[str, bytes]) -> None:
    path = forged(folder, tmp_path / "forged.zip", {}, **changed)
    with pytest.raises(CaptureError) as caught:
        read_bundle(path)
    (member,) = changed
    assert member in caught.value.found


def test_a_copy_is_refused_and_a_bundle_under_another_s_name(folder: Path, tmp_path: Path) -> None:
    whole = folder / "ping--alice.zip"
    copy = tmp_path / "copy.zip"
    other = tmp_path / "udp--alice.zip"
    for path in (copy, other):
        path.write_bytes(whole.read_bytes())
    first, second = grade([str(whole), str(copy)])
    assert first.verdict is not None
    assert second.refused == f"the same recording as in {whole}"
    (graded,) = grade([str(other)])
    assert graded.refused == "about ping, and not 'udp', as its name says"


def test_what_has_no_end_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    for path in (tmp_path / "pipe.zip", Path("/dev/zero"), tmp_path):
        with pytest.raises(RawkitError, match=r"plain file|a folder"):
            read_bundle(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_bundle(tmp_path / "missing.zip")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(CaptureError):
        read_bundle(tmp_path / "text.zip")

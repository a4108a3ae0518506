"""`rawkit lab` as students and teachers type it; solutions in scapy, C and shell."""

from __future__ import annotations

import csv
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import RAWKIT
from programs import require
from remains import MARK, marked
from terminal import Terminal
from unprivileged import run_as_nobody, script

from rawkit.lab.catalogue import catalogue

pytestmark = pytest.mark.root

PATIENCE = 120


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the evidence of this test goes, in what is the working folder, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("RAWKIT_STUDENT", "alice")
    return tmp_path / "rawkit" / "lab" / "alice"


def lab(*arguments: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [*RAWKIT, "lab", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code > 1 else "")


def reference(name: str, folder: Path) -> list[str]:
    file = folder / f"{name}.py"
    file.write_text(catalogue()[name].solution.source)
    return [sys.executable, str(file)]


def test_a_student_s_way(desk: Path, tmp_path: Path) -> None:
    values = catalogue()["ping"].values_of("alice")
    sheet = lab("show", "ping")
    assert f"LAB_TARGET={values.target}" in sheet
    assert f"you {values.you}/24 ──── target {values.target}/24" in sheet
    assert lab("predict", "ping", "echo", "reply", code=1).startswith("No: it is nothing.")
    assert lab("predict", "ping", "Nothing").startswith("Right.")
    assert [lab("hint", "ping")[:9] for _ in range(4)] == ["Hint 1 of", "Hint 2 of", "Hint 3 of", "There are"]
    assert "there are hints" in lab("solution", "ping", code=2)
    assert "was not checked yet" in lab("why", "ping", code=2)

    right = reference("ping", tmp_path)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(Path(right[1]).read_text().replace("~total & 0xFFFF", "total"))
    said = lab("check", "ping", "--", sys.executable, wrong, code=1)
    assert "FAIL  checksum" in said
    assert "See the frames: rawkit lab why ping checksum" in said
    said = lab("check", "ping", "--student", "bob", "--", "true", code=1)
    assert "See the frames: rawkit lab why ping request --student bob" in said
    shown = lab("why", "ping", "checksum")
    assert "the complement was not taken" in shown
    carets = next(line for line in shown.splitlines() if "^^" in line)
    row = shown.splitlines()[shown.splitlines().index(carets) - 1]
    assert row.startswith("00000020")
    assert carets.index("^^") == 10 + 3 * 4  # bytes 36 and 37 are the fifth and sixth of their row
    assert "tried" in lab("list")

    assert "ping: passed, 5 of 5 checks hold" in lab("check", "ping", "--", *right)
    assert "done" in lab("list")
    assert lab("solution", "ping", "--i-give-up").strip() == catalogue()["ping"].solution.source.strip()


def test_json_has_the_keys_that_others_rely_on(desk: Path, tmp_path: Path) -> None:
    for line in lab("list", "--format", "json").splitlines():
        assert {"name", "level", "title"} <= set(json.loads(line))
    *checks, verdict = map(
        json.loads, lab("check", "ping", "--format", "json", "--", *reference("ping", tmp_path)).splitlines()
    )
    assert all({"check", "passed", "message", "frames"} <= set(check) for check in checks)
    assert (verdict["passed"], verdict["held"]) == (True, 5)


def test_a_teacher_s_way(desk: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    right = reference("ping", tmp_path)
    files = [tmp_path / f"ping--{student}.zip" for student in ("alice", "bob")]
    lab("check", "ping", "-w", files[0], "--key", key, "--", *right)
    lab("check", "ping", "--student", "bob", "-w", files[1], "--", *right)
    sealed = lab("grade", *files, "--key", key, code=1).splitlines()
    assert sealed[0].split() == ["passed", "alice", "ping", "5/5", f"{files[0]}:", "sealed"]
    assert sealed[1].startswith("refused")
    files[1].write_bytes(files[0].read_bytes())
    table = tmp_path / "grades.csv"
    lab("grade", *files, "--csv", table, code=1)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["passed"] for row in rows] == ["yes", "no"]
    assert "alice" in rows[1]["refused"]
    assert [json.loads(line)["passed"] for line in lab("grade", files[0], "--format", "json").splitlines()] == [
        True
    ]


ROOTLESS = """
import os, sys, tempfile
from rawkit.cli.main import run
from rawkit.lab.catalogue import catalogue
with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_STATE_HOME"] = folder
    if len(sys.argv) > 1:
        sys.exit(run(["lab", "grade", sys.argv[1]]))
    with open(folder + "/ping.py", "w") as file:
        file.write(catalogue()["ping"].solution.source)
    sys.exit(run(["lab", "check", "ping", "--student", "nobody", "--", sys.executable, folder + "/ping.py"]))
"""


def test_grading_takes_no_privileges(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "ping--alice.zip"
    lab("check", "ping", "-w", file, "--", *reference("ping", tmp_path))
    file.chmod(0o644)
    done = run_as_nobody(script(tmp_path, ROOTLESS), str(file))
    assert done.stdout.startswith("passed"), done.stdout + done.stderr


def test_it_works_for_nobody(tmp_path: Path) -> None:
    """Without root, in a user namespace."""
    done = run_as_nobody(script(tmp_path, ROOTLESS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ping: passed, 5 of 5 checks hold" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["check", "pong", "--", "true"], "did you mean ping?", 2),
        (["check", "ping"], "Missing argument", 2),
        (["check", "ping", "--defence", "--", "true"], "is no attack", 2),
        (["check", "ping", "--student", "../x", "--", "true"], "letters, digits", 2),
        (["check", "ping", "--student", "a--b", "--", "true"], "without --", 2),
        (["check", "ping", "--", "no-such-program"], "a program that can be started", 2),
        (["check", "nowhere.py", "--", "true"], "no such file", 2),
        (["why", "ping", "nothing"], "was not checked yet", 2),
        (["grade", "nowhere.zip"], "", 1),
        (["shell", "ping"], "needs a terminal", 2),
        (["solution", "ping"], "--i-give-up", 2),
    ],
)
def test_mistakes_are_told(desk: Path, arguments: list[str], says: str, code: int) -> None:
    assert says in lab(*arguments, code=code)


def test_what_is_stopped_is_told(desk: Path) -> None:
    said = lab("check", "ping", "--timeout", "0.5", "--", "sleep", "1000", code=1)
    assert "Not to its end: it took longer than 0.5 seconds." in said


FLOOD = """
import socket
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
for _ in range(3_000_000):
    link.send(bytes(60))
"""


def test_a_flood_is_stopped(desk: Path, tmp_path: Path) -> None:
    flood = tmp_path / "flood.py"
    flood.write_text(FLOOD)
    assert "it flooded the network" in lab("check", "ping", "--", sys.executable, flood, code=1)


def test_a_command_has_no_hold_of_the_terminal(desk: Path) -> None:
    program = (
        "import sys, termios\ntry: termios.tcflow(2, termios.TCOOFF)\nexcept termios.error: print('no terminal')"
    )
    with Terminal([*RAWKIT, "lab", "check", "ping", "--", sys.executable, "-c", program], os.environ) as terminal:
        terminal.expect("no terminal")
        terminal.expect("ping: not yet")


def test_who_reads_slowly_keeps_no_command_from_being_stopped(desk: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    program = f"echo > '{ready}'; printf '%0500000d' 0 >&2; exec sleep 1000"
    mark = f"slow-{os.getpid()}"
    with subprocess.Popen(
        [*RAWKIT, "lab", "check", "ping", "--timeout", "1", "--", "sh", "-c", program],
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        ready.read_text()
        names = {pid: (Path("/proc") / str(pid) / "comm").read_text() for pid in marked(mark)}
        (shell,) = [pid for pid, name in names.items() if name in ("sh\n", "sleep\n")]
        end = os.pidfd_open(shell)
        assert select.select([end], [], [], PATIENCE)[0]
        os.close(end)
        out, errors = process.communicate(timeout=PATIENCE)
    assert b"it took longer than 1 seconds" in out
    assert errors == b"0" * 500_000


def test_a_folder_that_was_removed_is_told(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert "a working folder that is there" in lab("check", "ping", "--", "true", code=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_of_a_check_that_is_ended(desk: Path, number: signal.Signals) -> None:
    mark = f"check-{number}-{os.getpid()}"
    command = [*RAWKIT, "lab", "check", "rst-injection", "--", "sh", "-c", "echo begun; exec sleep 1000"]
    with subprocess.Popen(
        command, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"begun\n"  # copied by the check, which looks after it now
        ends = [os.pidfd_open(pid) for pid in marked(mark)]
        assert len(ends) >= 5
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == (-number if number is signal.SIGKILL else 128 + number)
        for end in ends:
            assert select.select([end], [], [], PATIENCE)[0]
            os.close(end)
    assert marked(mark) == []
    kept = [file.name for file in desk.glob("*.zip")]
    assert kept == ([] if number is signal.SIGKILL else ["rst-injection--alice.zip"])


def test_ctrl_c_keeps_what_was_recorded_and_judges_it(desk: Path) -> None:
    command = ["check", "ping", "--", "sh", "-c", "ping -c 1 $LAB_TARGET > /dev/null; echo sent; exec sleep 1000"]
    with subprocess.Popen(
        [*RAWKIT, "lab", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "sent\n"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Not to its end: it was stopped by Ctrl-C." in said
    assert "ping: not yet, 2 of 5 checks hold" in said
    assert f"4 frames kept: {desk}/latest/ping--alice.zip" in said  # two of ARP's, and two of ICMP's
    assert "ICMPv4 echo reply" in lab("why", "ping")


def test_a_shell_that_is_terminated_is_judged(desk: Path) -> None:
    with Terminal(
        [*RAWKIT, "lab", "shell", "ping", "--watch"], env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}
    ) as terminal:
        terminal.expect("lab$ ")
        terminal.send("ping -c 1 $LAB_TARGET > /dev/null\n")
        terminal.expect("ICMPv4 echo reply")
        terminal.end(signal.SIGTERM)
        terminal.expect("Not to its end: it was stopped by SIGTERM.")
        terminal.expect("ping: not yet, 2 of 5 checks hold")


def test_a_run_that_fails_takes_nothing_from_one_that_passed(desk: Path, tmp_path: Path) -> None:
    lab("check", "ping", "--", "true", code=1)
    assert "tried" in lab("list")
    hand_in = desk / "ping--alice.zip"
    assert lab("check", "ping", "--", *reference("ping", tmp_path)).endswith(f"Evidence: {hand_in}\n")
    said = lab("check", "ping", "--", "true", code=1)
    assert said.endswith(f"What you hand in stays the earlier run, which passed: {hand_in}\n")
    assert "done" in lab("list")
    assert lab("grade", hand_in).startswith("passed")
    assert "does not hold" in lab("why", "ping")  # the latest


def test_what_was_predicted_and_hinted_goes_with_what_is_handed_in(desk: Path, tmp_path: Path) -> None:
    lab("predict", "ping", "an", "echo", "reply", code=1)
    lab("predict", "ping", "nothing")
    lab("hint", "ping")
    lab("hint", "ping")
    assert "predicted wrong, 2 hints" in lab("list").splitlines()[0]
    told = json.loads(lab("list", "--format", "json").splitlines()[0])
    assert (told["predicted"], told["hints"]) == ("wrong", 2)
    lab("check", "ping", "--", *reference("ping", tmp_path))
    table = tmp_path / "grades.csv"
    said = lab("grade", desk / "ping--alice.zip", "--csv", table)
    assert said.endswith(f"{desk / 'ping--alice.zip'}: not sealed; predicted wrong, 2 hints\n")
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["predicted"], row["hints"], row["seal"]) == ("wrong", "2", "not sealed")


def test_folders_that_a_teacher_names_are_part_of_the_catalogue(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rawkit.lab.exercises import ping

    text = Path(ping.__file__).read_text()
    mine, yours, here = (tmp_path / name for name in ("mine", "yours", "here"))
    for folder in (mine, yours, here):
        folder.mkdir()
    (mine / "own.py").write_text(text.replace('name="ping"', 'name="own"').replace("number=1,", "number=101,"))
    (mine / "broken.py").write_text("1 / 0")
    (yours / "clash.py").write_text(text)
    (here / "never.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.setenv("RAWKIT_EXERCISES", f"{mine}::{yours}:{tmp_path / 'missing'}")
    monkeypatch.chdir(here)

    done = subprocess.run([*RAWKIT, "lab", "list"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split()[:2] == ["101", "own"]
    broken, clash, missing = done.stderr.splitlines()
    assert "line 1 of broken.py: ZeroDivisionError" in broken
    assert clash.startswith(str(yours / "clash.py"))
    assert "no other exercise has" in clash
    assert missing.startswith(str(tmp_path / "missing"))
    assert "rawkit lab check own -- COMMAND" in lab("show", "own")
    lab("check", "own", "--", *reference("ping", tmp_path))
    assert lab("grade", desk / "own--alice.zip").startswith("passed")
    assert not (tmp_path / "ran").exists()


def test_evidence_with_the_defence_on_is_apart_and_is_not_graded(desk: Path) -> None:
    assert "with the defence on" in lab("check", "arp-poison", "--defence", "--", "true", code=1)
    (file,) = desk.glob("*.zip")
    assert file.name == "arp-poison-defended--alice.zip"
    assert "does not hold" in lab("why", "arp-poison", "-r", file)
    assert "a run with the defence" in lab("grade", file, code=1)


def test_how_a_command_ended_is_told(desk: Path) -> None:
    assert "Your command ended with exit code 3." in lab("check", "ping", "--", "sh", "-c", "exit 3", code=1)
    said = lab("check", "ping", "--", "sh", "-c", "kill -SEGV $$", code=1)
    assert "Your command was ended by Segmentation fault." in said


def test_what_a_command_signals_to_its_group_is_for_itself(desk: Path) -> None:
    assert "ping: not yet" in lab("check", "ping", "--", "sh", "-c", "trap 'kill 0' EXIT; kill -9 0", code=1)


def test_the_machine_is_hidden_from_a_command(desk: Path, tmp_path: Path) -> None:
    """Its processes, the sockets of its services, its settings, and the key that seals."""
    (tmp_path / "key").write_text("secret")
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(f"/run/rawkit-test-{os.getpid()}")
        try:
            look = tmp_path / "look.py"
            look.write_text(
                "import os, pathlib\n"
                "print(sorted(name for name in os.listdir('/proc') if name.isdecimal()), os.listdir('/run'))\n"
                "print(os.environ.get('RAWKIT_LAB_KEY'), os.environ['LAB_INTERFACE'])\n"
                "for name in ('sys/kernel/core_pattern', 'sysrq-trigger', 'sys/net/ipv4/ip_forward'):\n"
                "    print(os.access('/proc/' + name, os.W_OK))\n"
            )
            done = subprocess.run(
                [*RAWKIT, "lab", "check", "ping", "--", sys.executable, look],
                env={**os.environ, "RAWKIT_LAB_KEY": str(tmp_path / "key")},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        finally:
            os.unlink(f"/run/rawkit-test-{os.getpid()}")  # noqa: PTH108
    assert done.stderr.splitlines() == ["['1', '2'] []", "None eth0", "False", "False", "True"]


def test_the_verdict_is_told_though_the_evidence_cannot_be_kept(desk: Path, tmp_path: Path) -> None:
    said = lab("check", "ping", "-w", tmp_path / "missing" / "x.zip", "--", "true", code=2)
    assert "ping: not yet, 0 of 5 checks hold" in said
    assert "check the name" in said


@pytest.mark.parametrize("answer", ["NOTHING.", "nothing at all", "it is nothing"])
def test_a_right_answer_may_have_words_around_it(desk: Path, answer: str) -> None:
    assert lab("predict", "ping", answer).startswith("Right.")


@pytest.mark.parametrize("answer", ["not nothing", "nothing or an echo reply", "-4", "noth"])
def test_a_wrong_answer_is_none_for_having_a_right_word(desk: Path, answer: str) -> None:
    assert lab("predict", "ping", answer, code=1).startswith("No: it is nothing.")


def test_ctrl_c_in_a_shell_ends_what_runs_in_it_and_no_more(desk: Path) -> None:
    with Terminal(
        [*RAWKIT, "lab", "shell", "ping"], env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}
    ) as terminal:
        terminal.expect("lab$ ")
        terminal.send("sh -c 'echo begun; exec sleep 600'\n")
        terminal.expect("begun\r\n")
        terminal.send("\x03")
        terminal.expect("lab$ ")
        terminal.send("exit 7\n")
        terminal.expect("Your command ended with exit code 7.")


def test_the_bounds_of_a_shell_are_told() -> None:
    said = " ".join(lab("shell", "--help").split())
    assert "200 processes and threads, 2048 MiB of memory, 256 MiB and 10,000 files" in said


def test_a_shell_is_held_to_the_bounds(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "flood.py").write_text(FLOOD)
    with Terminal(
        [*RAWKIT, "lab", "shell", "ping"], env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}
    ) as terminal:
        terminal.expect("lab$ ")
        terminal.send(f"{sys.executable} flood.py\n")
        terminal.expect("Not to its end: it flooded the network")


def test_a_terminal_that_a_shell_holds_is_let_go(desk: Path) -> None:
    with Terminal(
        [*RAWKIT, "lab", "shell", "ping"], env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}
    ) as terminal:
        terminal.expect("lab$ ")
        hold = "import termios; termios.tcflow(0, termios.TCOOFF)"
        terminal.send(f"{sys.executable} -c '{hold}'; kill -9 $$\n")
        terminal.expect("ping: not yet")


def test_a_shell_is_judged_at_its_end(desk: Path) -> None:
    with Terminal(
        [*RAWKIT, "lab", "shell", "ping", "--watch"], env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}
    ) as terminal:
        terminal.expect("lab$ ")
        terminal.send("ping -c 1 $LAB_TARGET > /dev/null; echo done\n")
        terminal.expect("ICMPv4 echo reply")
        terminal.send("exit\n")
        terminal.expect("ping: not yet, 2 of 5 checks hold")


def test_what_is_printed_in_a_shell_counts_where_it_is_told_to(desk: Path, tmp_path: Path) -> None:
    program, file = reference("arp", tmp_path)
    command = [*RAWKIT, "lab", "shell", "arp"]
    with Terminal(command, env={**os.environ, "SHELL": "/bin/sh", "PS1": "lab$ "}) as terminal:
        terminal.expect("lab$ ")
        terminal.send(f"echo wrong > $LAB_OUTPUT; {program} {file} > $LAB_OUTPUT; echo done\n")
        terminal.expect("done\r\n")
        terminal.send("exit\n")
        terminal.expect("arp: passed")


# ---------------------------------------------------------------------- solutions in what others use

SCAPY = "import os\nfrom scapy.all import *\nconf.verb = 0\nv = lambda name: os.environ['LAB_' + name]\n"

BY_SCAPY = {
    "ping": """
sr1(IP(dst=v("TARGET"))/ICMP(id=int(v("ID")), seq=int(v("SEQ")))/v("NONCE"), timeout=3)
""",
    "arp": """
print(srp1(Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(pdst=v("TARGET")), timeout=3, iface="eth0").hwsrc)
""",
    "arp-poison": """
lie = ARP(op=2, psrc=v("GATEWAY"), hwsrc=v("YOUR_MAC"), pdst=v("VICTIM"), hwdst=v("VICTIM_MAC"))
sendp(Ether(dst=v("VICTIM_MAC"))/lie, iface="eth0")
""",
    "fragments": """
whole = IP(src=v("YOU"), dst=v("SERVER"))/UDP(sport=int(v("SRC_PORT")), dport=int(v("PORT")))/v("TEXT")
body = bytes(whole)[20:]
for at in (0, 32, 64):
    header = IP(dst=v("SERVER"), id=int(v("ID")), proto=17, frag=at // 8, flags="MF" if at < 64 else 0)
    send(header/Raw(body[at:at + 32]))
""",
    "spoofed-ping": """
send(IP(src=v("BYSTANDER"), dst=v("TARGET"))/ICMP(id=int(v("ID"))))
""",
}

PING_IN_C = r"""
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(void) {
    unsigned char message[64] = {8};
    const char *data = getenv("LAB_NONCE");
    size_t length = 8 + strlen(data);
    struct icmphdr *header = (struct icmphdr *)message;
    header->un.echo.id = htons(atoi(getenv("LAB_ID")));
    header->un.echo.sequence = htons(atoi(getenv("LAB_SEQ")));
    memcpy(message + 8, data, strlen(data));
    unsigned sum = 0;
    for (size_t at = 0; at < length; at += 2) sum += message[at] << 8 | message[at + 1];
    sum = (sum >> 16) + (sum & 0xffff);
    header->checksum = htons(~(sum + (sum >> 16)) & 0xffff);
    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, getenv("LAB_TARGET"), &to.sin_addr);
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    sendto(raw, message, length, 0, (struct sockaddr *)&to, sizeof to);
    unsigned char answer[128];
    return recv(raw, answer, sizeof answer, 0) < 0;
}
"""

SNIFFER_IN_SHELL = """
tshark -i eth0 -a duration:8 -c 1 -f "src $LAB_ALICE and dst $LAB_BOB and udp dst port $LAB_PORT" \\
    -T fields -e udp.payload 2> /dev/null | xxd -r -p
"""


def solved(desk: Path, name: str, command: Sequence[str | Path]) -> None:
    assert f"{name}: passed" in lab("check", name, "--", *command)


@pytest.mark.parametrize("name", BY_SCAPY)
def test_scapy_solves_it(desk: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / "solution.py"
    file.write_text(SCAPY + BY_SCAPY[name])
    solved(desk, name, [sys.executable, file])


def test_c_solves_it(desk: Path, tmp_path: Path) -> None:
    require("gcc")
    (tmp_path / "ping.c").write_text(PING_IN_C)
    subprocess.run(["gcc", "-O2", "-o", tmp_path / "ping", tmp_path / "ping.c"], check=True)
    solved(desk, "ping", [tmp_path / "ping"])


def test_a_shell_script_solves_it(desk: Path, tmp_path: Path) -> None:
    require("tshark", "xxd")
    (tmp_path / "sniff.sh").write_text(SNIFFER_IN_SHELL)
    solved(desk, "sniffer", ["sh", tmp_path / "sniff.sh"])


def test_an_exercise_of_one_s_own(desk: Path, tmp_path: Path) -> None:
    from rawkit.lab.exercises import ping

    own = tmp_path / "own.py"
    own.write_text(Path(ping.__file__).read_text().replace('name="ping"', 'name="own"'))
    bundle = tmp_path / "own--alice.zip"
    lab("check", own, "-w", bundle, "--", *reference("ping", tmp_path))
    assert lab("grade", bundle, "--exercise", own).startswith("passed")
    found: Any = lab("grade", bundle, code=1)
    assert "--exercise FILE" in found

    before = own.read_text()
    lab("check", own, "--", "sh", "-c", f"echo > '{own}'; rm '{own}'; mv '{own}' other.py", code=1)
    assert own.read_text() == before

    assert f"rawkit lab check {own} -- COMMAND" in lab("show", own)
    assert f"rawkit lab why {own} " in lab("check", own, "--", "true", code=1)
    text = own.read_text()
    own.write_text(text.replace('"seq": seed', '"seq": 1 + seed'))
    assert "values that own does not give alice" in lab("grade", bundle, "--exercise", own, code=1)
    own.write_text(text.replace("lambda e: ", "lambda e: 1 / 0 or "))
    table = tmp_path / "table.csv"
    assert "line " in lab("grade", bundle, "--exercise", own, "--csv", table, code=2)
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["student"], row["passed"], row["failed"]) == ("alice", "no", "")
    assert row["broken"]
    assert "The exercise is broken" in lab("check", own, "--", "true", code=2)

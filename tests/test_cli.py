"""The command line as a whole: help, completion, errors, exit codes, and what it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner
from programs import require
from terminal import RAWKIT, rawkit
from unprivileged import run_as_nobody

from rawkit import __version__
from rawkit.cli.commands import COMMANDS
from rawkit.cli.main import cli

HEAVY = {"rawkit.wire", "rawkit.pcap", "scapy", "pyroute2", "rich", "cypcap", "hypothesis"}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["decod"]])
def test_what_needs_no_packets_loads_nothing_of_them(arguments: list[str]) -> None:
    code = f"import sys; from rawkit.cli.main import run; run({arguments}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


def test_importing_the_command_line_loads_nothing() -> None:
    code = "import sys, rawkit.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not (HEAVY | {"click"}) & set(done.stdout.split())


def test_version() -> None:
    assert rawkit("--version").stdout == f"rawkit {__version__}\n"


def test_help_lists_every_command_and_so_does_no_argument_at_all() -> None:
    helped = rawkit("--help")
    assert helped.stdout == rawkit().stdout
    assert all(f"\n  {name}" in helped.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_in_its_help(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert f"Examples:\n    {'eval' if name == 'completion' else f'rawkit {name}'}" in done.output


EXPRESSION = "IPv4(dst='10.0.0.2') / UDP(dst_port=53)"
CAPTURE = Path(__file__).resolve().parents[1] / "captures" / "arping.pcapng"
MISTAKES = [
    (["decod"], 2, "no command 'decod'; did you mean decode?; see rawkit --help"),
    (["craft"], 2, "Missing argument 'EXPR'; see rawkit craft --help"),
    (["craft", "--hexx", "b''"], 2, "see rawkit craft --help"),
    (["craft", "IPV4(dst='10.0.0.2')"], 2, "expression, character 1: unknown header 'IPV4'; did you mean IPv4?"),
    (["craft", "IPv4(dts='10.0.0.2')"], 2, "expression, character 6: IPv4 has no field 'dts'; did you mean dst?"),
    (["craft", "IPv4(dst='10.0.0.2', ttl=256)"], 2, "character 26: IPv4.ttl: expected an integer from 0 to 255"),
    (["craft", "IPv4(dst='10.0.0.2') / b'hi'"], 2, "IPv4.protocol cannot be computed"),
    (["craft", "\udcff"], 2, "a character that no expression can have"),
    (["craft", "-w", "/nowhere/x.pcap", EXPRESSION], 2, "/nowhere/x.pcap: no such file or folder"),
    (["decode", "/nowhere/x.pcap"], 2, "open /nowhere/x.pcap: no such file or folder"),
    (["decode", "/"], 2, "is a folder"),
    (["decode", "/etc/passwd"], 2, "/etc/passwd: at byte 0: expected the magic number of a pcap or pcapng file"),
    (["decode", "-"], 2, "standard input: at byte 0"),
    (["decode", "-", "-f", "tcpp"], 2, "filter 'tcpp': can't parse filter expression: syntax error"),
    (["decode", "-", "-c", "0"], 2, "'-c'"),
    (["decode", "-", "--format", "xml"], 2, "'xml' is not one of"),
    (["decode", "-", "--format", "fields", "-e", "ip.sorce"], 2, "-e ip.sorce is not known here; such as ip."),
    (["decode", "-", "-e", "ip.src"], 2, "need each other"),
    (["decode", "-", "--format", "json", "--diagram"], 2, "--diagram and --format json exclude each other"),
    (["decode", "-", "--python", "--diagram"], 2, "--diagram and --python exclude each other"),
    (["decode", "-", "--format", "line", "--python"], 2, "--python and --format line exclude each other"),
    (["decode", "-", "--python", "-e", "ip.src"], 2, "need each other"),
    (["decode", "-", "--format", "json", "-t"], 2, "-t is for views"),
    (["decode", ""], 2, "the name of a file is empty"),
    (["craft", "-w", "", EXPRESSION], 2, "the name of a file is empty"),
    (["craft", "-w", "/tmp", EXPRESSION], 2, "write /tmp: is a folder"),
    (["craft", "Foo(a=1)"], 2, "unknown header 'Foo'; known are Ethernet, IPv4, TCP and others"),
    (["completion", "tcsh"], 2, "'tcsh' is not one of"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES)
def test_a_mistake_gives_one_line_and_the_right_exit_code(arguments: list[str], code: int, message: str) -> None:
    done = rawkit(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("rawkit: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_mistake_leaves_nothing_half_written(tmp_path: Path) -> None:
    file = tmp_path / "x.pcap"
    assert rawkit("craft", "-w", file, "IPv4(dst='10.0.0.2') / b'hi'").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_help_cut_short_by_its_reader_is_no_error() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run([RAWKIT, "decode", "--help"], stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", [["--help"], ["craft", EXPRESSION]])
def test_output_that_cannot_be_written_is_told(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([RAWKIT, *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("rawkit: write standard output: ")


@pytest.mark.parametrize("command", [f'craft "{EXPRESSION}"', f"decode {CAPTURE}", f"capinfo {CAPTURE}"])
def test_output_that_is_closed_is_an_error(command: str) -> None:
    done = subprocess.run(["sh", "-c", f"{RAWKIT} {command} >&-"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("rawkit: write standard output: is closed; ")


def test_what_prints_nothing_needs_no_output(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    done = subprocess.run(["sh", "-c", f'{RAWKIT} craft -w {path} "{EXPRESSION}" >&-'], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert path.stat().st_size > 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_one_that_its_shell_reads(shell: str) -> None:
    require(shell)
    script = rawkit("completion", shell).stdout
    assert "_RAWKIT_COMPLETE" in script
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_a_capture_for_an_output_that_is_closed_is_an_error() -> None:
    done = subprocess.run(["sh", "-c", f'{RAWKIT} craft -w - "{EXPRESSION}" >&-'], capture_output=True)
    assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)
    assert b"standard output" in done.stderr


def test_with_standard_error_closed_an_error_goes_nowhere() -> None:
    done = subprocess.run(["sh", "-c", f"{RAWKIT} decode /nowhere.pcap 2>&-"], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_an_unreadable_file_is_told_alike_by_all_who_read(tmp_path: Path) -> None:
    (tmp_path / "secret.pcap").touch(mode=0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    script = tmp_path / "run.py"
    script.write_text("import sys\nfrom rawkit.cli.main import run\nsys.exit(run(sys.argv[1:]))")
    for command in ("decode", "verify"):
        call = [sys.executable, str(script), command, str(tmp_path / "secret.pcap")]
        if os.geteuid() == 0:
            done = run_as_nobody(script, *call[2:])
        else:
            done = subprocess.run(call, capture_output=True, text=True)
        assert done.returncode == 3
        assert "secret.pcap: may not be opened by this user; check the owner" in done.stderr


def test_control_c_while_modules_are_imported_is_quiet() -> None:
    code = """
        import os, signal, sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "rawkit.cli.decode":
                    try:
                        os.kill(os.getpid(), signal.SIGINT)
                    except KeyboardInterrupt:
                        raise ImportError("as some modules do") from None
        sys.meta_path.insert(0, Finder())
        sys.argv = ["rawkit", "decode", "-"]
        from rawkit.cli import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


COMPLETED = [
    ("decode ", "file", ""),
    ("verify ", "file", ""),
    ("capture -w ", "file", ""),
    ("demo -w ", "file", ""),
    ("craft -w ", "file", ""),
    ("capture -i l", "plain", "lo"),
    ("send -i l", "plain", "lo"),
    ("decode -e tcp.dstp", "plain", "tcp.dstport"),
    ("decode -e frame.num", "plain", "frame.number"),
    ("ver", "plain", "verify"),
]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("typed", "kind", "text"), COMPLETED)
def test_what_the_shells_are_offered(shell: str, typed: str, kind: str, text: str) -> None:
    *_, last = words = ["rawkit", *typed.split(" ")]
    variables = {
        "_RAWKIT_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words).strip(),
        "COMP_CWORD": last if shell == "fish" else str(len(words) - 1),
    }
    done = subprocess.run([RAWKIT], env=os.environ | variables, capture_output=True, text=True, check=True)
    offered = done.stdout.splitlines()
    if shell == "zsh":
        assert [kind, text] in [offered[at : at + 2] for at in range(0, len(offered), 3)]
    else:
        assert f"{kind},{text}" in [line.split("\t")[0] for line in offered]


def test_bash_completes_commands_and_options() -> None:
    require("bash")
    commands = f"""
        PATH={Path(RAWKIT).parent}:$PATH; eval "$(rawkit completion bash)"
        try() {{ COMPREPLY=(); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rawkit_completion rawkit; }}
        for words in "rawkit dec" "rawkit decode --form" "rawkit decode --format js"; do
            try $words; echo "${{COMPREPLY[@]}}"
        done
    """
    done = subprocess.run(["bash", "-c", commands], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["decode", "--format", "json"]

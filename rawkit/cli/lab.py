"""`rawkit lab`: exercises in network namespaces, checked by what crossed the wire."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from rawkit.cli.arguments import INPUT_FILE, OUTPUT_FILE, AnyType
from rawkit.cli.lab_report import (
    as_object,
    behind,
    ladder_of,
    objects,
    prepared,
    row,
    sheet,
    table,
    verdict_lines,
)
from rawkit.cli.main import NO, OK, USAGE
from rawkit.cli.output import Lines, colour_wanted, count_of
from rawkit.cli.probing import FORMAT, POSITIVE_SECONDS, ended_by, terminable
from rawkit.errors import file_error
from rawkit.lab import (
    Bounds,
    Exercise,
    Played,
    Verdict,
    judge,
    play,
    read_bundle,
    running,
    student_of,
    write_bundle,
)
from rawkit.lab.catalogue import catalogue, find_exercise, unusable
from rawkit.lab.desk import Desk
from rawkit.lab.grade import grade
from rawkit.lab.interactive import interactive
from rawkit.lab.rehearsal import proofread, rehearsals
from rawkit.netns import reexec_in_user_namespace
from rawkit.pcap.files import output, write_all

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  rawkit lab list
  rawkit lab show ping
  rawkit lab check ping -- python3 mine.py
  rawkit lab why ping checksum
  rawkit lab grade hand-ins/*.zip --csv grades.csv

\b
Solutions may be written in anything: only what crosses the wire counts, and
what the kernels know. Addresses, ports and the like differ from student to
student (--student NAME, or $RAWKIT_STUDENT), and stand in the environment of
the command: LAB_TARGET and so on, as `show` lists them.

\b
Exercises of one's own are files: `rawkit lab show FILE`. Those in the folders
that $RAWKIT_EXERCISES names (FOLDER:FOLDER) go by their names."""

CHECK_EXAMPLES = """\b
Examples:
  rawkit lab check ping -- python3 mine.py
  rawkit lab check arp-poison --student alice -- ./poison eth0
  rawkit lab check arp-poison --defence -- ./poison eth0
  rawkit lab check my_exercise.py -- sh solution.sh

\b
The command runs in the host `you` of a lab of its own, whose way out is
LAB_INTERFACE. It may take 10 seconds (or --timeout), 200 processes, 1 MiB of
output, 64 MiB a file, 256 MiB of disk, 2 GiB of memory, and 20,000
frames. Ctrl-C stops it, too, and what it did is judged. Exit code: 0 all
checks hold, 1 not all of them, 130 it was stopped by Ctrl-C."""

GRADE_EXAMPLES = """\b
Examples:
  rawkit lab grade hand-ins/*.zip
  rawkit lab grade ping--alice.zip --student alice --format json
  rawkit lab grade hand-ins/*.zip --csv grades.csv --key class.key

\b
Whoever has a bundle can write another one. What no student can forge is one
that was sealed with a --key in `check`, on a machine of the teacher's, where
the command that is checked cannot read the key: it runs as the same user, so
give the key by a pipe, as in --key <(ssh teacher cat class.key)."""


class ExerciseName(AnyType):
    """The name or number of an exercise, or a file with one; the shell completes it."""

    name = "exercise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Exercise:
        return value if isinstance(value, Exercise) else find_exercise(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [
            CompletionItem(one.name, help=one.title)
            for one in catalogue().values()
            if one.name.startswith(incomplete)
        ]


EXERCISE = click.argument("exercise", metavar="NAME", type=ExerciseName())
STUDENT = click.option(
    "--student", metavar="NAME", help="Whose values (default: $RAWKIT_STUDENT, or who is logged in)."
)
KEY = click.option(
    "--key", metavar="FILE", type=INPUT_FILE, envvar="RAWKIT_LAB_KEY", help="Seal with the key in this file."
)


@click.group("lab", epilog=EXAMPLES, no_args_is_help=False)
def command() -> None:
    """Do exercises in network namespaces, checked by what crossed the wire."""


@command.command("list")
@STUDENT
@FORMAT
def list_(student: str | None, format_: str) -> None:
    """List the exercises, which of them are done, what was predicted, and how many hints were taken."""
    desk = Desk(student_of(student))
    with Lines() as lines:
        for exercise in catalogue().values():
            state, (answer, hints) = desk.state(exercise.name), desk.preparation(exercise.name)
            predicted = exercise.predicted(answer, desk.student)
            if format_ == "json":
                shown = {"name": exercise.name, "number": exercise.number, "level": exercise.level}
                shown |= {"title": exercise.title, "state": state, "predicted": predicted, "hints": hints}
                lines.write(json.dumps(shown))
            else:
                lines.write(
                    f"{exercise.number:3}  {exercise.name:22} level {exercise.level}  "
                    f"{exercise.title:48} {state:5}  {prepared(predicted, hints)}".rstrip()
                )
    for file, found in unusable().items():
        click.echo(f"{file}: {found}", err=True)


@command.command("show")
@EXERCISE
@STUDENT
def show(exercise: Exercise, student: str | None) -> None:
    """Show the task of an exercise, and its network."""
    name = student_of(student)
    with Lines() as lines:
        for line in sheet(exercise, exercise.values_of(name), name, colour=colour_wanted()):
            lines.write(line)


@command.command("check", epilog=CHECK_EXAMPLES, context_settings={"ignore_unknown_options": False})
@EXERCISE
@click.argument("arguments", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@STUDENT
@click.option("--defence", "defended", is_flag=True, help="Switch the defence on that stops the attack.")
@click.option("--timeout", type=POSITIVE_SECONDS, help="Seconds that the command may take.")
@click.option("--ladder", "with_ladder", is_flag=True, help="Show every frame that crossed the links, too.")
@click.option("-w", "--write", "file", metavar="FILE", type=OUTPUT_FILE, help="Write the evidence there.")
@KEY
@FORMAT
def check(
    exercise: Exercise,
    arguments: tuple[str, ...],
    student: str | None,
    defended: bool,
    timeout: float | None,
    with_ladder: bool,
    file: str | None,
    key: str | None,
    format_: str,
) -> int:
    """Run a command in the student's host of a fresh lab, and judge what it did."""
    _refuse_without_defence(exercise, defended)
    reexec_in_user_namespace()
    name, seal = student_of(student), _key(key)  # read before the command runs, which may be able to read it, too
    bounds = Bounds(seconds=timeout or exercise.seconds)
    show = sys.stderr.buffer
    with terminable():
        try:
            played = play(exercise, name, running(arguments, bounds, show), defended=defended)
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return _judged(exercise, name, played, defended, with_ladder, file, seal, format_)


@command.command("shell", epilog=f"Beyond the bounds of `check` it is ended, but it has time: {Bounds()}.")
@EXERCISE
@STUDENT
@click.option("--defence", "defended", is_flag=True, help="Switch the defence on that stops the attack.")
@click.option("--watch", is_flag=True, help="Show every frame in this terminal, as it crosses a link.")
@click.option("-w", "--write", "file", metavar="FILE", type=OUTPUT_FILE, help="Write the evidence there.")
@KEY
def shell(
    exercise: Exercise, student: str | None, defended: bool, watch: bool, file: str | None, key: str | None
) -> int:
    """Be in the student's host yourself, in a shell; at its end, what you did is judged.

    What the task has a command print, write to $LAB_OUTPUT. Within tmux, a second pane shows every frame as it
    crosses a link.
    """
    _refuse_without_defence(exercise, defended)
    if not sys.stdin.isatty():
        raise click.UsageError("a shell needs a terminal; for programs there is `rawkit lab check`")
    reexec_in_user_namespace()
    name = student_of(student)
    with Lines() as lines:
        for line in sheet(exercise, exercise.values_of(name), name, colour=colour_wanted()):
            lines.write(line)
        lines.write("\nThis shell is in the host `you`. `exit` ends it, and what you did is judged.")
        lines.write("What the task has you print counts where it goes to $LAB_OUTPUT: echo ANSWER > $LAB_OUTPUT\n")
    with terminable():
        try:
            played = play(exercise, name, interactive(watch=watch), defended=defended)
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return _judged(exercise, name, played, defended, False, file, _key(key), "text")


@command.command("predict", context_settings={"ignore_unknown_options": True})
@EXERCISE
@click.argument("answer", nargs=-1, required=True)
@STUDENT
def predict(exercise: Exercise, answer: tuple[str, ...], student: str | None) -> int:
    """Answer the question of an exercise, before you try; your first answer goes with what you hand in."""
    if not " ".join(answer).strip():
        raise click.UsageError("an answer has a word at least")
    desk = Desk(student_of(student))
    values = exercise.values_of(desk.student)
    right = exercise.predicted(" ".join(answer), desk.student) == "right"
    desk.predict(exercise.name, " ".join(answer))
    with Lines() as lines:
        lines.write("Right." if right else f"No: it is {exercise.prediction.answer(values)}.")
        lines.write(exercise.told(exercise.prediction.why, values))
    return OK if right else NO


@command.command("hint")
@EXERCISE
@click.option("-n", "--number", type=click.IntRange(1, 3), help="This one again (default: the next).")
@STUDENT
def hint(exercise: Exercise, number: int | None, student: str | None) -> None:
    """Give a hint: the first about the concept, the second about the field, the third about the bytes."""
    name = student_of(student)
    desk = Desk(name)
    taken = desk.preparation(exercise.name).hints
    which = number or min(taken + 1, len(exercise.hints))
    desk.take_hint(exercise.name, max(which, taken))
    with Lines() as lines:
        if number is None and taken == len(exercise.hints):
            lines.write("There are no more; this is the last one again.")
        lines.write(
            f"Hint {which} of {len(exercise.hints)}: "
            f"{exercise.told(exercise.hints[which - 1], exercise.values_of(name))}"
        )


@command.command("why")
@EXERCISE
@click.argument("check", metavar="CHECK", required=False)
@STUDENT
@click.option("-r", "--read", "file", metavar="FILE", type=INPUT_FILE, help="This evidence (default: the latest).")
def why(exercise: Exercise, check: str | None, student: str | None, file: str | None) -> int:
    """Show the frames and bytes behind a verdict: of the check of that name, or of the first that fails."""
    desk = Desk(student_of(student))
    path = Path(file) if file is not None else desk.latest(exercise.name)
    if file is None and not path.exists():
        raise click.UsageError(
            f"{exercise.name} was not checked yet: rawkit lab check {exercise.handle} -- COMMAND; or -r FILE"
        )
    bundle = read_bundle(path)
    heading = bundle.heading
    if heading.exercise != exercise.name:
        raise click.UsageError(f"{path} is about {heading.exercise}, not {exercise.name}")
    evidence = bundle.evidence(exercise)
    verdict = judge(exercise, heading.student, evidence, stopped=heading.stopped, defended=heading.defended)
    wanted = exercise.check(check).name if check is not None else None
    name = wanted or next((one.check for one in verdict.failed), verdict.results[0].check)
    result = next(one for one in verdict.results if one.check == name)
    colour = colour_wanted()
    with Lines() as lines:
        lines.write(
            f"{name}: {result.words}: "
            + ("holds" if result.passed else "cannot be judged" if result.broken else "does not hold")
        )
        lines.write(result.message())
        lines.write("")
        for line in ladder_of(bundle.transits, marked=result.finding.frames):
            lines.write(line)
        for line in behind(result.finding, evidence.wire, colour=colour):
            lines.write(line)
    return OK


@command.command("solution")
@EXERCISE
@click.option("--i-give-up", is_flag=True, help="You do.")
def solution(exercise: Exercise, i_give_up: bool) -> None:
    """Show the reference solution."""
    if not i_give_up:
        raise click.UsageError(f"there are hints (rawkit lab hint {exercise.handle}); or add --i-give-up")
    with Lines() as lines:
        for line in exercise.solution.source.strip().splitlines():
            lines.write(line)


@command.command("rehearse")
@EXERCISE
@STUDENT
def rehearse(exercise: Exercise, student: str | None) -> int:
    """Try an exercise's own solutions, before students do: the right one, each wrong one, and the defence."""
    reexec_in_user_namespace()
    name = student_of(student)
    proofread(exercise, name)
    complaints = 0
    with Lines() as lines, terminable():
        try:
            for one in rehearsals(exercise):
                verdict = one.play(name)[1]
                complaint = one.complaint(verdict)
                complaints += bool(complaint)
                wanted = f"fails {one.fails}" if one.fails else "passes"
                wanted += f"; {verdict.stopped}" if verdict.stopped else ""
                lines.write(f"{'FAIL' if complaint else 'ok':4}  {one.name:8}  {complaint or wanted}")
        except KeyboardInterrupt as stop:
            return ended_by(stop)
    return NO if complaints else OK


@command.command("grade", epilog=GRADE_EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=INPUT_FILE)
@click.option("--student", metavar="NAME", help="Whose they have to be (default: as in ping--NAME.zip).")
@click.option(
    "--exercise", "exercises", metavar="FILE", multiple=True, type=INPUT_FILE, help="An exercise of your own."
)
@click.option("--csv", metavar="FILE|-", type=click.Path(), help="Write the table as CSV, too.")
@KEY
@FORMAT
def grade_(
    files: tuple[str, ...],
    student: str | None,
    exercises: tuple[str, ...],
    csv: str | None,
    key: str | None,
    format_: str,
) -> int:
    """Judge bundles of evidence again, without privileges, and list who passed."""
    graded = []
    with ExitStack() as stack:
        lines = stack.enter_context(Lines(sys.stderr if csv == "-" else sys.stdout))
        target = stack.enter_context(output(csv)) if csv is not None else None
        for one in grade(files, student=student, key=_key(key), exercises=exercises):
            graded.append(one)
            lines.write(json.dumps(as_object(one)) if format_ == "json" else row(one))
        if target is not None:
            write_all(target, bytearray(table(graded)), str(csv))
    if any(one.verdict is not None and one.verdict.broken for one in graded):
        return USAGE
    return OK if all(one.verdict is not None and one.verdict.passed for one in graded) else NO


def _judged(
    exercise: Exercise,
    student: str,
    played: Played,
    defended: bool,
    with_ladder: bool,
    file: str | None,
    key: bytes,
    format_: str,
) -> int:
    """Judge, tell, and keep the evidence."""
    verdict = judge(exercise, student, played.evidence, stopped=played.outcome.stopped, defended=defended)
    outcome = played.outcome
    with Lines() as lines:
        if format_ == "json":
            for line in objects(verdict):
                lines.write(line)
        else:
            if with_ladder:
                for line in ladder_of(played.transits):
                    lines.write(line)
                lines.write("")
            for line in verdict_lines(verdict, colour=colour_wanted()):
                lines.write(line)
            if outcome.status and not verdict.passed:
                lines.write(f"Your command {_ending(outcome.status)}.")
    _keep(exercise, played, verdict, file, key, quiet=format_ == "json")
    if outcome.signal:
        return 128 + outcome.signal
    return OK if verdict.passed else USAGE if verdict.broken else NO


def _keep(
    exercise: Exercise, played: Played, verdict: Verdict, file: str | None, key: bytes, *, quiet: bool
) -> None:
    """Keep the evidence, which is done after the verdict was told, and tell where, unless that is not wanted."""
    desk, which = Desk(verdict.student), (exercise.name, verdict.defended)
    path = file or str(desk.latest(*which))
    if file is None:
        desk.prepare()
    write_bundle(path, played, verdict, key=key, preparation=desk.preparation(exercise.name))
    kept = file is not None or desk.keep(*which, passed=verdict.passed)
    if quiet:
        return
    hand_in = file or str(desk.hand_in(*which))
    with Lines() as lines:
        if played.outcome.signal:
            lines.write(f"{count_of(len(played.transits), 'frame')} kept: {path}")
        if verdict.failed:
            whose = "" if verdict.student == student_of(None) else f" --student {verdict.student}"
            where = f" -r {shlex.quote(path)}" if file or verdict.defended else whose
            lines.write(f"See the frames: rawkit lab why {exercise.handle} {verdict.failed[0].check}{where}")
        if not kept:
            lines.write(f"What you hand in stays the earlier run, which passed: {hand_in}")
        elif not verdict.failed:
            lines.write(f"Evidence: {hand_in}")


def _ending(status: int) -> str:
    """How a command ended, in words (signal(7))."""
    return f"ended with exit code {status}" if status > 0 else f"was ended by {signal.strsignal(-status)}"


def _refuse_without_defence(exercise: Exercise, defended: bool) -> None:
    if defended and exercise.defence is None:
        raise click.UsageError(f"{exercise.name} is no attack, so there is no defence against it")


def _key(file: str | None) -> bytes:
    if file is None:
        return b""
    try:
        key = Path(file).read_bytes().strip()
    except OSError as error:
        raise file_error(error, f"read {file}") from error
    if not key:
        raise click.UsageError(f"the key in {file} is empty")
    return key

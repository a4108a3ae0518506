"""Exercises in network namespaces, judged by what crossed the wire and what the kernels know."""

from rawkit.lab.bounds import Bounds
from rawkit.lab.bundle import Bundle, read_bundle, write_bundle
from rawkit.lab.confine import Outcome, run_confined
from rawkit.lab.evidence import Evidence, Piece
from rawkit.lab.exercise import Check, Defence, Exercise, Prediction, Program, Scene, Wrong, python, shell
from rawkit.lab.finding import Finding
from rawkit.lab.live import LiveWire, RecordedLab
from rawkit.lab.seed import Seed, Values, student_of
from rawkit.lab.stage import Played, Stage, play, running
from rawkit.lab.topology import Link, Topology
from rawkit.lab.verdict import Result, Verdict, judge
from rawkit.lab.wire import Seen, Wire

__all__ = [
    "Bounds",
    "Bundle",
    "Check",
    "Defence",
    "Evidence",
    "Exercise",
    "Finding",
    "Link",
    "LiveWire",
    "Outcome",
    "Piece",
    "Played",
    "Prediction",
    "Program",
    "RecordedLab",
    "Result",
    "Scene",
    "Seed",
    "Seen",
    "Stage",
    "Topology",
    "Values",
    "Verdict",
    "Wire",
    "Wrong",
    "judge",
    "play",
    "python",
    "read_bundle",
    "run_confined",
    "running",
    "shell",
    "student_of",
    "write_bundle",
]

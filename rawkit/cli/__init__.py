"""The command line: one module per command or group of commands, imported when it is asked for.

To add a command, write `rawkit/cli/NAME.py` with a click command named `command`, whose help ends with an
example, and enter it with its one-line help in `COMMANDS` in `rawkit/cli/commands.py`. A command says what it
found through its exit code: it returns None for 0, or an `int`: 1 the answer is no. It lets every RawkitError
through: `rawkit/cli/main.py` turns that into one line and the right exit code. It prints through
`rawkit/cli/output.py`, which knows about colour, pipes and terminals.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command that `sys.argv` asks for, and exit with its code."""
    try:
        from rawkit.cli.main import run

        code = run()
    except KeyboardInterrupt:  # while modules were being imported
        code = 130
    raise SystemExit(code)

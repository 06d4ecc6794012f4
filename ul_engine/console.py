"""How commands end: exit codes, and words for what went wrong. No torch."""

import os
import select
import sys
from collections.abc import Callable

from ul_engine.errors import EngineError

FAILED, STOPPED, NOBODY_READS = 1, 130, 141


def run_command(command: Callable[[], int], name: str) -> int:
    """The exit code of a command: its own; 1 for a problem, which is explained on standard error; 130 when it is
    interrupted; 141, as for the signal SIGPIPE, when whoever read standard output has gone (``| head``)."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except EngineError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: stopped\n")
        return STOPPED
    except BrokenPipeError:
        if not _has_lost_its_reader(sys.stdout.fileno()):
            raise  # another pipe broke
        nowhere = os.open(os.devnull, os.O_WRONLY)  # else the interpreter complains of what is left unsaid as it ends
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return NOBODY_READS


def _has_lost_its_reader(pipe: int) -> bool:
    """Whether nobody will read what is written to a pipe. Where the system cannot tell (Windows): yes."""
    if not hasattr(select, "poll"):
        return True
    waiting = select.poll()
    waiting.register(pipe, 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))

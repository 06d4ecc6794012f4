"""A path as people read it."""

import os
from pathlib import Path, PurePath


def shown_path(path: PurePath | str, *, is_breakable: bool = False) -> str:
    """`~` stands for the person's own folder where shells know it; a breakable one may be broken behind its slashes."""
    text = str(path)
    if os.name == "posix":
        home = str(Path.home())
        if text == home or text.startswith(home.rstrip("/") + "/"):
            text = "~" + text[len(home.rstrip("/")) :]
    return text.replace("/", "/\u200b") if is_breakable else text

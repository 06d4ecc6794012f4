"""Prompts with choices in them: ``{red|blue}`` takes one of the words, ``__animal__`` a line of the file animal.txt."""

import random
import re
from collections.abc import Mapping, Sequence

from app.models.requested import with_prompt
from ul_engine.requests import GenerateRequest, Request

MAX_DEPTH = 8
"""Choices within choices, and files that name files."""
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_FILE = re.compile(r"__([\w-]+(?:/[\w-]+)*?)__")

Files = Mapping[str, Sequence[str]]


def has_choices(text: str) -> bool:
    """Whether a prompt is different each time."""
    return bool(_CHOICE.search(text) or _FILE.search(text))


def missing_files(text: str, files: Files) -> list[str]:
    """Names between double underscores for which there is no file with a line in it."""
    return sorted({match[1] for match in _FILE.finditer(text) if not files.get(match[1])})


def without_choices(text: str) -> str:
    """The words themselves, each where it stands; signs of choices and names of files become spaces."""
    text = _FILE.sub(lambda match: " " * len(match[0]), text)
    while match := _CHOICE.search(text):
        inner = match[1].replace("|", " ")
        text = f"{text[: match.start()]} {inner} {text[match.end() :]}"
    return text


def expand(text: str, files: Files, rng: random.Random) -> str:
    """One of the prompts that `text` stands for. A name without a file stays as it is written."""
    for _ in range(MAX_DEPTH):
        drawn = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")).strip(), text)
        drawn = _FILE.sub(lambda match: rng.choice(files[match[1]]) if files.get(match[1]) else match[0], drawn)
        if drawn == text:
            break
        text = drawn
    return " ".join(text.split())


def expanded(request: Request, template: str, files: Files) -> tuple[Request, ...]:
    """The requests that a template stands for: of a generation each picture draws anew, by its own seed, so that the
    same seed draws the same; neighbours that drew the same are made together. Anything else draws once."""
    if not has_choices(template):
        return (with_prompt(request, template),)
    if not isinstance(request, GenerateRequest):
        seed = getattr(request, "seed", 0)
        return (with_prompt(request, expand(template, files, _rng(seed, template))),)
    found: list[GenerateRequest] = []
    for index in range(request.num_images):
        single = request.for_single(index)
        prompt = expand(template, files, _rng(single.seed, template))
        if found and found[-1].prompt == prompt:
            found[-1] = found[-1].model_copy(update={"num_images": found[-1].num_images + 1})
        else:
            found.append(single.model_copy(update={"prompt": prompt}))
    return tuple(found)


def _rng(seed: int, template: str) -> random.Random:
    return random.Random(f"{seed} {template}")

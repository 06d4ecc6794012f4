"""What a request asks for, in numbers and words, whatever its kind."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from ul_engine.requests import GenerateRequest, GridRequest, InterpolateRequest, Request, SamplingSettings


def num_results(request: Request) -> int:
    """Pictures, clips or inputs that the engine counts through."""
    if isinstance(request, GenerateRequest):
        return request.num_images
    if isinstance(request, InterpolateRequest):
        return request.num_steps
    if isinstance(request, GridRequest):
        rows, columns = request.size
        return rows * columns
    return len(getattr(request, "inputs", ())) or 1


def singles(request: Request) -> tuple[GenerateRequest | None, ...]:
    """For each result the generation that makes it alone; None where there is none, as between two prompts."""
    if isinstance(request, GenerateRequest):
        return tuple(request.for_single(index) for index in range(request.num_images))
    if isinstance(request, InterpolateRequest):
        return tuple(request.generation_of(index) for index in range(request.num_steps))
    if isinstance(request, GridRequest):
        return request.cells()
    return ()


def rest_of(request: Request, num_done: int) -> Request:
    """What is left to do once the first `num_done` results are made; all of it where it has no parts of its own."""
    if not isinstance(request, GenerateRequest) or not 0 < num_done < request.num_images:
        return request
    return request.for_single(num_done).model_copy(update={"num_images": request.num_images - num_done})


def sampling_of(request: Request) -> SamplingSettings | None:
    """The settings of both diffusions, where the request has one set of them."""
    if isinstance(request, GridRequest):
        return request.request.sampling
    sampling = getattr(request, "sampling", None)
    return sampling if isinstance(sampling, SamplingSettings) else None


def at_once(request: Request) -> int:
    """Pictures denoised together."""
    return min(int(getattr(request, "batch_size", 1)), num_results(request))


def has_size(request: Request) -> bool:
    """Whether another size than the trained one is asked for."""
    whole = request.request if isinstance(request, GridRequest) else request
    return getattr(whole, "width_px", None) is not None or getattr(whole, "height_px", None) is not None


def size_of(request: Request, trained_px: int) -> tuple[int, int]:
    """Width and height of the results."""
    whole = request.request if isinstance(request, GridRequest) else request
    sides = (getattr(whole, "width_px", None), getattr(whole, "height_px", None))
    return sides[0] or trained_px, sides[1] or trained_px


def changed(request: Request, changes: Mapping[str, object]) -> Request:
    """The same request with some settings changed; of a grid, those of all its cells."""
    if isinstance(request, GridRequest):
        return request.model_copy(update={"request": request.request.model_copy(update=dict(changes))})
    return request.model_copy(update=dict(changes))


def with_prompt(request: Request, prompt: str) -> Request:
    """The same request with another prompt."""
    return changed(request, {"prompt": prompt}) if prompt != prompt_of(request) else request


def prompt_of(request: Request) -> str:
    """The prompt that all results share; empty where there is none."""
    whole = request.request if isinstance(request, GridRequest) else request
    return str(getattr(whole, "prompt", ""))


def title(request: Request) -> str:
    """What a request is called: its prompt, else its class, else what it does."""
    if isinstance(request, GridRequest):
        return _generation_title(request.request)
    if isinstance(request, InterpolateRequest):
        return _way_title(request)
    if isinstance(request, GenerateRequest):
        return _generation_title(request)
    return _tr("Comparison")


def _generation_title(request: GenerateRequest) -> str:
    if request.prompt:
        return request.prompt
    if request.class_label is not None:
        return _tr("Class {label}").format(label=request.class_label)
    return _tr("Without a prompt")


def _way_title(request: InterpolateRequest) -> str:
    if request.between == "prompts":
        first, second = (text.strip() or _tr("no prompt") for text in (request.prompt, request.second_prompt))
        return _tr("{first} → {second}").format(first=first, second=second)
    if request.between == "seeds":
        ends = _tr("seed {first} → {second}").format(first=request.seed, second=request.second_seed)
        return f"{request.prompt} · {ends}" if request.prompt else ends
    return _tr("From one picture to another")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Requested", text)

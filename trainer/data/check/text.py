"""A report as text for a terminal."""

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from trainer.config.data import ScenesData
from trainer.data.check.report import Bar, Count, DataReport, Level, Problem, Spread, Verdict
from trainer.data.check.wording import counted, data_size, duration, number, percent

WIDTH = 100
LABEL = 11
BAR = 28
MAX_NAMES = 3
MAX_CLASSES = 12

_VERDICTS = {
    Verdict.READY: "ready: nothing stands in the way of a run",
    Verdict.USABLE: "usable: a run can start, but look at what is marked with !",
    Verdict.BLOCKED: "blocked: a run would not start, or would stop early; look at what is marked with X",
}
_MARKS = {Level.BLOCKS: "X", Level.WARNS: "!", Level.INFORMS: "-"}


def report_text(report: DataReport) -> str:
    """Everything that a person wants to know, in lines of at most `WIDTH` characters where words allow it."""
    parts = [
        [_heading(report)],
        _facts(report),
        *(_histogram(title, bars) for title, bars in _histograms(report)),
        [line for problem in report.problems for line in _problem(problem)],
        _ending(report),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _heading(report: DataReport) -> str:
    data = report.data
    name = "procedural scenes" if isinstance(data, ScenesData) else data.path
    return f"{name} · {data.kind} at {data.size_px} px"


def _facts(report: DataReport) -> list[str]:
    return [line for label, text in _labelled(report) for line in _hanging(label, text)]


def _labelled(report: DataReport) -> Iterator[tuple[str, str]]:
    """Labels and what stands beside them."""
    if report.files is not None:
        formats = ", ".join(f"{number(each.count)} {each.name}" for each in report.files.formats)
        yield "files", f"{number(report.files.num_files)} · {data_size(report.files.num_bytes)} · {formats or 'none'}"
    yield "samples", f"{number(report.num_train)} to learn from, {number(report.num_valid)} held out"
    if report.sizes is not None:
        shorter, longer = _spread(report.sizes.shorter_px), _spread(report.sizes.longer_px)
        yield "sizes", f"shorter side {shorter} px, longer side {longer} px"
    if report.clips is not None:
        clips = report.clips
        yield "frames", f"{_spread(clips.num_frames)}, at {_spread(clips.fps)} per second"
        yield "length", f"{_spread(clips.duration_s)} s, {duration(clips.total_s)} in all"
    yield "classes", _classes(report)
    yield "captions", _captions(report)


def _classes(report: DataReport) -> str:
    counts = report.classes.counts
    if not counts:
        return "none"
    return f"{number(len(counts))}: {_counts(counts, MAX_CLASSES)}"


def _captions(report: DataReport) -> str:
    captions = report.captions
    if not captions.num_with:
        return "none"
    text = f"{number(captions.num_with)}, of {counted(captions.num_words, 'different word')}"
    return f"{text}, at most {number(captions.longest_words)} in one; most frequent: {_counts(captions.frequent, 10)}"


def _counts(counts: Sequence[Count], limit: int) -> str:
    shown = ", ".join(f"{each.name} {number(each.count)}" for each in counts[:limit])
    return shown if len(counts) <= limit else f"{shown}, and {number(len(counts) - limit)} more"


def _spread(values: Spread) -> str:
    if values.least == values.greatest:
        return number(values.least)
    return f"{number(values.least)} to {number(values.greatest)} (middle {number(values.median)})"


def _histograms(report: DataReport) -> Iterator[tuple[str, Sequence[Bar]]]:
    if report.sizes is not None:
        yield "shorter side, px", report.sizes.shorter
        yield "width : height", report.sizes.aspects


def _histogram(title: str, bars: Sequence[Bar]) -> list[str]:
    """Rows from the first to the last bar that counts anything."""
    filled = [index for index, bar in enumerate(bars) if bar.count]
    shown = bars[filled[0] : filled[-1] + 1]
    most = max(bar.count for bar in shown)
    total = sum(bar.count for bar in shown)
    return [f"  {title}", *(_bar_row(bar, most, total) for bar in shown)]


def _bar_row(bar: Bar, most: int, total: int) -> str:
    row = f"  {bar.label:>{LABEL}} {_bar(bar.count / most)} {number(bar.count):>7} {percent(bar.count, total):>10}"
    return row.rstrip()


def _bar(share: float) -> str:
    """A bar in eighths of a character; the smallest is still seen."""
    eighths = max(round(share * BAR * 8), 1 if share else 0)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()).ljust(BAR)


def _problem(problem: Problem) -> list[str]:
    lines = textwrap.wrap(
        problem.sentence, WIDTH, initial_indent=f"  {_MARKS[problem.level]} ", subsequent_indent="    "
    )
    rows = [f"{file.name}: {file.note}" if file.note else file.name for file in problem.files]
    rows += [" = ".join(group[:MAX_NAMES]) + (" = …" if len(group) > MAX_NAMES else "") for group in problem.groups]
    lines += [f"      {row}" for row in rows[:MAX_NAMES]]
    if max(len(rows), problem.count) > MAX_NAMES and rows:
        lines.append(f"      and {number(max(len(rows), problem.count) - MAX_NAMES)} more")
    return lines


def _ending(report: DataReport) -> list[str]:
    lines = _hanging("verdict", _VERDICTS[report.verdict])
    if report.suggestion is not None:
        lines += _hanging("suggested", _suggested(report))
    if report.sheet is not None:
        lines += _hanging("sheet", report.sheet)
    if report.suggestion is not None and report.verdict is not Verdict.BLOCKED:
        lines.append(f"  {'next':<{LABEL}} {shlex.join(report.suggestion.command)}")
    return lines


def _suggested(report: DataReport) -> str:
    suggestion = report.suggestion
    assert suggestion is not None
    return f"{suggestion.size_px} px, fit {suggestion.fit}, preset {suggestion.preset}"


def _hanging(label: str, text: str) -> list[str]:
    indent = " " * (LABEL + 3)
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {label:<{LABEL}} ", subsequent_indent=indent, break_on_hyphens=False
    )

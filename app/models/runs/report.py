"""A run's state as a text that a person can read and pass on."""

from app.models.runs.run_view import RunView
from app.models.runs.words import facts_line, standing_line

LOG_LINES = 60
SHOWN_EVENTS = 12


def report_of(view: RunView) -> str:
    """What the run is, how it stands, why, what would help, its alarms, last events and last lines of the log."""
    facts, standing = view.facts, view.standing
    parts = [
        f"UL Studio training run: {view.path}",
        f"{facts_line(facts)}; batch {facts.batch_size}; {facts.image_px} px; loss factor {facts.loss_factor}",
        standing_line(standing),
    ]
    if standing.reason:
        parts.append(f"Reason: {standing.reason}")
    parts += [f"Advice: {line}" for line in standing.advice]
    parts += [f"Alarm: {alarm.title}. {alarm.sentence}" for alarm in view.alarms]
    plain = {name: block for name, block in sorted(view.figures.items()) if len(block) and name.count("/") == 1}
    parts += ["", "Last figures:", *(f"{name} {block.values[-1]:.5g}" for name, block in plain.items())]
    events = [f"step {each.step}: {each.kind} {dict(each.values)}" for each in view.happenings[-SHOWN_EVENTS:]]
    parts += ["", "Last events:", *events, "", "End of console.log:"]
    return "\n".join([*parts, *view.console.splitlines()[-LOG_LINES:], ""])

"""The design in numbers: spacing, type, corners, and two palettes. No Qt."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spacing:
    """Distances in logical pixels."""

    xs: int = 4
    s: int = 8
    m: int = 12
    l: int = 16  # noqa: E741 - the usual name of this size
    xl: int = 24
    xxl: int = 32


@dataclass(frozen=True)
class TypeScale:
    """Font sizes in logical pixels."""

    caption: int = 12
    body: int = 13
    strong: int = 15
    title: int = 20
    display: int = 26


@dataclass(frozen=True)
class Colours:
    """One palette; every value is #rrggbb."""

    name: str
    rail: str
    window: str
    panel: str
    raised: str
    hover: str
    pressed: str
    field: str
    canvas: str
    line: str
    field_line: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    accent_text: str
    accent_tint: str
    focus: str
    good: str
    warning: str
    warning_tint: str
    error: str
    error_tint: str
    shadow: str


SPACING = Spacing()
TYPE = TypeScale()
RADIUS = 6
RADIUS_LARGE = 10
CONTROL_HEIGHT = 34

DARK = Colours(
    name="dark",
    rail="#0e1013",
    window="#131519",
    panel="#191c21",
    raised="#22262d",
    hover="#292e36",
    pressed="#323842",
    field="#111317",
    canvas="#0b0c0f",
    line="#282d35",
    field_line="#666f7d",
    text="#eceef1",
    muted="#a5adb9",
    disabled="#6c7481",
    accent="#4a63e0",
    accent_hover="#526ae6",
    accent_pressed="#3d55cc",
    on_accent="#ffffff",
    accent_text="#a3b4ff",
    accent_tint="#232b47",
    focus="#8da2ff",
    good="#4cc38a",
    warning="#f0b445",
    warning_tint="#2e2616",
    error="#ff8a80",
    error_tint="#351c1c",
    shadow="#000000",
)

LIGHT = Colours(
    name="light",
    rail="#e9ebef",
    window="#f3f4f6",
    panel="#ffffff",
    raised="#eef0f3",
    hover="#e4e7ec",
    pressed="#d8dce3",
    field="#ffffff",
    canvas="#e6e8ec",
    line="#dcdfe5",
    field_line="#868e9b",
    text="#191c21",
    muted="#565e6b",
    disabled="#8d95a2",
    accent="#3f57d4",
    accent_hover="#364cc0",
    accent_pressed="#2d41aa",
    on_accent="#ffffff",
    accent_text="#3449bf",
    accent_tint="#e6eaff",
    focus="#3f57d4",
    good="#11683f",
    warning="#8a5a00",
    warning_tint="#fff4dc",
    error="#b3261e",
    error_tint="#fdebea",
    shadow="#5c6470",
)

PALETTES = {"dark": DARK, "light": LIGHT}


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two colours, 1 to 21."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""What the colour words look like, as sRGB bytes, and the way to linear light. Standard library only."""

Bytes = tuple[int, int, int]

OBJECT_COLORS: dict[str, Bytes] = {
    "red": (212, 26, 30),
    "orange": (247, 124, 10),
    "yellow": (248, 214, 20),
    "green": (34, 160, 52),
    "cyan": (30, 204, 214),
    "blue": (32, 74, 214),
    "purple": (124, 40, 184),
    "pink": (246, 118, 178),
}

FLOOR_COLORS: dict[str, tuple[Bytes, Bytes]] = {
    "red": ((176, 92, 88), (226, 200, 194)),
    "yellow": ((198, 178, 98), (238, 230, 198)),
    "green": ((98, 148, 104), (208, 224, 206)),
    "blue": ((92, 122, 172), (204, 216, 232)),
    "purple": ((142, 98, 158), (222, 206, 230)),
    "gray": ((120, 122, 126), (212, 214, 216)),
}
"""Main colour and the pale second colour of the patterns: less saturated than any object."""

SKY_COLORS: dict[str, tuple[Bytes, Bytes, Bytes]] = {
    "blue": ((214, 231, 245), (110, 170, 232), (44, 100, 190)),
    "orange": ((255, 228, 188), (250, 164, 84), (206, 100, 54)),
    "pink": ((255, 228, 234), (246, 154, 188), (206, 92, 144)),
    "purple": ((228, 216, 245), (154, 120, 212), (90, 62, 160)),
    "green": ((222, 243, 222), (126, 204, 146), (52, 136, 92)),
    "gray": ((228, 230, 232), (160, 166, 172), (100, 106, 114)),
}
"""At the horizon, a little above it, and overhead."""


def linear_light(color: Bytes) -> tuple[float, float, float]:
    """sRGB bytes to linear light in [0, 1]. Source: IEC 61966-2-1."""
    red, green, blue = (_decode(value / 255.0) for value in color)
    return red, green, blue


def _decode(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

"""Textures: endless synthetic pictures of surfaces, edges and letters, each a pure function of (seed, index, size).

`choosing.texture(seed, index, size)` draws one of any kind; the kinds are `leaves`, `noise`, `gradients`, `patterns`
and `lettering`. All of them compose in OKLab (`colours`) and become sRGB at the end.
"""

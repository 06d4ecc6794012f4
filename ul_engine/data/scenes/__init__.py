"""Scenes: a procedural 3-D data set with captions and labels that always exists.

`layout.scene_spec(seed, index, options, pinned=...)` makes a scene, `render.render_scenes(specs, size_px=...)` its
picture or clip, `captions` and `labels` its text and classes, `cache` a file of many. `grammar` holds the words.
"""

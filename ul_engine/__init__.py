"""The Unified Latents method as a library, and the engine worker process. Imports nothing, so that light modules stay
light."""

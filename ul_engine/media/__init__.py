"""Pictures and clips in files: what is in them, their frames as uint8 arrays, and the texts kept inside. No torch."""

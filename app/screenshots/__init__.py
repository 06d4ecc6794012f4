"""Pictures of every page for the guide, with real content: real results, a real comparison, a real training run."""

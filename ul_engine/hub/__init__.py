"""Models in and out: from the Hugging Face Hub, to it, and between folders of this machine. Never imports torch.

``huggingface_hub`` is imported inside functions only: it reads its environment when it is imported.
"""

"""The networks of Unified Latents: encoder, prior, base model, decoder, and the model that holds them."""

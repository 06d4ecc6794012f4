"""Parts of the page Generate beyond the basic form."""

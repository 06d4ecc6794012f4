"""What the page Models holds: the models here, those on the Hub, and what is being done with them."""

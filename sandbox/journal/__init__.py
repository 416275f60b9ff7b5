"""The requests that were received, and every question that can be asked of them."""

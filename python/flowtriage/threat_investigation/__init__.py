"""Flow Threat Investigation: from a high-risk address to a saved story."""

"""Processing: the life of a payload after it was accepted, from its service's run to its row in the sync report."""

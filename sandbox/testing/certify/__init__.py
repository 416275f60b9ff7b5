"""Certification: storms of faults that a client runs through, and checks that judge the journal of each run."""

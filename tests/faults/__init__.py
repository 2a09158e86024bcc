"""What a site of three nodes goes through, fault by fault: ``python -m tests.faults``."""

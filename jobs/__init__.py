"""What workers run: one file per subject that is reconciled, and what a pipeline uses."""

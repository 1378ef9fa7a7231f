"""What follows from a run's rows: summary, answer, advice, model and claims."""

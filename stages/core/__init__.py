"""What every stage may use. Nothing in here imports a stage."""

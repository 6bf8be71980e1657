"""Can people, and an auditor, see what the data set is? Pages made of metrics and tables."""

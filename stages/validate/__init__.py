"""Does the data set keep its contract?"""
